from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.language.links import AnswerLink, ConfirmLink, Link, UnsubscribeLink
from dripline.language.values import EvaluationError
from dripline.links import MAX_TOKEN, Claim, Links

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LINKS = Links("a secret of the house", "https://journeys.example.com/")
PRICE = AnswerLink("reason.given", {"reason": "price"})
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=~!%\u00e9 \n"

json_values = st.one_of(
    st.text(max_size=40), st.integers(-(10**15), 10**15), st.booleans(), st.floats(allow_nan=False)
)


def token(link: Link = PRICE, message: str = "message-1", now: datetime = NOW) -> str:
    return LINKS.of(message, now)(link).removeprefix("https://journeys.example.com/l/")


@given(st.text(max_size=64), st.dictionaries(st.text(max_size=20), json_values, max_size=4))
def test_what_is_signed_is_read_again(event: str, properties: dict[str, Any]) -> None:
    link = AnswerLink(event, properties)
    try:
        made = token(link)
    except EvaluationError:
        return
    assert len(made) <= MAX_TOKEN
    assert LINKS.read(made) == Claim("message-1", link, NOW)


@pytest.mark.parametrize("link", [PRICE, ConfirmLink(), UnsubscribeLink()])
def test_every_kind_is_read_as_itself(link: Link) -> None:
    claim = LINKS.read(token(link))
    assert claim is not None
    assert (claim.message, claim.link) == ("message-1", link)


@given(st.sampled_from([PRICE, ConfirmLink(), UnsubscribeLink()]), st.data())
def test_any_altered_letter_is_refused(link: Link, data: st.DataObject) -> None:
    made = token(link)
    place = data.draw(st.integers(0, len(made) - 1))
    letter = data.draw(st.sampled_from(LETTERS).filter(lambda one: one != made[place]))
    assert LINKS.read(made[:place] + letter + made[place + 1 :]) is None


@given(st.data())
def test_what_is_cut_lengthened_or_made_up_is_refused(data: st.DataObject) -> None:
    made = token()
    assert LINKS.read(made[: data.draw(st.integers(0, len(made) - 1))]) is None
    assert LINKS.read(made + data.draw(st.text(min_size=1, max_size=5))) is None
    assert LINKS.read(data.draw(st.text(max_size=200))) is None


def test_every_last_letter_but_the_right_one_is_refused() -> None:
    """Base64 leaves bits of the last letter unused, so that four letters would read the same."""
    made = token()
    assert [letter for letter in LETTERS if LINKS.read(made[:-1] + letter)] == [made[-1]]


def test_another_house_reads_nothing() -> None:
    assert Links("another secret").read(token()) is None


def test_a_link_to_unsubscribe_never_changes_and_the_others_have_an_age() -> None:
    later = NOW + timedelta(days=400)
    assert token(UnsubscribeLink()) == token(UnsubscribeLink(), now=later)
    assert token(PRICE) != token(PRICE, now=later)
    made = LINKS.read(token(ConfirmLink(), now=later))
    assert made is not None
    assert made.made_at == later


def test_the_event_of_a_link_is_the_same_whenever_it_was_made_and_another_for_another_answer() -> None:
    def id_of(made: str) -> str:
        claim = LINKS.read(made)
        assert claim is not None
        return claim.id

    first = id_of(token())
    assert first == id_of(token(now=NOW + timedelta(hours=1)))
    others = {
        id_of(token(AnswerLink("reason.given", {"reason": "time"}))),
        id_of(token(AnswerLink("reason.lost", {"reason": "price"}))),
        id_of(token(message="message-2")),
        id_of(token(ConfirmLink())),
    }
    assert len({first, *others}) == 5


def test_an_address_that_would_be_too_long_is_not_made() -> None:
    import random

    noise = "".join(random.Random(1).choices(LETTERS, k=2_000))
    with pytest.raises(EvaluationError) as told:
        token(AnswerLink("reason.given", {"reason": noise}))
    assert told.value.code == "link-too-long"


def test_a_usual_address_fits_into_an_sms_of_two_segments() -> None:
    message = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    assert len(LINKS.of(message, NOW)(PRICE)) < 240
    assert len(LINKS.of(message, NOW)(UnsubscribeLink())) < 160
