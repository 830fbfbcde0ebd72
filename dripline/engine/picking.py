"""Choosing who looks after a lead. Pure: the store and the simulator say how everybody stands.

Whoever is away, full, or did not react before is passed over. Of the others those who speak the lead's language
come first, of those who are at work now, or will be soonest; and of these the rule decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from dripline.engine.working import at_work, zone_of_person
from dripline.language.plan import Person, Team

How = Literal[
    "best-first", "round-robin", "load", "named", "by-hand", "kept", "fallback", "nobody", "no-reaction"
]
"""How it came about who got a lead."""


@dataclass(frozen=True)
class Standing:
    """How somebody stands: open leads, how many were given and won, when the team gave them one last, whether away."""

    open: int = 0
    given: int = 0
    won: int = 0
    last_given: datetime | None = None
    turn: int = 0
    """Grows with every lead that the team gives to anybody: whose is least has waited longest."""
    away: bool = False


@dataclass(frozen=True)
class Looked:
    """Somebody who was looked at, and why they were taken or passed over."""

    person: str
    taken: bool
    why: str


@dataclass(frozen=True)
class Handover:
    """What is to be handed over to whom, by which rule."""

    team: str | None
    of: Team
    people: Mapping[str, Person]
    by: Literal["best-first", "round-robin", "load"]
    timezone: str
    """The workspace's zone."""
    language: str | None = None
    """The lead's (BCP 47)."""
    owner: str | None = None
    """Who has the lead now."""
    keep_owner: bool = False
    not_again: frozenset[str] = field(default_factory=frozenset)
    """Those who had the lead and did not react."""


@dataclass(frozen=True)
class Choice:
    """Who gets the lead; None: nobody can be had."""

    person: str | None
    how: How
    looked: tuple[Looked, ...]


def pick(wanted: Handover, standings: Mapping[str, Standing], at: datetime) -> Choice:
    """Who gets the lead at that instant, and why."""
    if wanted.team is None:
        name = wanted.of.people[0]
        return Choice(name, "named", (Looked(name, True, "is the one who was named"),))
    kept = _kept(wanted, standings)
    if kept is not None:
        return kept
    looked: dict[str, str] = {}
    left = _able(wanted, standings, looked)
    left = _speaking(wanted, left, looked)
    left = _working(wanted, left, at, looked)
    if not left:
        return _fallback(wanted, standings, looked)
    ranked = sorted(left, key=lambda name: _rank(wanted, standings, name))
    chosen, best = ranked[0], _grounds(wanted, standings, ranked[0])
    looked |= {name: f"comes after: {_grounds(wanted, standings, name)}" for name in ranked[1:]}
    told = [Looked(name, False, looked[name]) for name in wanted.of.people if name in looked]
    return Choice(chosen, wanted.by, (Looked(chosen, True, best), *told))


def _kept(wanted: Handover, standings: Mapping[str, Standing]) -> Choice | None:
    owner = wanted.owner
    if not wanted.keep_owner or owner is None or owner not in wanted.people or owner in wanted.not_again:
        return None
    if standings.get(owner, Standing()).away:
        return None
    return Choice(owner, "kept", (Looked(owner, True, "has the lead already"),))


def _able(wanted: Handover, standings: Mapping[str, Standing], looked: dict[str, str]) -> list[str]:
    left = []
    for name in wanted.of.people:
        stands, most = standings.get(name, Standing()), wanted.people[name].most
        if stands.away:
            looked[name] = "is away"
        elif name in wanted.not_again:
            looked[name] = "had the lead and did not react"
        elif most is not None and stands.open >= most:
            looked[name] = f"has {stands.open} open leads, and takes {most} at most"
        else:
            left.append(name)
    return left


def _speaking(wanted: Handover, left: list[str], looked: dict[str, str]) -> list[str]:
    """Those who speak the lead's language; all of them, where nobody does: better somebody than nobody."""
    if wanted.language is None:
        return left
    language = _base(wanted.language)
    speaking = [name for name in left if _speaks(wanted.people[name], language)]
    if not speaking:
        return left
    looked |= {name: f"does not speak {language}" for name in left if name not in speaking}
    return speaking


def _speaks(person: Person, language: str) -> bool:
    return not person.languages or language in map(_base, person.languages)


def _base(tag: str) -> str:
    return tag.replace("_", "-").split("-")[0].lower()


def _working(wanted: Handover, left: list[str], at: datetime, looked: dict[str, str]) -> list[str]:
    """Those who are at work; where nobody is, those whose work begins first."""
    begins = {name: at_work(wanted.people[name], at, wanted.timezone) for name in left}
    first = min(begins.values(), default=at)
    for name in left:
        if begins[name] > first:
            local = begins[name].astimezone(zone_of_person(wanted.people[name], wanted.timezone))
            looked[name] = f"is not at work until {local:%a %d %b %H:%M}"
    return [name for name in left if begins[name] == first]


def _fallback(wanted: Handover, standings: Mapping[str, Standing], looked: Mapping[str, str]) -> Choice:
    told = tuple(Looked(name, False, why) for name, why in looked.items())
    name = wanted.of.fallback
    if name is None or name in wanted.not_again or standings.get(name, Standing()).away:
        return Choice(None, "nobody", told)
    return Choice(name, "fallback", (Looked(name, True, "takes what nobody else can"), *told))


def _rank(wanted: Handover, standings: Mapping[str, Standing], name: str) -> tuple[float, float, int, int]:
    stands = standings.get(name, Standing())
    place = wanted.of.people.index(name)
    match wanted.by:
        case "best-first":
            return -rate_of(name, wanted.of, standings), stands.open, stands.turn, place
        case "load":
            return stands.open, 0, stands.turn, place
        case "round-robin":
            return 0, 0, stands.turn, place


def rate_of(name: str, team: Team, standings: Mapping[str, Standing]) -> float:
    """The share of leads that somebody won: their own once they had enough, before it the team's."""
    stands = standings.get(name, Standing())
    if stands.given >= team.enough:
        return stands.won / stands.given
    return team_rate(team.people, standings)


def team_rate(people: Sequence[str], standings: Mapping[str, Standing]) -> float:
    """The share of leads that all of them won together; nothing, where they had none."""
    every = [standings.get(name, Standing()) for name in people]
    given = sum(one.given for one in every)
    return sum(one.won for one in every) / given if given else 0.0


def _grounds(wanted: Handover, standings: Mapping[str, Standing], name: str) -> str:
    stands = standings.get(name, Standing())
    match wanted.by:
        case "best-first":
            won = f"won {stands.won} of {stands.given} leads"
            if stands.given >= wanted.of.enough:
                return f"{won} ({stands.won / stands.given:.0%})"
            mean = team_rate(wanted.of.people, standings)
            return f"{won}, too few to tell: counts like the whole team ({mean:.0%})"
        case "load":
            return f"has {stands.open} open leads"
        case "round-robin":
            if stands.last_given is None:
                return "had none of this team's leads yet"
            local = stands.last_given.astimezone(zone_of_person(wanted.people[name], wanted.timezone))
            return f"had the last one on {local:%a %d %b %H:%M}"
