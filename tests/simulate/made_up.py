"""Journeys that nobody would write, of nearly all that can be written, and what happens to a lead in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from dripline.language.plan import Plan
from tests.publishing.journeys import delay, email, journey, wait

Steps = list[dict[str, Any]]
Happening = tuple[int, str, int]
"""Hours after the start, an event, and a number for what it says."""

EVENTS = ("demo.booked", "order.paid")
_LENGTHS = st.sampled_from(["30 min", "1 hour", "1 day", "2 days", "1 week", "1 month"])
_CONDITIONS = st.sampled_from(
    [
        "lead.vip",
        "event.seats > 4",
        "lead.score > 5",
        "seen",
        "'new' in lead.tags",
        "event.total / 0 > 1",
        "lead.stage",
    ]
)
_POLICIES = (
    ("quiet_hours", st.sampled_from(["21:00-09:00", "00:00-06:30"])),
    ("window", st.sampled_from(["mon-fri 09:00-18:00", "sat-sun 12:00-13:00"])),
    ("limit", st.sampled_from(["1 per day", "2 per 7 days", "1 per 30 days"])),
    ("expires", st.sampled_from(["1 hour", "3 days"])),
)


@st.composite
def _message(draw: DrawFn) -> dict[str, Any]:
    own: dict[str, Any] = {key: draw(value) for key, value in _POLICIES if draw(st.integers(0, 3)) == 0}
    if "limit" in own and draw(st.booleans()):
        own["on_limit"] = draw(st.sampled_from(["wait 6 hours", "wait 3 days"]))
    if draw(st.integers(0, 5)) == 0:
        own = {"transactional": True}
    return email(draw(st.sampled_from("abcde")), **own)


@st.composite
def _moment(draw: DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"delay_until": draw(st.sampled_from(["09:00", "02:30", "monday 10:00", "sunday 00:00"]))}
    rules = st.sampled_from(["continue", "exit"])
    date = {"date": "lead.trial_ends_at", "offset": draw(st.sampled_from(["-3 days", "1 hour"]))}
    return {"delay_until": {**date, "if_missing": draw(rules), "if_past": draw(rules)}}


_NAMES = st.sampled_from(EVENTS)
_VERBS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    _message(),
    _message(),
    _message(),
    st.builds(delay, _LENGTHS),
    _moment(),
    st.builds(wait, _NAMES, _LENGTHS, since=st.sampled_from(["now", "start", "2 days"])),
    st.builds(wait, _NAMES, _LENGTHS, when=st.sampled_from(["event.seats > 4", "event.total"])),
    st.just({"discount": {"percent": 10, "valid": "3 days"}, "as": "offer"}),
    st.just({"set": {"seen": "event.seats"}}),
    st.just({"update": {"score": {"add": "3"}, "tags": {"add": ["new"]}}}),
    st.just({"update": {"stage": "customer"}}),
    st.just({"stop": "enough"}),
)
_ONE_IN_FIVE = st.integers(0, 4)


@st.composite
def _leaf(draw: DrawFn) -> dict[str, Any]:
    step = dict(draw(_VERBS))
    if draw(_ONE_IN_FIVE) == 0:
        step["if"] = draw(_CONDITIONS)
    elif "stop" in step:
        step["if"] = "lead.vip"
    return step


@st.composite
def _step(draw: DrawFn, depth: int = 2) -> Any:
    what = draw(st.integers(0, 9)) if depth else 9
    if what > 3:
        leaf: dict[str, Any] = draw(_leaf())
        return leaf
    inner = st.lists(_step(depth=depth - 1), min_size=1, max_size=3)
    match what:
        case 0:
            arms: list[dict[str, Any]] = [{"when": draw(_CONDITIONS), "steps": draw(inner)}]
            if draw(st.booleans()):
                arms.append({"else": draw(inner)})
            return {"branch": arms}
        case 1:
            return wait(
                draw(st.sampled_from(EVENTS)), draw(_LENGTHS), then=draw(inner), **{"else": draw(inner)}
            )
        case 2:
            times = draw(st.integers(1, 3))
            return {"repeat": {"every": draw(_LENGTHS), "times": times, "steps": draw(inner)}}
        case _:
            return {
                "split": [
                    {"percent": 30, "name": "one", "steps": draw(inner)},
                    {"percent": 70, "name": "two", "steps": draw(inner)},
                ]
            }


@st.composite
def journeys(draw: DrawFn, name: str = "made-up", throttled: bool = True) -> Plan:
    """A journey with policies, a goal and exits. A throttle counts the messages of all leads."""
    policy = {key: draw(value) for key, value in _POLICIES[:3] if draw(st.integers(0, 2)) == 0}
    more: dict[str, Any] = {"topic": "newsletter", **policy}
    if draw(st.integers(0, 3)) == 0:
        more["holdout"] = "40%"
    if throttled and draw(st.integers(0, 3)) == 0:
        more["throttle"] = "2 per hour"
    said: dict[str, Any] = {
        "journey": name,
        "trigger": {"event": "lead.created"},
        "messages": more,
        "exit": [{"event": "lead.unsubscribed"}, {"event": "lead.updated", "when": "lead.score > 8"}],
        "priority": draw(st.integers(0, 100)),
    }
    if draw(st.booleans()):
        said["trigger"] = {
            "event": ["lead.created", "order.paid"],
            "reentry": draw(st.sampled_from(["always", "after 3 days"])),
        }
    if draw(st.booleans()):
        said["goal"] = {
            "event": "order.paid",
            "when": "event.total > 20",
            "value": "event.total",
            "within": "20 days",
        }
    return journey(*draw(st.lists(_step(), min_size=1, max_size=6)), **said)


@st.composite
def happenings(draw: DrawFn) -> list[Happening]:
    """Events of a lead, some at the instants at which waits end."""
    hours = st.one_of(st.integers(0, 24 * 40), st.sampled_from([0, 1, 24, 48, 72, 168]))
    names = st.sampled_from([*EVENTS, *EVENTS, "lead.unsubscribed", "consent withdrawn", "vip"])
    return sorted(
        draw(st.lists(st.tuples(hours, names, st.integers(2, 7)), max_size=8)), key=lambda one: one[0]
    )
