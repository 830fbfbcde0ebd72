"""The catalogue file, and what conditions and templates may ask of it."""

from __future__ import annotations

import pytest

from dripline.language.expressions import ExpressionError, compile_expression
from dripline.language.recommending import RECOMMENDED
from dripline.language.values import EvaluationError
from tests.language.conftest import WORKSPACE, Folder

FOUND = [
    {"id": "cup", "way": "together", "price": 20},
    {"id": "pot", "way": "together", "price": 120},
    {"id": "pot", "way": "related", "price": 120},
    {"id": "samovar", "way": "upgrade", "price": 900},
    {"id": "tea", "way": "popular", "price": 45},
]
HEAD = "journey: j\ntrigger: {event: lead.created}\nmessages: {topic: newsletter}\nsteps:\n"


def ids(source: str) -> list[str]:
    return [one["id"] for one in compile_expression(source).evaluate({RECOMMENDED: FOUND, "lead": {}})]


def test_products_come_way_by_way_and_each_once() -> None:
    assert ids("recommend(lead)") == ["cup", "pot", "samovar"]
    assert ids("recommend(lead, 2)") == ["cup", "pot"]
    assert ids("recommend(lead, 4, 'upgrade', 'popular', 'related')") == ["samovar", "tea", "pot"]
    assert ids("recommend(lead, 'carted')") == []


def test_what_was_found_is_data_like_any_other() -> None:
    assert compile_expression("recommend(lead)[1].price > 100").holds({RECOMMENDED: FOUND})
    assert not compile_expression("recommend(lead, 'due')").holds({RECOMMENDED: FOUND})


def test_where_nobody_looked_that_is_an_error_and_not_an_empty_list() -> None:
    with pytest.raises(EvaluationError, match="no-recommendations"):
        compile_expression("recommend(lead)").evaluate({})


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("recommend()", "write `recommend(lead)`"),
        ("recommend(event)", "write `recommend(lead)`"),
        ("recommend", "write `recommend(lead)`"),
        ("recommend(lead, 13)", "write `recommend(lead, 3)`"),
        ("recommend(lead, 3, 'togethr')", "did you mean `together`?"),
    ],
)
def test_what_is_asked_wrongly_is_told_with_the_cure(source: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as error:
        compile_expression(source)
    assert error.value.hint.startswith(hint)


def test_recommend_is_asked_where_somebody_looks(folder: Folder) -> None:
    folder.write(
        "journeys/j.yaml",
        HEAD
        + """\
        - set: {picks: "recommend(lead, 2)"}
        - email: hello
          if: "recommend(lead, 1, 'upgrade')"
        - branch:
            - when: "recommend(lead)[0].price > 100"
              steps: [{sms: hello}]
        - update: {plan: "{{ recommend(lead)[0].title }}"}
        """.replace("        ", "  "),
    )
    assert folder.told() == ["11:24 misplaced-recommend"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("tea: {title: Tea, upgrade: fine-te}\nfine-tea: {title: Fine}", "1:28 unknown-product"),
        ("tea: {title: Tea, related: [tea]}", "1:28 unknown-product"),
        ("tea: {title: Tea, price: 45.001}", "1:26 bad-amount"),
        ("tea: {title: Tea, prize: 45}", "1:19 unknown-key"),
        ("tea: {price: 45}", "1:6 missing-key"),
        ("a/b: {title: Tea}", "1:1 bad-id"),
        ("- tea", "1:1 wrong-type"),
    ],
)
def test_a_wrong_catalogue_is_told_at_its_place(folder: Folder, said: str, told: str) -> None:
    folder.write("products.yaml", said)
    assert [one.partition(":")[2] for one in folder.told() if one.startswith("products.yaml")] == [told]


def test_interests_name_events_and_properties_that_there_are(folder: Folder) -> None:
    rules = "products: {interests: {carted: {event: order.paid, product: event.itms}}}\n"
    folder.write("dripline.yaml", WORKSPACE + rules)
    problem, *_ = folder.load().problems
    assert (problem.code, problem.hint) == ("unknown-property", "did you mean `event.items`?")
