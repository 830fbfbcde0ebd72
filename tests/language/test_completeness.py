"""A lead is a person who can be reached."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.language.addresses import email_kind, meant_domain, phone_kind
from dripline.language.completeness import doubts, lacks
from dripline.language.role_addresses import ROLES, is_role_address, is_technical_address


@pytest.mark.parametrize(
    ("lead", "missing"),
    [
        ({}, ["person", "contact"]),
        ({"first_name": "Ani"}, ["contact"]),
        ({"email": "ani@example.com"}, []),
        ({"phone": "+37491123456"}, []),
        ({"phone": "+12025550199"}, []),
        ({"email": "info@shop.am"}, ["person", "contact"]),
        ({"email": "info@shop.am", "first_name": "Ani"}, ["contact"]),
        ({"email": "info@shop.am", "phone": "+37491123456"}, []),
        ({"phone": "+37410540000"}, ["person", "contact"]),
        ({"phone": "+37410540000", "name": "Ani Petrosyan"}, []),
        ({"phone": "+37410540000", "name": "  "}, ["person", "contact"]),
        ({"phone": "+37480012345", "first_name": "Ani"}, ["contact"]),
        ({"phone": "+18005551234"}, ["person", "contact"]),
        ({"email": "ani@gmial.com", "first_name": "Ani"}, ["contact"]),
        ({"email": "ani@mailinator.com"}, ["person", "contact"]),
        ({"phone": "+37499000", "last_name": "Petrosyan"}, ["contact"]),
    ],
)
def test_a_lead_needs_a_person_who_can_be_reached(lead: dict[str, Any], missing: list[str]) -> None:
    assert lacks(lead) == missing


@pytest.mark.parametrize(
    ("address", "role"),
    [
        ("info@a.am", True),
        ("INFO@a.am", True),
        ("info2@a.am", True),
        ("info.am@a.am", True),
        ("sales+spring@a.am", True),
        ("customer-service@a.am", True),
        ("customer.care@a.am", True),
        ("no.reply@a.am", True),
        ("ani@a.am", False),
        ("ani.info@a.am", False),
        ("informant@a.am", False),
        ("salesh@a.am", False),
        ("it@a.am", True),
        ("1@a.am", False),
        ("-@a.am", False),
    ],
)
def test_an_address_of_a_role_is_told_from_a_persons(address: str, role: bool) -> None:
    assert is_role_address(address) is role


def test_nobody_writes_marketing_to_machines() -> None:
    assert is_technical_address("abuse@a.am")
    assert is_technical_address("No-Reply@a.am")
    assert not is_technical_address("info@a.am")


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmailcom.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("yahooo.com", "yahoo.com"),
        ("yandex.ry", "yandex.ru"),
        ("gmail.com", None),
        ("mail.com", None),
        ("cloud.com", None),
        ("ymail.com", None),
        ("example.com", None),
    ],
)
def test_a_slip_is_told_with_what_was_meant(domain: str, meant: str | None) -> None:
    assert meant_domain(f"ani@{domain}") == meant


def test_what_speaks_against_an_address_is_told_without_repeating_it() -> None:
    told = doubts({"email": "ani@gmial.com", "phone": "+37480012345"})
    assert told == {
        "email": "has a mistyped domain: did you mean gmail.com?",
        "phone": "is a company's (toll-free, shared cost, premium): no person's",
    }
    assert doubts({"email": "ani@example.com", "phone": "+37491123456"}) == {}


@given(st.text(max_size=80), st.text(max_size=40))
def test_no_text_is_too_strange_to_be_judged(email: str, phone: str) -> None:
    assert email_kind(f"{email}@example.com") in ("personal", "role")
    assert phone_kind(phone) in ("personal", "landline", "switchboard", "invalid")


def test_every_role_is_one() -> None:
    assert {word for word in ROLES if not is_role_address(f"{word}@a.am")} == set()
