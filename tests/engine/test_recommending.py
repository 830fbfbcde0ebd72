"""What is recommended, in which order, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.recommending import Interest, Pair, Product, Shelf, due_at, recommend, spoken
from dripline.language.recommending import WAYS, choose

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def product(id_: str, **more: Any) -> Product:
    return Product(id_, {"en": id_.title(), "hy": f"«{id_}»"}, **more)


PRODUCTS = {
    one.id: one
    for one in (
        product("tea", price=450_000, currency="AMD", related=("pot", "tin"), replenish_days=30, orders=70),
        product("cup", orders=50),
        product("pot", upgrade="samovar"),
        product("tin", in_stock=False),
        product("samovar", price=9_000_000, currency="AMD"),
    )
}


def said(product: str, kind: str, ago: int, times: int = 1) -> Interest:
    return Interest(product, kind, times, NOW - ago * DAY * times, NOW - ago * DAY)


def shelf(*interests: Interest, pairs: tuple[Pair, ...] = ()) -> Shelf:
    return Shelf(PRODUCTS, interests, pairs)


def found(*interests: Interest, pairs: tuple[Pair, ...] = ()) -> list[tuple[str, str]]:
    return [(one.way, one.product.id) for one in recommend(shelf(*interests, pairs=pairs), NOW)]


def test_sixty_of_a_hundred_say_more_than_two_of_two() -> None:
    few = Pair("tea", "samovar", both=2, of=2, with_other=5, all=1_000)
    many = Pair("tea", "cup", both=60, of=100, with_other=120, all=1_000)
    pairs = (few, many)
    assert [id_ for way, id_ in found(said("tea", "bought", 3), pairs=pairs) if way == "together"] == [
        "cup",
        "samovar",
    ]


def test_what_everybody_buys_anyway_is_not_bought_together() -> None:
    popular = Pair("tea", "cup", both=50, of=100, with_other=600, all=1_000)
    assert ("together", "cup") not in found(said("tea", "bought", 3), pairs=(popular,))


def test_each_way_leads_to_its_own() -> None:
    interests = (said("tea", "bought", 40), said("pot", "bought", 5), said("cup", "viewed", 1))
    assert found(*interests) == [
        ("upgrade", "samovar"),
        ("due", "tea"),
        ("viewed", "cup"),
        ("popular", "cup"),
    ]


def test_a_pick_says_in_the_leads_language_what_it_is_and_because_of_what() -> None:
    picks = recommend(shelf(said("pot", "bought", 5)), NOW)
    [samovar] = choose(spoken(picks, "hy-AM", "en"))
    assert {name: samovar[name] for name in ("title", "price", "because", "way")} == {
        "title": "«samovar»",
        "price": 90000,
        "because": "«pot»",
        "way": "upgrade",
    }


def test_a_rhythm_of_ones_own_counts_from_the_third_purchase() -> None:
    first = NOW - 40 * DAY
    assert due_at(Interest("tea", "bought", 2, first, NOW), 30) == NOW + 30 * DAY
    assert due_at(Interest("tea", "bought", 2, first, NOW), 30, quantity=2) == NOW + 60 * DAY
    assert due_at(Interest("tea", "bought", 3, first, NOW), 30) == NOW + 20 * DAY
    assert due_at(Interest("tea", "bought", 3, first, NOW), None) is None


INTERESTS = st.lists(
    st.builds(
        said,
        st.sampled_from([*PRODUCTS, "unknown"]),
        st.sampled_from(["bought", "viewed", "carted", "wanted"]),
        st.integers(0, 400),
    ),
    unique_by=lambda one: (one.product, one.kind),
    max_size=12,
)


@given(INTERESTS, st.randoms())
def test_it_is_always_the_same_and_never_what_cannot_be_had(interests: list[Interest], draw: Any) -> None:
    picks = found(*interests)
    draw.shuffle(interests)
    assert found(*interests) == picks
    assert {way for way, _ in picks} <= WAYS.keys()
    assert all(id_ != "tin" for _, id_ in picks)
    bought = {one.product for one in interests if one.kind == "bought"}
    fresh = {id_ for way, id_ in picks if way in ("together", "related", "upgrade", "popular")}
    assert not fresh & bought
