"""The repository's own journey `welcome` for 200 leads and 1,000 events, over HTTP, with every process there is."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from dripline.cli import app
from dripline.language.labels import CHANNELS
from dripline.store.schema import events, leads, messages, runs
from tests.conftest import DATABASES, migrated_store
from tests.crash.exposed import addresses_in, everything_on_temporal, personal_data_in, readable
from tests.crash.guests import FATES, Guest, guests
from tests.crash.party import EVENTS, Party, Told
from tests.crash.stack import ROOT, Stack
from tests.sink import Sink

LONG = os.environ.get("DRIPLINE_CRASH_TEST") == "long"
"""Else on PostgreSQL alone: test_six_journeys has this journey on SQLite."""
DAY = timedelta(seconds=4)
SEED = 2026

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Welcomed:
    """Everything after the last run has ended; the stack is still up."""

    everyone: list[Guest]
    told: Told
    sink: Sink
    stack: Stack


def workspace(folder: Path) -> Path:
    """The repository's own without its other journeys, which the same events would begin."""
    shutil.copytree(ROOT / "templates", folder / "templates")
    (folder / "journeys").mkdir()
    for name in ("dripline.yaml", "products.yaml", "journeys/welcome.yaml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module", params=DATABASES if LONG else DATABASES[1:])
def welcomed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Welcomed]:
    folder = tmp_path_factory.mktemp("welcome")
    everyone = guests(200, SEED)
    for url in migrated_store(request, folder):
        place = workspace(folder / "workspace")
        with Sink() as sink, Stack(folder, url, sink, workspace=place, day=DAY) as stack:
            told = Party(stack.url, stack.store, everyone, SEED).take_place(patience=150)
            yield Welcomed(everyone, told, sink, stack)


# -- exactly the expected messages ---------------------------------------------------------------------------


def test_everybody_did_what_they_did_in_time(welcomed: Welcomed) -> None:
    """Without this the rest says nothing: on a machine too slow for such short days leads come too late."""
    query = select(leads.c.external_id, runs.c.started_at).join(leads, leads.c.id == runs.c.lead_id)
    with welcomed.stack.store.read() as connection:
        started = {row.external_id: row.started_at for row in connection.execute(query)}
        received = {row.id: row.received_at for row in connection.execute(select(events))}
    in_time = [(guest, event) for guest, act, event in welcomed.told.acts if event and act.when != "ended"]
    late = [
        event
        for guest, event in in_time
        if guest.fate.outcome and received[event] >= started[guest.external_id] + timedelta(days=5)
    ]
    assert not late


def test_each_lead_gets_its_messages_and_nobody_anything_else(welcomed: Welcomed) -> None:
    expected = Counter(arrival for guest in welcomed.everyone for arrival in guest.arrivals())
    taken = Counter((one.to, one.subject or one.text) for one in welcomed.sink.accepted)
    assert taken == expected
    assert not welcomed.sink.doubled()
    assert len(expected) > 250


def test_the_texts_are_in_each_lead_s_language_and_name_nobody_else(welcomed: Welcomed) -> None:
    by_address = {guest.email: guest for guest in welcomed.everyone if guest.email}
    for one in welcomed.sink.accepted:
        if one.posted.provider == "twilio":
            assert one.posted.sender == "Dripline"
            continue
        guest = by_address[one.to]
        text = " ".join(one.text.split())
        assert guest.greeting() in text
        assert (one.posted.sender, one.posted.sender_name) == ("hello@dripline.example", "Dripline")
        assert f'lang="{guest.language}"' in (one.posted.html or "")


def test_the_ledger_says_of_every_message_what_became_of_it(welcomed: Welcomed) -> None:
    query = select(leads.c.external_id, messages).join(leads, leads.c.id == messages.c.lead_id)
    with welcomed.stack.store.read() as connection:
        rows = connection.execute(query).all()
    sent = ("accepted", "delivered")
    ledger = {
        (row.external_id, row.template): None if row.state in sent else (row.state, row.reason)
        for row in rows
    }
    assert len(ledger) == len(rows)
    expected = {
        (guest.external_id, f"welcome/{template}"): reason and ("skipped", reason)
        for guest in welcomed.everyone
        for template in guest.fate.messages
        for reason in [guest.refusal(template)]
    }
    assert ledger == expected
    reasons = Counter(verdict[1] for verdict in expected.values() if verdict)
    assert len(reasons) == 6, reasons


def test_every_run_ends_as_its_lead_s_fate_has_it(welcomed: Welcomed) -> None:
    query = select(leads.c.external_id, runs).join(leads, leads.c.id == runs.c.lead_id)
    with welcomed.stack.store.read() as connection:
        rows = connection.execute(query).all()
    ends = {row.external_id: ((row.outcome, row.outcome_reason), row.goal_value) for row in rows}
    assert len(ends) == len(rows)
    assert ends == {
        guest.external_id: (guest.fate.outcome, guest.fate.worth)
        for guest in welcomed.everyone
        if guest.fate.outcome
    }
    converted = {row.external_id for row in rows if row.converted_at is not None}
    assert converted == {guest.external_id for guest in welcomed.everyone if guest.fate.worth is not None}


def test_every_event_is_kept_once_and_rubbish_not_at_all(welcomed: Welcomed) -> None:
    own = {"lead.created", "lead.updated", "lead.warmed", "lead.cooled", "segment.entered", "segment.left"}
    own |= {"lead.stage_changed", "lead.converted", "lead.lost"}
    with welcomed.stack.store.read() as connection:
        rows = connection.execute(select(events.c.id, events.c.name).where(events.c.name.not_in(own))).all()
        made = connection.execute(select(events.c.id).where(events.c.name == "lead.created")).all()
    assert {row.id: row.name for row in rows} == welcomed.told.events
    assert (len(rows), len(made)) == (EVENTS, len(welcomed.everyone))
    assert welcomed.told.repeated > 30
    assert welcomed.told.refused > 30


# -- personal data -------------------------------------------------------------------------------------------


def test_temporal_holds_ids_only(welcomed: Welcomed) -> None:
    with welcomed.stack.store.read() as connection:
        run_ids = set(connection.execute(select(runs.c.id)).scalars())
    workflows = everything_on_temporal(welcomed.stack.temporal.address)
    journeys = {name.rpartition("/")[2]: one for (name, _), one in workflows.items() if "/" in name}
    assert run_ids <= set(journeys)
    assert all(run in one.text for run, one in journeys.items() if run in run_ids)  # so we can read them
    assert max(one.events for one in workflows.values()) < 100
    assert not _leaked(welcomed, "\n".join(one.text for one in workflows.values()))


def test_the_grep_would_find_what_was_leaked(welcomed: Welcomed) -> None:
    guest = next(one for one in welcomed.everyone if one.language == "hy" and one.first_name and one.email)
    payload = base64.b64encode(json.dumps({"first_name": guest.first_name}).encode()).decode()
    raw = base64.b64encode(f"to {guest.email}".encode()).decode()
    text = readable({"input": {"payloads": [{"data": payload}]}, "details": raw})
    assert {guest.first_name, guest.email} <= set(_leaked(welcomed, text))


def test_the_file_of_temporal_holds_no_address(welcomed: Welcomed) -> None:
    files = sorted(welcomed.stack.folder.glob("temporal.db*"))
    content = b"".join(path.read_bytes() for path in files)
    with welcomed.stack.store.read() as connection:
        run_id = connection.execute(select(runs.c.id).limit(1)).scalar_one()
    assert run_id.encode() in content
    assert not addresses_in(content, welcomed.everyone)


def test_the_logs_hold_no_address(welcomed: Welcomed) -> None:
    log = welcomed.stack.log_path.read_bytes()
    assert b"working" in log
    assert not addresses_in(log, welcomed.everyone)


def _leaked(welcomed: Welcomed, text: str) -> list[str]:
    written = {one.subject or one.text for one in welcomed.sink.accepted}
    written |= {"Good to have you here", "your demo is booked", "вы записаны", "Ուրախ ենք, որ միացաք մեզ"}
    return personal_data_in(text, welcomed.everyone, written)


# -- why -----------------------------------------------------------------------------------------------------


def test_why_tells_all_of_it_for_every_fate(welcomed: Welcomed) -> None:
    for fate in FATES:
        guest = next(one for one in welcomed.everyone if one.fate_name == fate)
        command = ["why", guest.email or guest.external_id, "--format", "json"]
        done = CliRunner().invoke(app, command, env=_settings(welcomed))
        assert done.exit_code == 0, done.output
        story = json.loads(done.stdout)
        _follows(_told_of(guest), [entry["text"] for entry in story["entries"]], fate)
        assert [(run["journey"], run["outcome"]) for run in story["runs"]] == (
            [("welcome", guest.fate.outcome[0])] if guest.fate.outcome else []
        )


def test_why_tells_it_to_people(welcomed: Welcomed) -> None:
    guest = next(one for one in welcomed.everyone if one.fate_name == "silent")
    assert guest.email
    command = [sys.executable, "-m", "dripline", "why", guest.email]
    environment = {**os.environ, **_settings(welcomed)}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert guest.email in done.stdout
    lines = [re.split(r"\s{2,}", line, maxsplit=1)[-1] for line in done.stdout.splitlines()]
    _follows(_told_of(guest), lines, "silent")


def _settings(welcomed: Welcomed) -> dict[str, str]:
    return {"DRIPLINE_DATABASE_URL": welcomed.stack.store_url, "DRIPLINE_WORKSPACE": str(ROOT)}


def _told_of(guest: Guest) -> list[str]:
    """How the story's entries must begin, in this order, others among them."""
    fate = guest.fate
    told = ["event lead.created"]
    if fate.outcome is None:
        return [*told, *(f"event {act.event}" for act in fate.acts)]
    told += ["enters the journey by lead.created", *_message(guest, "hello")]
    kind, reason = fate.outcome
    deciding = fate.acts[-1] if fate.acts else None
    told.append("waits 2 days after the e-mail welcome/hello, until 20")
    if kind in ("stopped", "finished") or (deciding and deciding.when == "waiting"):
        told.append("the wait of 2 days is over")
        told.append("waits for demo.booked, until 20")
    if kind == "stopped":
        told += [
            "demo.booked ends the wait",
            *_message(guest, "see-you-there"),
        ]
    elif kind == "finished":
        told += ["demo.booked did not come in time", *_message(guest, "offer")]
    elif kind == "goal":
        told.append(f"goal reached by order.paid, worth {fate.worth}")
    else:
        told.append(f"leaves by {(deciding and deciding.event) or 'lead.updated'}: {reason}")
    told.append(f"the run ends, {kind}" + (f": {reason}" if reason else ""))
    if deciding and deciding.when == "ended":
        told.append(f"event {deciding.event}")
        told += [f"goal reached by order.paid, worth {fate.worth}"] if fate.worth else []
    return told


def _message(guest: Guest, template: str) -> list[str]:
    channel = "sms" if template == "see-you-there" else "email"
    step = f"the {CHANNELS[channel]} welcome/{template}"
    reason = guest.refusal(template)
    if reason is None:
        return [f"queues {step}", f"{step} was taken by"]
    if reason.startswith("not on the list"):  # asked when it is about to leave, not when it is queued
        return [f"queues {step}", f"does not send {step}: {reason}"]
    return [f"does not send {step}: {reason}"]


def _follows(wanted: list[str], texts: list[str], fate: str) -> None:
    """Each wanted beginning is some entry's; but for what became of messages, in the given order."""
    for beginning in wanted:
        assert any(text.startswith(beginning) for text in texts), f"{fate}: no {beginning!r} in {texts}"
    ours = [one for one in wanted if not re.match(r"the (e-mail|SMS) welcome|does not send", one)]
    left = iter(texts)
    for beginning in ours:
        assert any(text.startswith(beginning) for text in left), (
            f"{fate}: {beginning!r} out of order: {texts}"
        )
