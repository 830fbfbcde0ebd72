"""The local mailbox keeps every message once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from activities.providers.mailbox import Mailbox
from dripline.providers import NotAccepted, Outgoing, Uncertain
from dripline.store.database import Store
from dripline.store.overview import mail_headers
from dripline.store.schema import mailbox

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_a_message_is_kept_once_by_its_key(store: Store, email: Outgoing) -> None:
    box = Mailbox(store, "email", lambda: MONDAY)

    assert box.send(email).provider_id == email.key
    assert box.send(replace(email, subject="Changed")).provider_id == email.key

    with store.read() as connection:
        (row,) = connection.execute(select(mailbox)).all()
    assert (row.key, row.recipient, row.subject, row.html, row.body, row.at) == (
        email.key,
        email.to,
        email.subject,
        email.html,
        email.text,
        MONDAY,
    )


def test_what_is_in_the_mailbox_is_found(store: Store, sms: Outgoing) -> None:
    box = Mailbox(store, "sms", lambda: MONDAY)
    assert box.find(sms, MONDAY, frozenset()) is None

    box.send(sms)

    assert box.find(sms, MONDAY, frozenset()) == sms.key


def test_a_mailbox_without_its_store_has_taken_nothing_and_tells_nobodys_address(sms: Outgoing) -> None:
    box = Mailbox(Store("sqlite:////nowhere/at/all.db"), "sms", lambda: MONDAY)

    with pytest.raises(NotAccepted) as caught:
        box.send(sms)
    with pytest.raises(Uncertain):
        box.find(sms, MONDAY, frozenset())

    assert str(caught.value) == "mailbox.unavailable"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_the_headers_by_which_mail_programs_unsubscribe_are_kept(store: Store) -> None:
    way = "https://drip.example.com/l/token"
    letter = Outgoing(
        "k1", "email", "ani@example.com", "hello@example.com", None, "Hi", None, "Hi", unsubscribe=way
    )
    Mailbox(store, "email").send(letter)
    Mailbox(store, "email").send(replace(letter, key="k2", unsubscribe=None))
    mail = "mailto:stop@example.com?subject=unsubscribe"
    Mailbox(store, "email").send(replace(letter, key="k3", unsubscribe_mail="stop@example.com"))
    with store.read() as connection:
        assert mail_headers(connection, "k1") == {
            "List-Unsubscribe": f"<{way}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
        assert mail_headers(connection, "k2") == {}
        assert mail_headers(connection, "k3")["List-Unsubscribe"] == f"<{way}>, <{mail}>"
