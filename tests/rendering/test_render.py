"""Messages as they leave."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dripline.language.plan import EventFilter, Plan, StopStep, TemplateSource, Trigger
from dripline.language.project import load_project
from dripline.language.template_grammar import FORMATS
from dripline.rendering import Rendered, RenderError, render
from dripline.rendering.formats import FORMATTERS

ROOT = Path(__file__).parents[2]
YEREVAN = ZoneInfo("Asia/Yerevan")
SCOPE: dict[str, Any] = {
    "lead": {"first_name": "Անի", "timezone": "Asia/Yerevan", "company": None, "tags": ["tea", "jam"]},
    "event": {
        "at": datetime(2026, 3, 9, 11, tzinfo=UTC),
        "on": date(2026, 3, 9),
        "total": 1234.5,
        "items": ["tea", "jam"],
    },
    "demo": {"starts_at": datetime(2026, 3, 9, 11, tzinfo=UTC)},
}


@pytest.fixture(scope="module")
def welcome() -> Plan:
    return load_project(ROOT).plans["welcome"]


def plan_of(markup: Any, body: str, subject: str | None = "Hello", preheader: str | None = None) -> Plan:
    source = TemplateSource(markup=markup, body=body, subject=subject, preheader=preheader)
    channel = "sms" if markup == "text" else "email"
    return Plan(
        journey="j",
        title="J",
        timezone="Asia/Yerevan",
        locale="en",
        currency="AMD",
        senders={},
        trigger=Trigger(on=EventFilter(events=("lead.created",))),
        steps=(StopStep(id="x", reason="x"),),
        templates={f"{channel}:t": {"en": source}},
    )


def sms(body: str, scope: dict[str, Any] | None = None, locale: str = "en") -> str:
    return render(plan_of("text", body), "sms", "t", locale, scope or SCOPE).text


def email(markup: str, body: str, scope: dict[str, Any] | None = None, **head: str | None) -> Rendered:
    return render(plan_of(markup, body, **head), "email", "t", "en", scope or SCOPE)


def failure(body: str, scope: dict[str, Any] | None = None) -> str:
    with pytest.raises(RenderError) as failed:
        sms(body, scope)
    assert failed.value.__cause__ is None
    return failed.value.code


@pytest.mark.parametrize(
    ("lead_locale", "locale", "subject"),
    [
        ("hy-AM", "hy", "Բարի գալուստ Dripline, Անի"),
        ("hy", "hy", "Բարի գալուստ Dripline, Անի"),
        ("ru_RU", "ru", "Добро пожаловать в Dripline, Անի"),
        ("en-GB", "en", "Welcome to Dripline, Անի"),
        ("fr", "en", "Welcome to Dripline, Անի"),
        ("am-ET", "am", "እንኳን ወደ Dripline በደህና መጡ፣ Անի"),
        (None, "en", "Welcome to Dripline, Անի"),
        ("", "en", "Welcome to Dripline, Անի"),
        ("no language at all", "en", "Welcome to Dripline, Անի"),
    ],
)
def test_a_message_is_in_the_leads_language(
    welcome: Plan, lead_locale: str | None, locale: str, subject: str
) -> None:
    rendered = render(welcome, "email", "welcome/hello", lead_locale, SCOPE)
    assert (rendered.locale, rendered.subject) == (locale, subject)


@pytest.mark.parametrize("locale", ["en", "hy", "ru", "am"])
@pytest.mark.parametrize("lead", [{}, {"first_name": "Ani", "company": "Tea & Co"}])
def test_every_template_of_the_repository_renders_with_and_without_names(
    welcome: Plan, locale: str, lead: dict[str, Any]
) -> None:
    for key in welcome.templates:
        channel, template = key.split(":")
        for demo in ({}, {"starts_at": datetime(2026, 3, 9, 11, tzinfo=UTC)}):
            rendered = render(welcome, channel, template, locale, {"lead": lead, "demo": demo})
            assert "{" not in rendered.text
            assert (rendered.html is None) == (channel == "sms")


def test_an_email_has_html_and_a_text_part(welcome: Plan) -> None:
    rendered = render(welcome, "email", "welcome/hello", "en", SCOPE)
    assert rendered.html is not None
    assert rendered.html.lower().startswith("<!doctype html>")
    assert "Hello Անի," in rendered.html
    assert "Hello Անի," in rendered.text
    assert "[Book a demo](https://dripline.example/demo)" in rendered.text
    assert "<" not in rendered.text


def test_the_preheader_is_in_the_page_unseen_and_not_in_the_text() -> None:
    rendered = email("md", "Body", preheader="Psst, {{ lead.first_name }} & co")
    assert rendered.html is not None
    assert "display:none" in rendered.html
    assert "Psst, Անի &amp; co" in rendered.html
    assert "Psst" not in rendered.text


def test_nothing_is_fetched_from_elsewhere(welcome: Plan) -> None:
    rendered = render(welcome, "email", "welcome/hello", "en", SCOPE)
    assert rendered.html is not None
    addresses = set(re.findall(r"""https?://[^\s"'<>)]+""", rendered.html))
    assert addresses == {
        "https://dripline.example/demo",
        "https://links.example/unsubscribe",
        "http://www.w3.org/1999/xhtml",
    }
    page = '<html><head><link rel="stylesheet" href="http://127.0.0.1:9/x.css"></head><body>x</body></html>'
    assert email("html", page).text == "x\n"


def test_styles_are_put_to_their_elements() -> None:
    rendered = email("html", "<style>p {color: red}</style><body><p>x</p></body>")
    assert rendered.html is not None
    assert re.search(r'<p style="color: red;?">', rendered.html)


@pytest.mark.parametrize("markup", ["html", "mjml", "md"])
def test_values_are_escaped(markup: str) -> None:
    bodies = {
        "html": '<p title="{{ lead.x }}">{{ lead.x }}</p>',
        "mjml": "<mjml><mj-body><mj-section><mj-column><mj-text>{{ lead.x }}</mj-text>"
        "</mj-column></mj-section></mj-body></mjml>",
        "md": "Hello {{ lead.x }}",
    }
    evil = '"><script>alert(1)</script>[x](http://evil.example)<b>'
    rendered = email(markup, bodies[markup], {"lead": {"x": evil}})
    assert rendered.html is not None
    tags = _Tags()
    tags.feed(rendered.html)
    assert not any(tag.startswith(("script ", "b ", "a ")) for tag in tags.found)
    assert "alert(1)" in rendered.text


class _Tags(HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(f"{tag} {sorted(name for name, _ in attrs)}")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.sampled_from(["md", "html"]))
def test_no_value_adds_a_tag(value: str, markup: str) -> None:
    body = "x {{ lead.x }} y" if markup == "md" else "<p>x {{ lead.x }} y</p>"
    found = []
    for text in (value, "plain"):
        tags = _Tags()
        tags.feed(email(markup, body, {"lead": {"x": text}}).html or "")
        found.append(tags.found)
    assert found[0] == found[1]


def test_a_subject_is_one_line() -> None:
    rendered = email(
        "md", "x", {"lead": {"x": "Hi\r\nBcc: evil@example.com"}}, subject="{{ lead.x }} & <you>"
    )
    assert rendered.subject == "Hi Bcc: evil@example.com & <you>"


def test_the_steps_subject_takes_the_place_of_the_templates(welcome: Plan) -> None:
    rendered = render(welcome, "email", "welcome/hello", "en", SCOPE, subject="For {{ lead.first_name }}")
    assert rendered.subject == "For Անի"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{{ lead.nobody }}", "empty-value"),
        ("{{ lead.company }}", "empty-value"),
        ("{{ nobody.at.all }}", "empty-value"),
        ("{{ lead.nobody | upper }}", "empty-value"),
        ("{{ lead.nobody | date }}", "empty-value"),
        ("{{ 'a' ~ lead.nobody }}", "empty-value"),
        ("{% for x in lead.nobody %}{% endfor %}x", "empty-value"),
        ("{{ lead.__class__ }}", "empty-value"),
        ("{{ lead }}", "not-a-text"),
        ("{{ lead.tags }}", "not-a-text"),
        ("{{ lead.first_name | date }}", "not-a-date"),
        ("{{ lead.first_name | money }}", "not-a-number"),
        ("{{ event.total | money('nope') }}", "no-currency"),
        ("{{ event.at | date('wide') }}", "unknown-format"),
        ("{{ event.total / 0 }}", "division-by-zero"),
        ("{{ lead.first_name > 3 }}", "cannot-compare"),
        ("  {% if lead.nobody %}x{% endif %} ", "empty-message"),
        ("{% include 'x' %}", "bad-template"),
    ],
)
def test_a_message_with_a_hole_is_never_made(body: str, code: str) -> None:
    assert failure(body) == code


def test_the_names_that_lack_are_told() -> None:
    body = "{{ lead.nobody }}{{ lead.first_name }}{% for x in lead.many %}{{ x }}{% endfor %}{{ lead.y | default(1) }}"
    with pytest.raises(RenderError) as failed:
        email("md", body, subject="{{ event.nothing }}")
    assert failed.value.lacking == ("event.nothing", "lead.many", "lead.nobody")
    assert str(failed.value) == "empty-value: event.nothing, lead.many, lead.nobody"


def test_what_is_asked_for_first_may_lack() -> None:
    assert sms("Hi{% if lead.nobody %} {{ lead.nobody }}{% endif %}!") == "Hi!"
    assert sms("Hi {{ lead.nobody | default('you') }}") == "Hi you"


def test_work_and_size_are_bounded() -> None:
    many = {"lead": {"many": list(range(900)), "long": "x" * 9_000}}
    nested = "{% for a in lead.many %}{% for b in lead.many %}x{% endfor %}{% endfor %}"
    assert failure(nested, many) == "too-many-passes"
    assert failure("{% for a in lead.many %}{{ lead.long }}{% endfor %}", many) == "too-long"
    doubling = "{% set a = lead.long %}" + "{% set a = a ~ a %}" * 30 + "{{ a }}"
    assert failure(doubling, many) == "too-long"


def test_loops_go_through_lists() -> None:
    body = (
        "{% for tag in lead.tags %}{{ loop.index }}. {{ tag }}{% if not loop.last %}, {% endif %}{% endfor %}"
    )
    assert sms(body) == "1. tea, 2. jam"


def test_an_error_says_nothing_of_the_lead() -> None:
    with pytest.raises(RenderError) as failed:
        sms("{{ lead.first_name | money }}")
    assert str(failed.value) == "not-a-number"


def test_a_template_that_is_not_in_the_plan_is_an_error(welcome: Plan) -> None:
    with pytest.raises(RenderError, match="no-template"):
        render(welcome, "email", "welcome/nothing", "en", SCOPE)


def test_mjml_that_breaks_when_it_is_filled_is_an_error() -> None:
    with pytest.raises(RenderError, match="bad-mjml"):
        email("mjml", "<mjml><mj-body>{% if lead.first_name %}<mj-section>{% endif %}</mj-body></mjml>")


def test_the_filters_that_are_declared_are_there() -> None:
    assert set(FORMATTERS) == set(FORMATS)


def _rows() -> list[tuple[str, str]]:
    docs = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    section = docs.split("## Templates")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `[a-z]+.*?` \| `(.+?)` \| (.+?) \|$", section, re.MULTILINE)
    return [(source.replace("\\|", "|"), result) for source, result in rows]


def test_the_table_of_formats_is_in_the_docs() -> None:
    assert len(_rows()) == 9


@pytest.mark.parametrize(("source", "result"), _rows())
def test_every_row_of_the_table_of_formats_is_true(source: str, result: str) -> None:
    assert sms("{{ " + source + " }}") == result


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "Mar 9, 2026, 3:00:00 PM March 9, 2026 1,234.5"),
        ("en-GB", "9 Mar 2026, 15:00:00 9 March 2026 1,234.5"),
    ],
)
def test_what_is_printed_without_a_filter_is_written_for_the_reader(locale: str, text: str) -> None:
    assert sms("{{ event.at }} {{ event.on }} {{ event.total }}", locale=locale) == text


def test_a_reader_of_another_language_gets_the_formats_of_the_message() -> None:
    assert sms("{{ event.total | number }}", locale="de") == "1,234.5"


def test_moments_are_in_the_zone_that_the_engine_counts_in() -> None:
    body = "{{ event.at | time }}"
    berlin = {**SCOPE, "now": datetime(2026, 3, 1, tzinfo=ZoneInfo("Europe/Berlin"))}
    assert sms(body, berlin) == "12:00 PM"
    assert sms(body, {**SCOPE, "lead": {"timezone": "Europe/London"}}) == "11:00 AM"
    assert sms(body, {**SCOPE, "lead": {}}) == "3:00 PM"
    assert sms(body, {**SCOPE, "lead": {"timezone": "Nowhere/Land"}}) == "3:00 PM"


def test_money_is_in_the_workspaces_currency_unless_said() -> None:
    assert sms("{{ 1500 | money }}") == "AMD 1,500.00"


def test_an_sms_has_no_odd_spaces() -> None:
    assert sms("{{ event.at | time }}").isascii()


def test_a_cached_message_renders_in_well_under_ten_milliseconds(welcome: Plan) -> None:
    render(welcome, "email", "welcome/hello", "hy", SCOPE)
    best = min(_seconds(welcome) for _ in range(20))
    assert best < 0.01


def _seconds(plan: Plan) -> float:
    began = time.perf_counter()
    render(plan, "email", "welcome/hello", "hy", SCOPE)
    return time.perf_counter() - began
