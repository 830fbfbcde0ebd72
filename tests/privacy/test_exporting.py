"""Everything that is kept of a lead, handed out to it."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC
from typing import Any

from sqlalchemy import update

from dripline.clock import machine_clock
from dripline.privacy.erasing import Eraser
from dripline.privacy.exporting import FORMAT, SECTIONS, export
from dripline.privacy.personal import RULES
from dripline.privacy.readable import as_json, as_page, as_zip
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.leads import load_lead
from tests.durable.house import House
from tests.privacy.made_up import EMAIL, LEAD, LOSER, MARK, OLD_EMAIL
from tests.privacy.test_erasing import WELCOME, marked

NOT_TOLD = {
    "idempotency": "answers to the programs that told of it, gone after a week",
    "groups": "told where the lead belongs to them",
}
"""Tables with personal columns that are no section of their own, and why."""


def exported(store: Store, lead: str = LEAD) -> dict[str, Any]:
    with store.read() as connection:
        house = open_house(connection)
        row = load_lead(connection, lead)
        return json.loads(as_json(export(connection, house, row, house.clock, UTC, machine_clock())))  # type: ignore[no-any-return]


def test_every_table_that_tells_of_a_lead_is_told() -> None:
    personal = {name for name, rule in RULES.items() if rule.personal}
    assert personal - set(SECTIONS) == set(NOT_TOLD)


def test_every_personal_column_is_in_it(store: Store) -> None:
    marked(store)
    text = json.dumps(exported(store), ensure_ascii=False)
    for name in SECTIONS:
        for column in RULES[name].personal:
            mark = f"{MARK}{name}-{column}"
            special = column in ("email", "phone", "recipient", "sender", "country", "address_hash")
            special = special or column in ("grade", "warmth")
            special = special or column in ("device_hash", "network_hash")
            # of a friend its referrer is told in other words
            special = special or (name, column) == ("referrals", "refused")
            keys = name in ("events", "inbox", "identities", "memberships") or (name, column) in (
                ("runs", "trigger_event"),
                ("inbound", "id"),
            )
            numbers = column in ("score", "points", "rescore_at", "paused_until", "tracking", "occurred_at")
            numbers = numbers or column in ("stage_at", "owner_at")
            assert special or keys or numbers or mark in text, mark
    for told in (
        EMAIL,
        OLD_EMAIL,
        "marked-loser@example.com",
        f"{MARK}event",
        f"{MARK}group",
        f"{MARK}anonymous",
    ):
        assert told in text


def test_the_form_is_named_and_every_section_is_there_even_of_a_lead_that_did_nothing(store: Store) -> None:
    House(store)
    found = exported(store)
    assert found["format"] == FORMAT
    assert set(found) == {"format", "exported_at", "lead", "story", *SECTIONS.values()}
    assert found["events"] == found["runs"] == found["story"] == []
    assert found["leads"][0]["email"] == "ani@example.com"
    assert as_page(found).count("<p>Nothing.</p>") == len(SECTIONS)


def test_merged_leads_are_in_it(store: Store) -> None:
    marked(store)
    assert [lead["id"] for lead in exported(store)["leads"]] == [LEAD, LOSER]


def test_a_colleague_who_was_told_is_not_named(store: Store) -> None:
    marked(store)
    with store.write() as connection:
        connection.execute(update(schema.messages).values(notice=True, addressee="nare@ours.example"))
    assert "nare@ours.example" not in json.dumps(exported(store))


def test_the_zip_has_a_page_the_json_and_the_messages_as_they_left(store: Store) -> None:
    marked(store)
    with store.write() as connection:
        connection.execute(update(schema.messages).values(html="<p>Hello & <b>bye</b></p>"))
    found = exported(store)
    with zipfile.ZipFile(io.BytesIO(as_zip(found))) as file:
        assert file.namelist() == ["index.html", "lead.json", "messages/0001.html", "messages/0001.txt"]
        assert json.loads(file.read("lead.json")) == found
        assert file.read("messages/0001.html") == b"<p>Hello & <b>bye</b></p>"
        page = file.read("index.html").decode()
    assert '<a href="messages/0001.html">' in page
    assert "Hello & <b>" not in page


def test_what_a_lead_wrote_is_no_markup_of_the_page(store: Store) -> None:
    marked(store)
    with store.write() as connection:
        connection.execute(update(schema.inbound).values(body="<script>alert(1)</script>{lead}"))
    page = as_page(exported(store))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{lead}" in page


def test_of_an_erased_lead_nothing_is_left_to_be_told(store: Store) -> None:
    marked(store)
    Eraser(store).erase(LEAD, "ops")
    assert MARK not in json.dumps(exported(store))


def test_plans_of_its_journeys_are_not_its_own(store: Store) -> None:
    House(store, WELCOME)
    assert "plan_hash" not in json.dumps(exported(store))
