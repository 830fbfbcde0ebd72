"""What holds of every merge and of every undoing, whatever the two leads are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.policy import ADDRESS
from dripline.engine.topics import CHANNELS, changed, has_left
from dripline.ingest.merging.parting import Together, parted
from dripline.ingest.merging.rules import Side, goes_on_first, united

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
TOPICS = ("news", "offers")

words = st.sampled_from([True, False, None])
moments = st.integers(0, 50).map(lambda days: MONDAY + timedelta(days=days))


def said(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, bool]]:
    every = st.fixed_dictionaries(dict.fromkeys(names, words))
    return every.map(lambda told: {name: word for name, word in told.items() if word is not None})


wishes = st.fixed_dictionaries(
    {topic: st.fixed_dictionaries(dict.fromkeys(CHANNELS, words)) for topic in TOPICS}
).map(lambda told: changed({}, told))


def touch(at: datetime) -> dict[str, Any]:
    return {"at": at.isoformat(), "source": "shop"}


def a_lead(who: str) -> st.SearchStrategy[dict[str, Any]]:
    number = {"one": "1", "other": "2"}[who]
    return st.fixed_dictionaries(
        {
            "id": st.just(who),
            "external_id": st.sampled_from([None, f"crm-{number}"]),
            "email": st.sampled_from([None, f"{who}@example.com"]),
            "phone": st.sampled_from([None, f"+3749100000{number}"]),
            "locale": st.sampled_from([None, "hy", "en"]),
            "timezone": st.sampled_from([None, "UTC"]),
            "country": st.sampled_from([None, "AM"]),
            "stage": st.sampled_from([None, "new", "customer"]),
            "stage_at": st.none() | moments,
            "owner_at": st.none() | moments,
            "customer": st.none() | moments.map(lambda at: {"since": at.isoformat()}),
            "score": st.integers(-5, 5).map(float),
            "grade": st.sampled_from([None, "A", "D"]),
            "warmth": st.sampled_from([None, "cold", "warm", "hot"]),
            "rescore_at": st.none() | moments,
            "tags": st.lists(st.sampled_from(["vip", "new", "shop"]), unique=True),
            "owner": st.sampled_from([None, "nare"]),
            "consent": said(CHANNELS),
            "topics": wishes,
            "attributes": st.dictionaries(st.sampled_from(["seats", "size"]), st.integers(0, 3)),
            "paused_until": st.none() | moments,
            "tracking": words,
            "first_touch": st.none() | moments.map(touch),
            "last_touch": st.none() | moments.map(touch),
            "created_at": moments,
        }
    )


ones, others = a_lead("one"), a_lead("other")


def together(
    one: dict[str, Any], other: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Who goes on, who becomes it, and what the one lead is."""
    winner, loser = sorted([one, other], key=goes_on_first)
    return winner, loser, united(Side(winner, winner["created_at"]), Side(loser, loser["created_at"]))


def may_be_written_to(lead: dict[str, Any], channel: str, topic: str | None = None) -> bool:
    left = topic is not None and has_left(lead["topics"], topic, channel)
    return bool(lead[ADDRESS[channel]]) and lead["consent"].get(channel) is True and not left


@given(ones, others)
def test_a_merge_is_the_same_whichever_lead_is_named_first(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert together(one, other) == together(other, one)


@given(ones, others)
def test_no_address_is_written_to_that_was_not_before(one: dict[str, Any], other: dict[str, Any]) -> None:
    winner, loser, made = together(one, other)
    for channel in CHANNELS:
        for topic in (None, *TOPICS):
            if not may_be_written_to(made, channel, topic):
                continue
            [owner] = [lead for lead in (winner, loser) if lead[ADDRESS[channel]] == made[ADDRESS[channel]]]
            assert may_be_written_to(owner, channel, topic)
            for lead in (winner, loser):
                assert lead["consent"].get(channel) is not False
                assert topic is None or not has_left(lead["topics"], topic, channel)
    for lead in (winner, loser):
        assert not lead["paused_until"] or made["paused_until"] >= lead["paused_until"]
        assert lead["tracking"] is not False or made["tracking"] is False


@given(ones, others)
def test_nothing_that_only_one_of_them_has_is_lost(one: dict[str, Any], other: dict[str, Any]) -> None:
    winner, loser, made = together(one, other)
    for lead in (winner, loser):
        for name in ("external_id", "email", "phone", "locale", "timezone", "country", "owner", "stage"):
            assert made[name] if lead[name] else True
        assert set(lead["tags"]) <= set(made["tags"])
        assert set(lead["attributes"]) <= set(made["attributes"])
    assert made["score"] == one["score"] + other["score"]


@given(ones, others)
def test_what_nothing_happened_to_since_is_given_back_to_both(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    winner, loser, made = together(one, other)
    halves = parted(Together(winner, loser, made, made))
    without_id = [{name: lead[name] for name in lead if name != "id"} for lead in (winner, loser)]
    assert [halves.winner, halves.loser, list(halves.kept)] == [*without_id, []]


@given(
    ones,
    others,
    said(CHANNELS),
    wishes,
    st.sets(st.tuples(st.sampled_from(CHANNELS), st.none())),
    st.booleans(),
)
def test_no_undoing_writes_to_an_address_that_did_not_agree(
    one: dict[str, Any],
    other: dict[str, Any],
    consent: dict[str, bool],
    topics: dict[str, Any],
    refused: set[tuple[str, str | None]],
    another_address: bool,
) -> None:
    winner, loser, made = together(one, other)
    now = {**made, "consent": consent, "topics": topics}
    if another_address:
        now["email"] = "late@example.com"
    halves = parted(Together(winner, loser, made, now, refused))
    for before, after in ((winner, halves.winner), (loser, halves.loser)):
        for channel in CHANNELS:
            address = after[ADDRESS[channel]]
            if not may_be_written_to(after, channel):
                continue
            agreed_before = before["consent"].get(channel) is True and before[ADDRESS[channel]] == address
            agreed_since = consent.get(channel) is True and address == now[ADDRESS[channel]]
            assert agreed_before or agreed_since
            assert agreed_since or (channel, None) not in refused
            assert consent.get(channel) is not False or made["consent"].get(channel) is False
            for topic in TOPICS:
                if has_left(topics, topic, channel) and not has_left(made["topics"], topic, channel):
                    assert has_left(after["topics"], topic, channel)
