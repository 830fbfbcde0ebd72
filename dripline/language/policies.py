"""Under which policy each message goes: what a step says, else the journey, else the workspace."""

from __future__ import annotations

from dripline.language.model import Journey
from dripline.language.plan import Duration, Hours
from dripline.language.steps import MessageArguments
from dripline.language.workspace import Workspace

DAY = 1_440
"""Minutes."""
WEEK = 7 * DAY


def quiet_hours(journey: Journey, workspace: Workspace, message: MessageArguments) -> Hours | None:
    """The hours in which it does not go."""
    said = message.quiet_hours
    if said is None and not message.transactional:
        said = journey.messages.quiet_hours or workspace.quiet_hours
    return said if isinstance(said, Hours) else None


def window(journey: Journey, workspace: Workspace, message: MessageArguments) -> tuple[Hours, ...] | None:
    """The only hours in which it goes."""
    said = message.window
    if said is None and not message.transactional:
        said = journey.messages.window
    return said if isinstance(said, tuple) else None


def may_be_held(journey: Journey, workspace: Workspace, message: MessageArguments) -> bool:
    """Whether time may pass before it goes."""
    defaults = journey.messages
    on_limit = message.on_limit or (None if message.transactional else defaults.on_limit)
    throttled = defaults.throttle is not None and not message.transactional
    hours = quiet_hours(journey, workspace, message) or window(journey, workspace, message)
    return hours is not None or throttled or isinstance(on_limit, Duration)


def minutes_of(hours: tuple[Hours, ...]) -> set[int]:
    """The minutes of the week that they cover."""
    return {
        (day * DAY + minute) % WEEK
        for one in hours
        for day in one.days
        for minute in range(one.start, one.end if one.end > one.start else one.end + DAY)
    }
