"""No crash loses or doubles anything. `make test-crash` is the long form; CI runs a shorter one."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.crash.storm import say, storm

LONG = os.environ.get("DRIPLINE_CRASH_TEST") == "long"
SEED = int(os.environ.get("DRIPLINE_CRASH_SEED") or random.SystemRandom().randrange(10**6))
SIZE = {"count": 1000, "kills": 36, "seconds": 120.0} if LONG else {"count": 60, "kills": 6, "seconds": 12.0}

pytestmark = [pytest.mark.crash, pytest.mark.temporal, pytest.mark.timeout(900)]


POSTGRES = pytest.mark.postgres
EVERY = [
    pytest.param("sqlite", True, id="sqlite-webhooks"),
    pytest.param("postgres", False, id="postgres-no-webhooks", marks=POSTGRES),
    pytest.param("sqlite", False, id="sqlite-no-webhooks"),
    pytest.param("postgres", True, id="postgres-webhooks", marks=POSTGRES),
]
"""Each database and each way of the providers; the first two have each of them once."""


@pytest.mark.parametrize(("store_url", "webhooks"), EVERY if LONG else EVERY[:2], indirect=["store_url"])
def test_no_crash_loses_or_doubles_a_message(store_url: str, tmp_path: Path, webhooks: bool) -> None:
    account = storm(tmp_path, store_url, webhooks=webhooks, seed=SEED, **SIZE)  # type: ignore[arg-type]
    say(str(account))
    assert not account.doubled
    assert not account.lost
    assert not account.unknown
    assert not account.wrong
    if webhooks:
        assert not account.held
