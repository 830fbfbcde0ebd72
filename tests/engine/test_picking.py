"""Who gets a lead, and why: of made-up people on a made-up Monday."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.picking import Handover, Standing, pick
from dripline.language.people import Rule
from dripline.language.plan import Hours, Person, Team

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
OFFICE = (Hours(start=9 * 60, end=18 * 60, days=(0, 1, 2, 3, 4)),)
EVENINGS = (Hours(start=18 * 60, end=22 * 60, days=(0, 1, 2, 3, 4)),)
PEOPLE = {
    "anna": Person(languages=("hy", "en"), hours=OFFICE),
    "aram": Person(languages=("ru",), hours=OFFICE, most=3),
    "lilit": Person(hours=EVENINGS),
    "boss": Person(),
}
SALES = Team(people=("anna", "aram", "lilit"), by="best-first", fallback="boss", enough=10)


def chosen(at: datetime = MONDAY, standings: Mapping[str, Standing] | None = None, **more: Any) -> Any:
    given: dict[str, Any] = {"team": "sales", "of": SALES, "people": PEOPLE, "by": "best-first"}
    wanted = Handover(**{**given, "timezone": "UTC", **more})
    return pick(wanted, standings or {}, at)


def why(choice: Any) -> dict[str, str]:
    return {one.person: one.why for one in choice.looked}


def test_the_best_gets_it_by_their_own_rate_once_they_had_enough() -> None:
    standings = {"anna": Standing(given=40, won=4), "aram": Standing(given=20, won=5)}
    choice = chosen(standings=standings)
    assert (choice.person, choice.how) == ("aram", "best-first")
    assert why(choice) == {
        "aram": "won 5 of 20 leads (25%)",
        "anna": "comes after: won 4 of 40 leads (10%)",
        "lilit": "is not at work until Mon 02 Mar 18:00",
    }


def test_one_lucky_lead_makes_nobody_the_best() -> None:
    standings = {"anna": Standing(given=40, won=8), "aram": Standing(given=1, won=1, open=1)}
    choice = chosen(standings=standings)
    assert choice.person == "aram" or why(choice)["aram"].startswith("comes after")
    assert "won 1 of 1 leads, too few to tell: counts like the whole team (22%)" in why(choice)["aram"]


def test_who_speaks_the_language_comes_before_who_is_better() -> None:
    standings = {"anna": Standing(given=40, won=1), "aram": Standing(given=40, won=30)}
    choice = chosen(standings=standings, language="hy-AM")
    assert choice.person == "anna"
    assert why(choice)["aram"] == "does not speak hy"


def test_where_nobody_speaks_it_somebody_is_better_than_nobody() -> None:
    of = replace_people(SALES, "anna", "aram")
    assert chosen(of=of, language="ka").person in ("anna", "aram")


def replace_people(team: Team, *names: str) -> Team:
    return team.model_copy(update={"people": names})


def test_at_night_it_is_theirs_who_begin_first() -> None:
    choice = chosen(at=MONDAY.replace(hour=20))
    assert choice.person == "lilit"
    assert why(choice)["anna"] == "is not at work until Tue 03 Mar 09:00"
    assert chosen(at=datetime(2026, 3, 7, 12, tzinfo=UTC)).person in (
        "anna",
        "aram",
    )  # a Saturday: Monday morning


def test_who_is_away_full_or_did_not_react_is_passed_over_and_then_there_is_the_fallback() -> None:
    standings = {"aram": Standing(open=3), "lilit": Standing(away=True)}
    choice = chosen(standings=standings, not_again=frozenset({"anna"}))
    assert (choice.person, choice.how) == ("boss", "fallback")
    assert why(choice) == {
        "boss": "takes what nobody else can",
        "anna": "had the lead and did not react",
        "aram": "has 3 open leads, and takes 3 at most",
        "lilit": "is away",
    }
    alone = chosen(standings={**standings, "boss": Standing(away=True)}, not_again=frozenset({"anna"}))
    assert (alone.person, alone.how) == (None, "nobody")


def test_round_robin_gives_to_who_has_waited_longest() -> None:
    standings = {
        "anna": Standing(last_given=MONDAY - timedelta(hours=1), turn=7),
        "aram": Standing(last_given=MONDAY - timedelta(hours=2), turn=5),
    }
    assert chosen(by="round-robin", standings=standings).person == "aram"
    del standings["anna"]
    assert chosen(by="round-robin", standings=standings).person == "anna"  # never had one


def test_load_gives_to_who_has_the_fewest_open_leads() -> None:
    assert chosen(by="load", standings={"anna": Standing(open=2), "aram": Standing(open=1)}).person == "aram"


def test_an_owner_keeps_the_lead_unless_they_are_away() -> None:
    assert chosen(owner="boss", keep_owner=True).how == "kept"
    away = chosen(owner="boss", keep_owner=True, standings={"boss": Standing(away=True)})
    assert away.person in SALES.people
    assert chosen(owner="boss").person in SALES.people


standing = st.builds(
    Standing,
    open=st.integers(0, 5),
    given=st.integers(0, 30),
    won=st.integers(0, 30),
    away=st.booleans(),
    last_given=st.none() | st.integers(0, 90).map(lambda days: MONDAY - timedelta(days=days)),
).map(lambda one: replace(one, won=min(one.won, one.given)))


@given(
    st.fixed_dictionaries(dict.fromkeys(PEOPLE, standing)),
    st.sampled_from(get_args(Rule)),
    st.integers(0, 24 * 7).map(lambda hours: MONDAY + timedelta(hours=hours)),
    st.sampled_from([None, "hy", "ru-RU", "ka"]),
    st.sets(st.sampled_from(sorted(PEOPLE))).map(frozenset),
)
def test_whatever_the_rule_nobody_gets_a_lead_who_cannot_and_every_choice_has_its_reasons(
    standings: dict[str, Standing], by: Rule, at: datetime, language: str | None, not_again: frozenset[str]
) -> None:
    choice = chosen(at=at, standings=standings, by=by, language=language, not_again=not_again)
    if choice.person is not None:
        assert not standings[choice.person].away
        assert choice.person not in not_again
        most = PEOPLE[choice.person].most
        assert most is None or standings[choice.person].open < most
        assert (choice.looked[0].person, choice.looked[0].taken) == (choice.person, True)
    assert {one.person for one in choice.looked} >= set(SALES.people)
    assert all(one.why for one in choice.looked)
