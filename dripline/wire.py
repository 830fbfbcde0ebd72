"""What crosses between the store's side and Temporal: ids, step names and times. Imported by workflows.

Its annotations are types, not text: Temporal's converter asks for them at each value, and would read them anew.
"""

from dataclasses import dataclass, field

JOURNEYS = "journeys"
"""Task queue of the workflows."""
TURNS = "turns"
"""Task queue of turns that the local attempts could not take."""
EFFECTS = "effects"
"""Task queue of what steps want done outside the process, messages apart."""
CAMPAIGNS = "campaigns"
"""Task queue of what lets audiences in."""
SWEEP = "sweep"
"""Id of the schedule that sweeps."""


@dataclass(frozen=True)
class RunRef:
    """Argument of the workflow `JourneyRun`. `seen` is the turn number that the one before it saw last."""

    run: str
    seen: int = 0


@dataclass(frozen=True)
class AdvanceRequest:
    """Ask for the turn after `seen`. `now` is Temporal's time, in seconds since the epoch."""

    run: str
    seen: int
    now: float


@dataclass(frozen=True)
class Delivery:
    """One message to deliver. `local` allows a first attempt in the worker that took the turn."""

    message: str
    queue: str
    journey: str
    priority: int
    local: bool


@dataclass(frozen=True)
class Standing:
    """Where a run is after turn number `turn`: rest until `until` (seconds since the epoch, Temporal's time)."""

    turn: int
    ended: bool
    until: float | None = None
    step: str | None = None
    deliver: list[Delivery] = field(default_factory=list)


@dataclass(frozen=True)
class CampaignRef:
    """Argument of the workflow `Campaign`."""

    campaign: str


@dataclass(frozen=True)
class CampaignStanding:
    """Where a campaign is: `over`, or to be moved again in so many seconds (Temporal's time)."""

    over: bool
    rest: float = 0.0


def workflow_id(journey: str, run: str) -> str:
    """The id of a run's workflow."""
    return f"{journey}/{run}"


def campaign_workflow_id(campaign: str) -> str:
    """The id of a campaign's workflow."""
    return f"campaign/{campaign}"
