"""Somebody looks after the list of addresses that get nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from dripline.ingest.agreeing import Source, log_changes, log_pause
from dripline.store.leads import change_lead
from tests.cli.conftest import Opened, run
from tests.durable.house import NOW
from tests.engine.plans import WELCOME


def test_an_address_is_put_on_the_list_asked_for_and_taken_off(open_house: Opened) -> None:
    open_house(WELCOME)
    assert run("suppress", "Ani@Example.com", "--why", "asked for it")[0] == 0
    code, said = run("suppress", "ani@example.com")
    assert (code, "nothing was changed" in said) == (0, True)
    assert "as by hand, by " in run("suppressions", "ani@example.com")[1]
    code, said = run("suppressions")
    assert "asked for it" in said
    assert "example.com" not in said
    assert run("unsuppress", "ani@example.com", "--why", "wrote to us")[0] == 0
    assert "is not on the suppression list" in run("suppressions", "ani@example.com")[1]
    assert run("unsuppress", "ani@example.com", "--why", "again")[0] == 1


def test_a_complaint_wants_a_plain_yes(open_house: Opened) -> None:
    open_house(WELCOME)
    run("suppress", "ani@example.com", "--reason", "complained")
    code, said = run("unsuppress", "ani@example.com", "--why", "wrote to us")
    assert (code, "--yes" in said) == (1, True)
    assert run("unsuppress", "ani@example.com", "--why", "wrote to us", "--yes")[0] == 0


def test_a_file_of_another_system_is_taken_over_and_bad_rows_are_told_by_line(
    open_house: Opened, workspace: Path
) -> None:
    open_house(WELCOME)
    file = workspace / "list.csv"
    file.write_text(
        "Email;Reason\nani@example.com;bounced\nnobody;bounced\naram@example.com;\nx@example.com;bored\n"
    )
    code, said = run("suppress", "--file", str(file), "--reason", "unsubscribed")
    assert code == 1
    assert "Put on the suppression list: 2. Had been there: 0." in said
    assert f"{file}:3: the address is not" in said
    assert f"{file}:5: the reason is none of" in said
    assert "as bounced" in run("suppressions", "ani@example.com")[1]
    assert "as unsubscribed" in run("suppressions", "aram@example.com")[1]


def test_a_bare_list_of_addresses_is_taken_as_it_is(open_house: Opened, workspace: Path) -> None:
    open_house(WELCOME)
    (workspace / "list.txt").write_text("ani@example.com\naram@example.com\n")
    assert "list: 2." in run("suppress", "--file", "list.txt")[1]
    assert "list: 0. Had been there: 2." in run("suppress", "--file", "list.txt")[1]


def test_what_is_no_address_is_told(open_house: Opened) -> None:
    open_house(WELCOME)
    for words in (["nobody"], ["+1"], [], ["a@example.com", "--reason", "bored"]):
        code, said = run("suppress", *words)
        assert (code, "Traceback" in said) == (1, False), said


def test_what_a_lead_agreed_to_is_told_with_its_proof(open_house: Opened) -> None:
    house = open_house(WELCOME)
    with house.store.write() as connection:
        log_changes(
            connection, "lead-1", {}, {"consent": {"email": True}}, Source("form", {"form": "join"}), NOW
        )
        log_pause(connection, "lead-1", NOW, Source("page"), NOW)
    code, said = run("lead", "consent", "lead-1")
    assert code == 0, said
    assert "agrees to e-mail, by a form (form join)" in said
    assert "wants to be left in peace until" in said
    assert '"text": "agrees to e-mail"' in run("lead", "consent", "lead-1", "--format", "json")[1]


def test_why_messages_were_not_sent_is_counted_by_reason(open_house: Opened) -> None:
    house = open_house(WELCOME)
    assert "No message was skipped." in run("skipped")[1]
    with house.store.write() as connection:
        change_lead(connection, "lead-1", {"paused_until": NOW + timedelta(days=365)}, NOW)
    house.advance(house.happens("lead.created")[0], NOW)
    code, said = run("skipped")
    assert code == 0
    assert "paused until" in said
    assert str(NOW.year + 1) not in said
    assert "No message was skipped." in run("skipped", "--journey", "another")[1]
