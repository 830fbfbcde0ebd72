"""Whether the steps by which leads get their links for friends can give them any."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.look import Look
from dripline.language.naming import every_step
from dripline.language.problems import Problem, did_you_mean
from dripline.language.steps import ReferralStep


def known_programs(look: Look) -> Iterator[Problem]:
    """A `referral` names a program of dripline.yaml, and its result has a name that templates read it by."""
    known = look.workspace.referrals
    for loc, step in every_step(look.journey.steps):
        if not isinstance(step, ReferralStep):
            continue
        here = (*loc, "referral")
        if step.referral not in known:
            hint = did_you_mean(step.referral, known) or "declare it under `referrals` in dripline.yaml"
            yield look.draft.problem(here, "unknown-program", f"there is no program `{step.referral}`", hint)
        elif step.as_ is None:
            message = "nobody learns the link and the code"
            hint = "add `as: friends`, and `{{ friends.link }}` to a template after it"
            yield look.draft.warning(here, "unread-code", message, hint)
