"""Whether messages can be sent under the policy that they are under."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.changing import SetStep, UpdateStep
from dripline.language.look import Look
from dripline.language.naming import blocks, every_step
from dripline.language.people import AssignStep, TaskStep
from dripline.language.plan import Duration
from dripline.language.policies import DAY, WEEK, minutes_of, quiet_hours, window
from dripline.language.positions import Loc
from dripline.language.problems import Problem
from dripline.language.steps import (
    DelayUntilStep,
    DiscountStep,
    EmailStep,
    MessageArguments,
    NotifyStep,
    ReferralStep,
    SmsStep,
    Steps,
)

_AT_ONCE = (DiscountStep, ReferralStep, AssignStep, TaskStep, NotifyStep, SetStep, UpdateStep)


def timely_messages(look: Look) -> Iterator[Problem]:
    """No message is due at a time of day from which on it cannot go before it expires."""
    yield from _timely(look, look.journey.steps, ("steps",))
    for loc, step in every_step(look.journey.steps):
        for where, steps, _ in blocks(loc, step):
            yield from _timely(look, steps, where)


def _timely(look: Look, steps: Steps, loc: Loc) -> Iterator[Problem]:
    due: set[int] = set()
    for number, step in enumerate(steps):
        if isinstance(step, DelayUntilStep):
            due = _moments(step) if step.if_ is None else set()
        elif isinstance(step, (EmailStep, SmsStep)):
            verb = "email" if isinstance(step, EmailStep) else "sms"
            message = step.message
            if due and message.expires is not None and _too_late(look, message, due):
                told = "this is never sent: it is due outside its hours, and expires before they begin"
                hint = "change the time before it, its hours, or `expires`"
                yield look.draft.warning((*loc, number, verb, "expires"), "never-sent", told, hint)
            held = quiet_hours(look.journey, look.workspace, message) or window(
                look.journey, look.workspace, message
            )
            due = set() if held else due
        elif not isinstance(step, _AT_ONCE):
            due = set()


def _moments(step: DelayUntilStep) -> set[int]:
    """The minutes of the week at which the run surely goes on; none where that is not known."""
    said = step.delay_until
    at = 9 * 60 if said.at is None and said.date is None else said.at
    goes_on = [rule is None or rule.do == "continue" for rule in (said.if_missing, said.if_past)]
    if at is None or (said.date is not None and any(goes_on)):
        return set()
    return {day * DAY + at for day in (said.weekday or range(7))}


def _too_late(look: Look, message: MessageArguments, due: set[int]) -> bool:
    quiet = quiet_hours(look.journey, look.workspace, message)
    only = window(look.journey, look.workspace, message)
    open_ = minutes_of(only) if only else set(range(WEEK))
    open_ -= minutes_of((quiet,)) if quiet else set()
    patience = _minutes(message.expires or Duration())
    return bool(open_) and all(_wait(minute, open_) > patience for minute in due)


def _wait(minute: int, open_: set[int]) -> int:
    return next(ahead for ahead in range(WEEK + 1) if (minute + ahead) % WEEK in open_)


def _minutes(duration: Duration) -> float:
    return (duration.months * 31 + duration.days) * DAY + duration.seconds / 60


def fitting_senders(look: Look) -> Iterator[Problem]:
    """An e-mail comes from an e-mail address, an SMS from a number or a short name."""
    for loc, channel, message in look.sent:
        name = message.from_ or channel
        sender = look.workspace.senders.get(name)
        if sender is None or ("@" in sender.address) == (channel == "email"):
            continue
        what = "no e-mail address" if channel == "email" else "an e-mail address"
        told = f"the sender `{name}` has {what}: this can never be sent"
        where, key = ((*loc, "from"), False) if message.from_ is not None else (loc, True)
        hint = "name another sender, or change its address in dripline.yaml"
        yield look.draft.problem(where, "wrong-sender", told, hint, key=key)
