"""Histories recorded by every release replay on today's workflow."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.durable.recording import HISTORIES, campaign_shapes, shapes
from workflows.campaign import Campaign, Occasion
from workflows.journey import JourneyRun
from workflows.sweep import Sweep

RECORDED = sorted(HISTORIES.glob("*/*.json"))


def test_a_history_of_every_shape_is_recorded() -> None:
    assert {path.stem for path in RECORDED} >= {*shapes(), *campaign_shapes()}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_recorded_history_replays(path: Path) -> None:
    history = WorkflowHistory.from_json(f"welcome/{path.stem}", path.read_text())
    assert len(history.events) < 100
    await Replayer(workflows=[JourneyRun, Sweep, Campaign, Occasion]).replay_workflow(history)
