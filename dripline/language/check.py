"""What must hold of a journey beyond its form. A rule is one function; its docstring is the rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from dripline.language.check_audiences import known_audience
from dripline.language.check_changes import (
    ending_loops,
    known_changes,
    known_date,
    known_journeys,
    known_key,
    whole_splits,
)
from dripline.language.check_contents import calm_own_subjects
from dripline.language.check_discounts import (
    bounded_discounts,
    kept_promises,
    known_budgets,
    minded_lacks,
    named_discounts,
    sound_amounts,
)
from dripline.language.check_events import (
    declared_events,
    own_goals,
    sent_before,
    sure_signs,
    tracked_events,
)
from dripline.language.check_hands import known_hands
from dripline.language.check_links import addressed_emails, sound_links, sound_links_in_subjects
from dripline.language.check_names import known_names
from dripline.language.check_notices import known_people, sound_notices
from dripline.language.check_outside import known_functions, whole_bodies
from dripline.language.check_policies import fitting_senders, timely_messages
from dripline.language.check_products import asked_in_place
from dripline.language.check_programs import known_programs
from dripline.language.check_sms import short_texts
from dripline.language.check_surveys import answerable_surveys, known_surveys
from dripline.language.check_templates import existing_templates, filled_templates, subjects_of_emails
from dripline.language.check_times import (
    dated_waits,
    later_steps,
    open_hours,
    steps_counted_from,
    waits_for_places,
)
from dripline.language.check_types import fitting_templates, fitting_values
from dripline.language.check_ways import emitted_events, living_branches, sendable_messages
from dripline.language.extensions import Extensions
from dripline.language.look import Draft, Look, Rule
from dripline.language.naming import every_step, step_ids
from dripline.language.positions import Loc
from dripline.language.problems import Problem, did_you_mean
from dripline.language.steps import DelayStep, DelayUntilStep, Step, WaitForStep
from dripline.language.templates import Templates
from dripline.language.workspace import Workspace

NOTHING = Extensions()
LONGEST_ID = 240
"""Letters that the store has room for."""


def named_like_its_file(look: Look) -> Iterator[Problem]:
    """A journey's id is the name of its file."""
    name = PurePosixPath(look.draft.document.path).name.removesuffix(".yaml")
    if look.journey.journey != name:
        yield look.draft.problem(
            ("journey",),
            "id-not-file-name",
            f"the journey is called `{look.journey.journey}`, its file `{name}.yaml`",
            f"write `journey: {name}`, or rename the file",
        )


def reachable_steps(look: Look) -> Iterator[Problem]:
    """Every step can be reached: none follows an end, no `else` belongs to a wait without a timeout."""
    for loc in look.flow.unreachable:
        if loc[-1] == "else":
            message, hint = "this `else` is never taken: the wait has no `timeout`", "add a `timeout`"
        else:
            message = "this step is never reached: every way before it has ended"
            hint = "remove it, or move it before the `stop`"
        yield look.draft.problem(loc, "unreachable", message, hint, key=loc[-1] == "else")


def unique_ids(look: Look) -> Iterator[Problem]:
    """No two steps of a journey have one id."""
    ids = step_ids(look.journey.steps)
    counts = Counter(ids.values())
    for loc, step in every_step(look.journey.steps):
        if step.id is not None and counts[ids[loc]] > 1:
            yield look.draft.problem(
                (*loc, "id"), "duplicate-id", f"`{step.id}` is the id of two steps", "give each its own"
            )


def short_ids(look: Look) -> Iterator[Problem]:
    """The id of a step, with those of the blocks and ways that it stands in, has at most 240 letters."""
    for loc, id_ in step_ids(look.journey.steps).items():
        if len(id_) > LONGEST_ID:
            message = f"the id of this step has {len(id_)} letters, more than {LONGEST_ID}"
            yield look.draft.problem(loc, "too-large", message, "give it, or what it stands in, a short `id`")


def consented_messages(look: Look) -> Iterator[Problem]:
    """Every message belongs to a subscription topic that a lead can leave, unless the lead asked for it."""
    topics = look.workspace.topics
    default = look.journey.messages.topic
    if default is not None and default not in topics:
        yield _unknown_topic(look, ("messages", "topic"), default)
    for loc, _, message in look.draft.messages():
        if message.topic is not None and message.topic not in topics:
            yield _unknown_topic(look, (*loc, "topic"), message.topic)
        if message.topic is None and default is None and not message.transactional:
            yield look.draft.problem(
                loc,
                "no-topic",
                "this message belongs to no topic that a lead can leave",
                "write `messages: {topic: …}` in the journey, or `transactional: true` if the lead asked for it",
            )


def _unknown_topic(look: Look, loc: Loc, name: str) -> Problem:
    hint = did_you_mean(name, look.workspace.topics) or "declare it under `topics` in dripline.yaml"
    return look.draft.problem(loc, "unknown-topic", f"no topic `{name}` is declared", hint)


def known_senders(look: Look) -> Iterator[Problem]:
    """Every message has a sender that dripline.yaml declares."""
    senders = look.workspace.senders
    for loc, channel, message in look.sent:
        if message.from_ is not None and message.from_ not in senders:
            hint = did_you_mean(message.from_, senders) or "declare it under `senders` in dripline.yaml"
            yield look.draft.problem(
                (*loc, "from"), "unknown-sender", f"no sender `{message.from_}` is declared", hint
            )
        elif message.from_ is None and channel not in senders:
            yield look.draft.problem(
                loc,
                "no-sender",
                f"nobody is declared whom `{channel}` messages come from",
                f"declare `{channel}` under `senders` in dripline.yaml",
            )


def used_timeouts(look: Look) -> Iterator[Problem]:
    """A timeout makes a difference: the journey does something else when the time is up."""
    for loc, step in every_step(look.journey.steps):
        if isinstance(step, WaitForStep) and step.ends and _same_way(step):
            yield look.draft.warning(
                (*loc, "timeout" if step.length is not None else "until"),
                "unused-timeout",
                "nothing depends on whether the event came",
                "add `then` or `else`, or use `delay`",
            )


def _same_way(step: WaitForStep) -> bool:
    return step.then is None and step.else_ is None and step.as_ is None


def no_delay_before_now(look: Look) -> Iterator[Problem]:
    """No wait that counts from now stands behind a delay: what happened meanwhile would be missed."""
    previous: tuple[Loc, Step] | None = None
    for loc, step in every_step(look.journey.steps):
        follows = (
            previous is not None
            and previous[0][:-1] == loc[:-1]
            and isinstance(previous[1], (DelayStep, DelayUntilStep))
        )
        if follows and isinstance(step, WaitForStep) and step.counts_since == "now":
            yield look.draft.warning(
                (*loc, "since"),
                "misses-events",
                "events that come during the delay before this do not count",
                "remove `since: now`",
            )
        previous = (loc, step)


def way_out(look: Look) -> Iterator[Problem]:
    """A journey that waits without end has a goal or an exit."""
    if look.journey.goal is None and not look.journey.exit:
        for loc, step in every_step(look.journey.steps):
            if isinstance(step, WaitForStep) and not step.ends:
                yield look.draft.warning(
                    (*loc, "wait_for"),
                    "no-way-out",
                    "a lead may wait here for ever: the journey has neither goal nor exit",
                    "add a `timeout`, a `goal` or an `exit`",
                )


def check_journey(
    draft: Draft,
    workspace: Workspace,
    templates: Templates,
    extensions: Extensions = NOTHING,
    journeys: frozenset[str] = frozenset(),
) -> list[Problem]:
    """Everything that is wrong in a journey of the right form, its templates included."""
    look = Look(draft, workspace, templates, extensions, journeys)
    rules = [rule for rule in RULES if not draft.mended or rule not in _OF_WHOLE]
    problems = [problem for rule in rules for problem in rule(look)]
    # Where a part had to be left out, what hangs on it would be told falsely.
    return problems if draft.complete else [problem for problem in problems if problem.code in _LOCAL]


_LOCAL = frozenset(
    {
        "unknown-event",
        "not-tracked",
        "unknown-attribute",
        "unknown-topic",
        "unknown-sender",
        "missing-template",
        "missing-locale",
        "missing-subject",
        "unknown-journey",
        "percents",
        "endless-loop",
    }
)
"""Problems that stand by themselves, whatever else a journey says."""
RULES: tuple[Rule, ...] = (
    named_like_its_file,
    declared_events,
    reachable_steps,
    unique_ids,
    short_ids,
    known_names,
    consented_messages,
    known_senders,
    existing_templates,
    subjects_of_emails,
    filled_templates,
    sound_links,
    sound_links_in_subjects,
    addressed_emails,
    fitting_values,
    fitting_templates,
    open_hours,
    waits_for_places,
    dated_waits,
    later_steps,
    steps_counted_from,
    known_key,
    known_audience,
    known_date,
    whole_splits,
    ending_loops,
    known_changes,
    known_journeys,
    used_timeouts,
    no_delay_before_now,
    way_out,
    living_branches,
    timely_messages,
    fitting_senders,
    short_texts,
    calm_own_subjects,
    sendable_messages,
    emitted_events,
    tracked_events,
    sent_before,
    sure_signs,
    own_goals,
    known_functions,
    whole_bodies,
    sound_amounts,
    bounded_discounts,
    known_budgets,
    minded_lacks,
    named_discounts,
    kept_promises,
    known_programs,
    asked_in_place,
    known_people,
    sound_notices,
    known_surveys,
    answerable_surveys,
    known_hands,
)
"""Every rule, in the order in which they are told."""
_OF_WHOLE: tuple[Rule, ...] = (living_branches, sendable_messages, emitted_events, timely_messages)
"""Rules about how conditions go together: where one had to be mended, they would tell of what nobody wrote."""
