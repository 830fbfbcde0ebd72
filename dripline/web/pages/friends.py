"""Friends: how each program stands, who brought most, and what became of those who came last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from dripline.store.referrals import REFUSED, Leader, Standing, leaders, newest_named, standings
from dripline.web.pages.frame import Frame
from dripline.web.visit import visit

BEST = 10
"""Referrers that are shown of each program."""
NEWEST = 30
"""Friends who came last."""

WORDS = {
    "self": "the referrer itself, under another address",
    "loop": "brought the referrer, or stands further up",
    "customer": "had bought before",
    "device": "a device of the referrer, or of another friend",
    "network": "a network of the referrer, or of other friends",
    "shared": "shares what friends do not share",
    "again": "is somebody who was brought before",
    "limit": "the referrer had its rewards",
    "gone": "the referrer was erased",
}
"""Why a friend does not count, in words; what a person has said stands as it is."""


FACES = {
    "joined": "open",
    "purchased": "held",
    "returned": "uncertain",
    "rewarded": "finished",
    "refused": "left",
}
"""By state, the badge that looks like it."""


@dataclass(frozen=True)
class Person:
    """A lead as the pages name it, to those who may see names and to those who may not."""

    lead_id: str
    lead_email: str | None
    lead_phone: str | None = None
    lead_external_id: str | None = None


@dataclass(frozen=True)
class Shown:
    """A program as the page shows it."""

    name: str
    open: bool
    """Whether dripline.yaml still has it."""
    standing: Standing
    best: list[tuple[Person, Leader]]

    @property
    def refused(self) -> dict[str, int]:
        """How many were refused, by why in words."""
        found: dict[str, int] = {}
        for reason, number in sorted(self.standing.refused.items()):
            found[say_why(reason)] = found.get(say_why(reason), 0) + number
        return found

    @property
    def came(self) -> int:
        """Friends who came and were not refused."""
        return sum(number for state, number in self.standing.states.items() if state != REFUSED)


def add_friends(router: APIRouter, frame: Frame) -> None:
    """Add `/friends`."""

    @router.get("/friends")
    def friends() -> HTMLResponse:
        """Every program, its best referrers, and the newest friends of all."""
        with frame.store.read() as connection:
            found = {one.program: one for one in standings(connection)}
            names = [*frame.workspace.referrals, *(set(found) - set(frame.workspace.referrals))]
            programs = [
                Shown(
                    name,
                    name in frame.workspace.referrals,
                    found.get(name) or Standing(name, 0, 0, {}, {}),
                    [(Person(one.lead, one.email), one) for one in leaders(connection, name, limit=BEST)],
                )
                for name in names
            ]
            newest = newest_named(connection, NEWEST)
        rows = [(_person(row, "referrer"), _person(row, "friend"), row) for row in newest]
        return frame.page(
            "friends.html", here="friends", programs=programs, newest=rows, faces=FACES, why=say_why
        )


def say_why(reason: str | None) -> str:
    """Why a friend does not count. What a person has written may name somebody: it is for who may see names."""
    if not reason:
        return "the reason went with who was erased"
    if reason in WORDS:
        return WORDS[reason]
    return reason if visit().may("read-leads") else "somebody decided so"


def _person(row: Any, role: str) -> Person:
    names = ("id", "email", "phone", "external_id")
    return Person(*(getattr(row, f"{role}_{name}") for name in names))
