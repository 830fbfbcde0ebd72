"""The repository's journeys: what every reader of every language gets to see."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from dripline.engine.asked import survey_scope
from dripline.language.links import stand_in
from dripline.language.plan import Channel, MessageStep, Plan
from dripline.language.project import load_project
from dripline.language.recommending import RECOMMENDED
from dripline.rendering import render

ROOT = Path(__file__).parents[2]
LANGUAGES = ("en", "hy", "ru")
SMS_IN_TWO_PARTS = 134
"""Letters, where a text is not Latin."""

NOON = datetime(2026, 3, 9, 8, tzinfo=UTC)
DISCOUNT = {
    "percent": 20,
    "amount": 10000,
    "currency": "AMD",
    "code": "K7RWM-2PXQ4",
    "expires_on": date(2026, 4, 3),
}
NEEDED: dict[str, Any] = {
    "trigger": {
        "webinar": "Tea & journeys",
        "starts_at": NOON,
        "url": "https://live.example/w?id=7&k=1",
        "until": date(2026, 6, 15),
        "message": "Do you deliver tea?",
        "code": "K7RWM-2PXQ4",
        "percent": 20,
        "expires_on": date(2026, 4, 3),
        "title": "Assam tea",
    },
    "until": date(2026, 6, 15),
    "seller": {"name": "Aram Petrosyan", "person": "aram"},
    "event": {"product": "tea", "before": 45, "after": 39.5, "currency": "EUR"},
    "offer": DISCOUNT,
    "present": DISCOUNT,
    "cheaper": DISCOUNT,
    "friends": {
        "code": "K7RWM-2PXQ4",
        "link": "https://drip.example/r/K7RWM-2PXQ4",
        "qr": "https://drip.example/r/K7RWM-2PXQ4.png",
    },
    "reward": DISCOUNT,
    "answer": {"reason": "service"},
    "news": {"name": "product.back_in_stock", "title": "Assam tea"},
    RECOMMENDED: [
        {"id": way, "way": way, "title": "Teapot", "because": "Assam tea"}
        for way in ("related", "upgrade", "carted")
    ],
}
"""What templates may rely on."""

MORE: dict[str, Any] = {
    **NEEDED,
    "lead": {"first_name": "Ani", "company": "Tea & Co"},
    "trigger": {
        **NEEDED["trigger"],
        "ends_on": date(2026, 3, 31),
        "product": "Team",
        "reason": "price",
        "message": "How?",
    },
    "answer": {"reason": "missing"},
    "demo": {"starts_at": NOON},
    "news": {
        "name": "product.price_dropped",
        "title": "Assam tea",
        "before": 45,
        "after": 39.5,
        "currency": "EUR",
    },
    RECOMMENDED: [
        {"id": way, "way": way, "title": "Teapot", "because": "Assam tea", "price": 120, "currency": "USD"}
        for way in ("related", "upgrade", "carted")
    ],
}
"""What they may find besides."""


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    project = load_project(ROOT)
    assert not project.problems
    return project.plans


@pytest.mark.parametrize("scope", [{"lead": {}, "demo": {}, **NEEDED}, MORE], ids=["bare", "rich"])
def test_every_message_is_whole_in_each_of_its_languages(
    plans: dict[str, Plan], scope: dict[str, Any]
) -> None:
    for plan in plans.values():
        for channel, template, locale in _templates(plan):
            rendered = render(plan, channel, template, locale, {**scope, **_asked(plan, template, locale)})
            said = f"{rendered.subject or channel}\n{rendered.text}"
            assert rendered.locale == locale
            for blemish in ("{", "None", "..", " ,", " .", "  ", "թ.։"):
                assert blemish not in said, (template, locale, said)
            assert channel == "email" or len(rendered.text) <= SMS_IN_TWO_PARTS


def test_every_message_is_written_in_every_language_of_the_workspace(plans: dict[str, Plan]) -> None:
    for plan in plans.values():
        for key, sources in plan.templates.items():
            assert not _of_an_author(key) or set(sources) >= set(LANGUAGES), key


def test_welcome_speaks_amharic_from_the_question_to_the_offer(plans: dict[str, Plan]) -> None:
    for name in ("welcome", "welcome-opt-in"):
        assert all("am" in sources for sources in plans[name].templates.values())


def _asked(plan: Plan, template: str, locale: str) -> dict[str, Any]:
    """The survey that the message asks, if it asks one."""
    steps = [one for one in plan.steps if isinstance(one, MessageStep) and one.template == template]
    return survey_scope(plan, steps[0], locale, stand_in) if steps else {}


def _templates(plan: Plan) -> list[tuple[Channel, str, str]]:
    found: list[tuple[Channel, str, str]] = []
    for key, sources in plan.templates.items():
        template = key.partition(":")[2]
        channel: Channel = "sms" if key.startswith("sms:") else "email"
        found += [(channel, template, locale) for locale in sources if _of_an_author(key)]
    return found


def _of_an_author(key: str) -> bool:
    """Not a text of a `notify`, which stands in the journey itself and is for colleagues."""
    return "#" not in key
