"""The lines of a run's log, in the words of people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from dripline.language.labels import say_outside
from dripline.language.plan import (
    CallStep,
    DelayStep,
    DelayUntilStep,
    DiscountStep,
    Plan,
    WaitForStep,
    WebhookStep,
)
from dripline.language.tracking import MESSAGE_EVENTS
from dripline.story.lines import Detail, Line, say_time
from dripline.story.products import recommended_said


def describe(
    what: str, step: str | None, detail: Mapping[str, Any], where: tzinfo, plan: Plan | None = None
) -> str:
    """A line of a run's log, in words. One that is not known is told as it stands.

    `plan` is the run's: it knows what stands at a step; where it does not, the step is named by its id.
    """
    words = _WORDS.get(what)
    if words is not None:
        return words(Line(step or "?", Detail(detail), where, plan))
    rest = ", ".join(f"{name}: {value_said(value)}" for name, value in detail.items() if value is not None)
    return " ".join(part for part in (what, step, f"({rest})" if rest else "") if part)


_Words = Callable[[Line], str]


def _waits(line: Line) -> str:
    events = line.detail.get("events") or ([line.detail["event"]] if line.detail.get("event") else [])
    until = line.detail.get("until")
    return line.waits(datetime.fromisoformat(until) if until else None, events)


def _woke(line: Line) -> str:
    waiting = DelayStep | DelayUntilStep | WaitForStep
    return f"{line.name} is over" if isinstance(line.step, waiting) else f"the wait at {line.name} is over"


def _timeout(line: Line) -> str:
    events = line.detail.get("events")
    return f"{' or '.join(events)} did not come in time" if events else "nothing came in time"


def _ended(line: Line) -> str:
    reason = line.detail.get("reason")
    return f"the run ends, {line.detail['outcome']}" + (f": {reason}" if reason else "")


def _branch(line: Line) -> str:
    arm, when = line.detail.get("arm"), line.detail.get("when")
    if arm is None:
        return "no arm holds: goes on"
    because = "nothing before it holds" if when in (None, "else") else f"{when} holds"
    return f"takes arm {arm}: {because}"


def _asks(line: Line) -> str:
    if isinstance(line.step, WebhookStep | CallStep):
        whom = say_outside(line.step)
    elif isinstance(line.step, DiscountStep):
        whom = f"the shop {line.step.shop} for a code"
    else:
        whom = "another system" if line.detail["kind"] == "webhook" else f"the function {line.detail['of']}"
    return f"asks {whom}, and waits for the answer"


def _answered(line: Line) -> str:
    status = f" ({line.detail['status']})" if line.detail.get("status") else ""
    if line.detail.get("ok"):
        return f"the answer came{status}"
    return f"no good answer came{status}: {line.detail['reason']}"


def _goal(line: Line) -> str:
    value = line.detail.get("value")
    worth = f", worth {value_said(value)}" if value is not None else ""
    return f"goal reached by {line.detail['event']}{worth}"


def _entered(line: Line) -> str:
    return "enters the journey" + (f" by {line.detail['event']}" if line.detail.get("event") else "")


def _if_false(line: Line) -> str:
    condition = line.detail.get("if")
    return f"passes over {line.name}" + (f": {condition} does not hold" if condition else "")


def _held(line: Line) -> str:
    until = line.detail.get("until")
    if until is None:
        return f"holds {line.place} for a person to look at: {line.detail['reason']}"
    return f"holds {line.name} until {say_time(datetime.fromisoformat(until), line.where)}: {line.detail['reason']}"


def _no_wait(line: Line) -> str:
    to = line.detail.get("to")
    does = {"exit": "ends the run", "skip": f"skips to {line.named(str(to))}"}.get(
        line.detail["do"], "goes on"
    )
    return f"does not wait, {line.detail['reason']}: {does}"


def _issued(line: Line) -> str:
    what = line.name if isinstance(line.step, DiscountStep) else "a discount"
    expires = line.detail.get("expires_on")
    return f"issues {what}" + (f", valid to {expires}" if expires else "")


def _refers(line: Line) -> str:
    reason = line.detail.get("reason")
    return f"gives no link for friends: {reason}" if reason else f"gives {line.name}"


def _pass(line: Line) -> str:
    of = line.detail.get("of")
    return f"begins pass {line.detail['pass']}" + (f" of {of}" if of else "")


def _updated(line: Line) -> str:
    changed = line.detail.get("changed")
    return f"changes {value_said(changed)}" if changed else "changes nothing of the lead: it is so already"


def _assigned(line: Line) -> str:
    how = line.detail["how"]
    how = {"kept": "keeps", "named": "gets"}.get(how, f"gets, {how}")
    return f"{line.detail['person']} {how} the lead{_why(line)}"


def _why(line: Line) -> str:
    return f": {line.detail['reason']}" if line.detail.get("reason") else ""


def _task(line: Line) -> str:
    due = line.detail.get("due_at")
    by = f", due {say_time(datetime.fromisoformat(due), line.where)}" if due else ""
    return f"a task for {line.detail.get('person') or 'nobody in particular'}: {line.detail['title']}{by}"


def _enrolled(line: Line) -> str:
    journey, reason = line.detail["journey"], line.detail.get("reason")
    return f"does not enter {journey}: {reason}" if reason else f"enters {journey} as well"


def _unenrolled(line: Line) -> str:
    return f"leaves {line.detail['journey']}" + ("" if line.detail.get("ended") else ": it was not in it")


def _moved(line: Line) -> str:
    because = f": {line.detail['why']}" if line.detail.get("why") else ""
    until = line.detail.get("until")
    there = "stays at" if line.detail.get("from") == line.id else "goes on at"
    wait = f", until {say_time(datetime.fromisoformat(until), line.where)}" if until else ""
    return f"the journey was changed, {there} {line.place}{wait}{because}"


def _put(line: Line) -> str:
    return f"is put at {line.place}, from {line.named(str(line.detail['from']))}{_by(line)}"


def _by(line: Line) -> str:
    return f" by {line.detail['by']}" + (f": {line.detail['why']}" if line.detail.get("why") else "")


_WORDS: Mapping[str, _Words] = {
    "split": lambda line: f"goes the way {line.detail['arm']}, by lot",
    "set": lambda line: f"sets {value_said(line.detail['names'])}",
    "included": lambda line: (
        f"asks the {line.detail['block']}"
        if str(line.detail["block"]).startswith("survey ")
        else f"begins the block {line.detail['block']}"
    ),
    "pass": _pass,
    "loop-over": lambda line: (
        f"repeats no more after {line.detail['passes']} passes: {line.detail['because']}"
    ),
    "updated": _updated,
    "assigned": _assigned,
    "not-assigned": lambda line: f"gives the lead to nobody{_why(line)}",
    "task": _task,
    "no-task": lambda line: f"sets no task: {line.detail['reason']}",
    "enrolled": _enrolled,
    "unenrolled": _unenrolled,
    "entered": _entered,
    "queued": lambda line: f"queues {line.name}{recommended_said(line.detail.get('recommended'))}",
    "skipped": lambda line: f"does not send {line.name}: {line.detail['reason']}",
    "held": _held,
    "held-out": lambda _line: "is of the control group, as the person was under another name",
    "held-in": lambda _line: "is not of the control group any more: the merge was taken back",
    "holdout": lambda line: f"is of the control group ({value_said(line.detail['percent'])}%)",
    "no-wait": _no_wait,
    "parked": lambda line: f"stops at {line.place} for a person to look at: {line.detail['reason']}",
    "released": lambda line: f"lets {line.name} be sent after all",
    "retried": lambda line: f"tries {line.place} again",
    "waits": _waits,
    "woke": _woke,
    "timeout": _timeout,
    "accepted": lambda line: f"{line.detail['event']} ends the wait",
    "branch": _branch,
    "if-false": _if_false,
    "asks": _asks,
    "answered": _answered,
    "survey-not-asked": lambda line: f"does not wait: {line.detail['survey']} was not asked",
    "not-asked": lambda line: f"does not ask: {line.detail['reason']}",
    "issued": _issued,
    "refers": _refers,
    "not-issued": lambda line: f"issues no discount: {line.detail['reason']}",
    "notifies": lambda line: f"tells {line.detail['to']} about it",
    "reminds": lambda line: f"keeps in touch, time {line.detail['number']} ({line.detail['about']})",
    "day-came": lambda line: f"the day has come: {line.detail['about']}",
    "no-day": lambda line: f"passes over {line.name}: there is no date",
    "filter-failed": lambda line: (
        f"cannot tell whether {line.detail['event']} counts at {line.place}:"
        f" {line.detail['when']} ({line.detail['reason']})"
    ),
    "no-such-letter": lambda line: str(line.detail["reason"]),
    "goal": _goal,
    "exit": lambda line: f"leaves by {line.detail['event']}: {line.detail['reason']}",
    "ended": _ended,
    "moved": _moved,
    "thawed": lambda line: f"the journey goes on after its pause: {_waits(line)}",
    "put": _put,
    "passed-over": lambda line: f"passes over {line.named(str(line.detail['from']))}{_by(line)}",
}


_HIDDEN = ("message", "run", "journey", "step")


def event_said(name: str, properties: Mapping[str, Any]) -> str:
    """An event as people write it; of one about a message the template is enough to tell which."""
    order = [*MESSAGE_EVENTS.get(name, ()), *properties]  # PostgreSQL keeps another
    hidden = _HIDDEN if name in MESSAGE_EVENTS and "template" in properties else ()
    shown = [
        key for key in dict.fromkeys(order) if key not in hidden and properties.get(key) not in (None, [], {})
    ]
    said = ", ".join(f"{key}: {value_said(properties[key])}" for key in shown)
    return f"event {name}" + (f" ({said})" if said else "")


def value_said(value: Any) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(value_said(item) for item in value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {value_said(item)}" for name, item in value.items()) + "}"
    return str(value)
