"""Tokens of tracked links: what they carry, how long they are, and that nobody else can make one."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.tracking.addresses import LONGEST, in_ascii, may_lead_to, without_query
from dripline.tracking.tokens import MAX_TOKEN, Click, Tokens

TOKENS = Tokens("a secret")
MESSAGE = uuid.UUID(int=7).hex
SHOP = "https://shop.example.com/sale?utm_source=dripline&utm_medium=email&utm_campaign=spring"


def test_a_token_says_which_link_of_which_message_it_is_and_is_the_same_on_every_try() -> None:
    token = TOKENS.click(MESSAGE, SHOP)
    assert TOKENS.read_click(token) == Click(MESSAGE, SHOP)
    assert Tokens("a secret").click(MESSAGE, SHOP) == token
    assert TOKENS.read_open(TOKENS.open(MESSAGE)) == MESSAGE


def test_a_token_of_an_ordinary_link_is_not_much_longer_than_the_link() -> None:
    assert len(TOKENS.click(MESSAGE, SHOP)) < len(SHOP) + 10
    assert len(TOKENS.open(MESSAGE)) == 43


def test_nothing_of_the_address_can_be_read_in_the_token() -> None:
    other = TOKENS.click(MESSAGE, "https://example.com/?email=ani@example.com"[:30] + "ani")
    assert "ani" not in other
    assert "example" not in other


@pytest.mark.parametrize("length", [200, 1_000, LONGEST])
def test_links_of_up_to_2000_characters_work(length: int) -> None:
    # Nothing that can be shortened.
    address = "https://example.com/?q=" + "".join(uuid.uuid5(uuid.UUID(int=n), "x").hex for n in range(70))
    address = address[:length]
    token = TOKENS.click(MESSAGE, address)
    assert len(address) == length
    assert len(token) <= MAX_TOKEN
    assert TOKENS.read_click(token) == Click(MESSAGE, address)


def test_another_letter_another_secret_or_another_kind_is_no_token() -> None:
    token = TOKENS.click(MESSAGE, SHOP)
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert TOKENS.read_click(changed) is None
    assert Tokens("another").read_click(token) is None
    assert TOKENS.read_open(token) is None
    assert TOKENS.read_click(TOKENS.open(MESSAGE)) is None


@given(st.text(max_size=300))
def test_rubbish_is_no_token(rubbish: str) -> None:
    assert TOKENS.read_click(rubbish) is None
    assert TOKENS.read_open(rubbish) is None
    assert TOKENS.read_click(TOKENS.click(MESSAGE, SHOP) + rubbish) in (None, Click(MESSAGE, SHOP))


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,hello",
        "ftp://example.com/",
        "//example.com/",
        "/relative",
        "mailto:ani@example.com",
        "tel:+37491123456",
        "http://",
        "https:///path",
        "https://a b.example.com/",
        "https://example.com/\r\nSet-Cookie: x=1",
        "https://example.com\\@evil.example",
        "https://user:word@example.com/",
        "https://[::1",
        "https://example.com:99999/",
        "https://example.com/" + "a" * LONGEST,
        "",
    ],
)
def test_only_whole_addresses_of_the_open_web_are_led_to(address: str) -> None:
    assert not may_lead_to(address)
    # And even one who had the key could make no token that leads there.
    assert TOKENS.read_click(TOKENS.click(MESSAGE, address)) is None


def test_addresses_in_other_scripts_are_written_for_the_wire_and_others_stay_to_the_letter() -> None:
    assert in_ascii("https://հայ.example/գին?ք=1#վերջ") == (
        "https://xn--y9a3aq.example/%D5%A3%D5%AB%D5%B6?%D6%84=1#%D5%BE%D5%A5%D6%80%D5%BB"
    )
    odd = "https://example.com/a%2fb?x=%zz&&y=;'(1)*,!#~^|"
    assert in_ascii(odd) == odd
    assert may_lead_to(odd)


def test_of_an_address_the_query_is_not_kept() -> None:
    assert without_query("https://example.com/a?email=ani@example.com#top") == "https://example.com/a"
    assert without_query("https://example.com/a#top?x") == "https://example.com/a"
