"""A campaign over thousands of leads while events come in, its worker killed in the middle: each has one run and mail.

How long events wait meanwhile is measured by `make bench-campaign`, which this is the short form of.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.campaign import FLAT, campaign
from bench.programs import Installation
from tests.crash.storm import say

LEADS = 20_000 if os.environ.get("DRIPLINE_CRASH_TEST") == "long" else 3_000
EVENTS = 24

pytestmark = [pytest.mark.crash, pytest.mark.temporal, pytest.mark.timeout(1800)]


def test_a_campaign_lets_everybody_in_once_though_its_worker_is_killed(tmp_path: Path) -> None:
    with Installation(tmp_path, beside=False) as at:
        found = campaign(at, LEADS, EVENTS, kill=True)
    say(f"{found.leads} leads in {found.seconds:.0f} s, {found.slower:.2f} times as slow beside it")
    assert LEADS // 2 <= found.killed_at < LEADS
    assert (found.entered_once, found.doubled, found.lost, found.mailed_once) == (LEADS, 0, 0, LEADS)
    assert found.memory_late < FLAT * found.memory_early
