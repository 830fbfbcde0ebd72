"""The score of a made-up lead: by the same rules as in the store, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dripline.engine.effects import Event
from dripline.engine.scoring import Given, awarded, fit_of, reckon
from dripline.language.scoring import CHANGING, WARMTHS, Scoring
from dripline.simulate.state import State

Told = tuple[str, Mapping[str, Any]]
"""An event that follows: its name and its properties."""


class Scores:
    """Keeps the lead's points. Where the workspace scores no leads it does nothing."""

    def __init__(self, state: State) -> None:
        self._state = state
        if state.scoring is not None:
            if state.lead.get("score"):
                self.set("scenario", float(state.lead["score"]), state.now)
            self._reckon(state.scoring, state.now)

    @property
    def due(self) -> datetime | None:
        """When age alone changes the score."""
        return self._state.rescore_at

    def follow(self, event: Event) -> list[Told]:
        """Give the points of an event; what is to be told of it."""
        scoring = self._state.scoring
        if scoring is None:
            return []
        at = event.received_at
        given = awarded(scoring, self._state.lead, event, at, self._counted)
        self._state.points += given
        return self._reckon(scoring, at) if given or event.name in CHANGING else []

    def add(self, by: str, points: float, at: datetime) -> bool:
        """Give points that do not age; False where leads are not scored."""
        if self._state.scoring is None:
            return False
        self._state.points.append(Given(by, points, at))
        return True

    def set(self, by: str, score: float, at: datetime) -> bool:
        """Let the score be that, whatever gave points before; False where leads are not scored."""
        scoring = self._state.scoring
        if scoring is None:
            return False
        self._state.points = [Given(by, score - fit_of(scoring, self._state.lead, at), at)]
        return True

    def age(self) -> list[Told]:
        """Reckon the score anew if its time has come; what is to be told of it."""
        scoring, due = self._state.scoring, self._state.rescore_at
        if scoring is None or due is None or due > self._state.now:
            return []
        return self._reckon(scoring, self._state.now)

    def _reckon(self, scoring: Scoring, at: datetime) -> list[Told]:
        state = self._state
        before = state.lead.get("warmth")
        scored = reckon(scoring, state.points, state.lead, at, before)
        values = {"score": scored.score, "grade": scored.grade, "warmth": scored.warmth}
        state.lead = {**state.lead, **values}
        state.rescore_at = scored.until
        if scored.warmth == (before or "cold"):
            return []
        warmer = WARMTHS.index(scored.warmth) > WARMTHS.index(before or "cold")
        said = {
            "before": before or "cold",
            "after": scored.warmth,
            "score": scored.score,
            "grade": scored.grade,
        }
        properties = {name: value for name, value in said.items() if value is not None}
        return [("lead.warmed" if warmer else "lead.cooled", properties)]

    def _counted(self, rule: str, since: datetime) -> int:
        return sum(one.rule == rule and one.at > since for one in self._state.points)


__all__ = ["Scores"]
