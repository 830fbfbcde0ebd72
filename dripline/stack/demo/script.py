"""The demo's two hundred leads and all that they do: pure, and the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from dripline.stack.demo.behaviour import Act, Cast, Life
from dripline.stack.demo.fates import CASTS, REFERRERS
from dripline.stack.demo.people import person

SEED = 2026


def script(seed: int = SEED) -> list[Act]:
    """Everything that happens, in the order in which it does."""
    draw = random.Random(seed)  # noqa: S311 - believable, not secret
    lives: list[Life] = []

    def someone(cast: Cast) -> Life:
        taken = {life.person.email for life in lives}
        while (one := person(len(lives) + 1, draw, cast.languages, cast.countries)).email in taken:
            pass
        lives.append(Life(one, draw))
        return lives[-1]

    for cast in CASTS:
        for day in _days(cast, draw):
            cast.fate(someone(cast), day)
    for cast, later in REFERRERS:
        for day in _days(cast, draw):
            referrer, friend = someone(cast), someone(cast)
            cast.fate(referrer, day)
            _brings(referrer, friend, day + later)
    return sorted((act for life in lives for act in life.acts), key=lambda act: (act.days, act.key))


def _days(cast: Cast, draw: random.Random) -> Iterator[float]:
    """The days on which they come: evenly, and not quite."""
    for number in range(cast.count):
        yield cast.first + (number + draw.random()) / cast.count * (cast.last - cast.first)


def _brings(referrer: Life, friend: Life, day: float) -> None:
    """The friend comes and buys, and tells at the till by whose code; both may use what they get for it."""
    friend.comes(day)
    friend.pays(day + 2, friend_of=referrer.person.external_id)
    order = f"{friend.person.external_id}/again"
    friend.redeems(5, "referral/friends", "percent", after="friend-welcome/hello", order=order)
    if referrer.draw.random() < 0.5:
        referrer.redeems(8, "referral/friends", "amount", after="bring-a-friend/thank-you")
