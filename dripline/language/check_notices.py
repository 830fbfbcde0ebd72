"""Whether colleagues can be told what a journey wants them told."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.check_names import scope_at
from dripline.language.check_templates import check_text
from dripline.language.look import Look
from dripline.language.naming import every_step
from dripline.language.notices import OWNER, address_channel, channels_to
from dripline.language.problems import Problem, did_you_mean
from dripline.language.steps import NotifyStep


def known_people(look: Look) -> Iterator[Problem]:
    """Everybody whom a journey tells something is in dripline.yaml, with an address, and we have a sender for it."""
    people, senders = look.workspace.people, look.workspace.senders
    for loc, step in every_step(look.journey.steps):
        if not isinstance(step, NotifyStep):
            continue
        to, here = step.said.to, (*loc, "notify", "to")
        channels = channels_to(to, people)
        if to == OWNER and not channels:
            message, hint = (
                "nobody is declared who could be an owner",
                "declare them under `people` in dripline.yaml",
            )
            yield look.draft.problem(here, "unknown-person", message, hint)
        elif to != OWNER and to not in people and address_channel(to) is None:
            hint = did_you_mean(to, {*people, OWNER}) or "declare the person under `people` in dripline.yaml"
            yield look.draft.problem(here, "unknown-person", f"there is nobody called `{to}`", hint)
        elif not channels:
            message, hint = f"`{to}` has neither `email` nor `phone`", "add one in dripline.yaml"
            yield look.draft.problem(here, "no-address", message, hint)
        for channel in channels:
            if channel not in senders and step.said.text is not None:  # of templates, `known_senders` says it
                message = f"nobody is declared whom `{channel}` messages come from"
                hint = f"declare `{channel}` under `senders` in dripline.yaml"
                yield look.draft.problem(here, "no-sender", message, hint)


def sound_notices(look: Look) -> Iterator[Problem]:
    """What a notice says in the journey itself reads only what there is."""
    for loc, step in every_step(look.journey.steps):
        if not isinstance(step, NotifyStep):
            continue
        for key in ("text", "subject"):
            text = getattr(step.said, key)
            here = (*loc, key) if getattr(step, key) is not None else (*loc, "notify", key)
            if text is not None and not (key == "subject" and step.said.template is not None):
                yield from check_text(look, here, text, scope_at(look, loc))
