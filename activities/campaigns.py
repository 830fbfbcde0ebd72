"""`move_campaign` and `start_occasions`: letting audiences in, and seeing that it is time to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from temporalio import activity

from activities.failures import coded
from dripline.clock import MachineClock, machine_clock
from dripline.ingest.campaigns.moving import Mover
from dripline.ingest.campaigns.occasions import Occasions
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.store.wakes import Wake, wakes_done
from dripline.wire import CampaignRef, CampaignStanding

Starting = Callable[[Sequence[Wake]], list[Wake]]
"""Starts the workflows of runs at once, and says which were started; the waker comes to the others."""


def nobody(_runs: Sequence[Wake]) -> list[Wake]:
    """Leaves all of them to the waker."""
    return []


class Campaigns:
    """What the workflows `Campaign` and `Occasion` ask for."""

    def __init__(
        self,
        store: Store,
        workspace: Workspace,
        start: Starting = nobody,
        clock: MachineClock = machine_clock,
    ) -> None:
        self._store = store
        self._mover = Mover(store, workspace, clock, self._start)
        self._start_runs = start
        self._occasions = Occasions(store, clock)

    @activity.defn(name="move_campaign")
    @coded
    def move(self, ref: CampaignRef) -> CampaignStanding:
        """Move it on for some seconds."""
        moved = self._mover.move(ref.campaign)
        return CampaignStanding(moved.over, moved.rest)

    def _start(self, runs: Sequence[Wake]) -> None:
        started = self._start_runs(runs)
        if started:
            with self._store.write() as connection:
                wakes_done(connection, started)

    @activity.defn(name="start_occasions")
    @coded
    def start_occasions(self) -> int:
        """Start the campaigns of schedules that have come round; how many."""
        return self._occasions.start_due()
