"""No marketing e-mail leaves without the sender's postal address and a link to leave, and none says them twice."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.composing import compose
from dripline.language.links import stand_in
from dripline.language.plan import Plan, TemplateSource
from dripline.language.values import EvaluationError
from dripline.rendering import RenderError
from dripline.rendering.footer import with_footer
from tests.engine.plans import email, plan

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
ADDRESS = "Example Ltd, 1 Garden Street, Yerevan"
LEAVE, CHOOSE = "https://links.example/unsubscribe", "https://links.example/preferences"
ANI: dict[str, Any] = {"email": "ani@example.com", "locale": "en", "timezone": "UTC"}
CONTEXT: dict[str, Any] = {"variables": {}, "trigger": None, "event": None}


def a_plan(body: str, markup: Literal["html", "md", "mjml"] = "html", **more: Any) -> Plan:
    source = TemplateSource(markup=markup, body=body, subject="Hello")
    return plan(email("hello", **more), templates={"email:hello": {"en": source}})


def html_of(made: Plan, lead: dict[str, Any] = ANI, notice: bool = False) -> str:
    content = compose(made, made.steps[0].id, "email", "hello", CONTEXT, lead, NOW, notice)
    assert content.html is not None
    assert all(link in content.body for link in re.findall(r'href="(https://links[^"]+)"', content.html))
    return content.html


def shown(html: str) -> tuple[int, int]:
    """How often the address and a link to leave stand in what readers see."""
    seen = re.sub(r"<!--.*?-->|<(head|style|script)\b.*?</\1>", "", html, flags=re.S)
    return unescape(seen).count(ADDRESS), seen.count(f'href="{LEAVE}"')


@pytest.mark.parametrize(
    "body",
    [
        "<p>Hello</p>",
        "<html><body><p>Hello</p></body></html>",
        f"<p>{ADDRESS}</p>",
        '<p><a href="{{ unsubscribe_link() }}">Leave</a></p>',
        f'<p>{ADDRESS} <a href="{{{{ unsubscribe_link() }}}}">Leave</a></p>',
        "{% if lead.vip %}<a href='{{ unsubscribe_link() }}'>Leave</a>{% endif %}",
    ],
)
def test_what_a_template_lacks_stands_under_it_once(body: str) -> None:
    assert shown(html_of(a_plan(body))) == (1, 1)


@pytest.mark.parametrize(
    "unseen",
    [
        '<!-- {address} <a href="{leave}">x</a> -->',
        '<div style="display: none">{address} <a href="{leave}">x</a></div>',
        '<div hidden><div>x</div>{address} <a href="{leave}">x</a></div>',
        "<style>/* {address} {leave} */</style>",
        '<a title="{leave}">x</a>',
    ],
)
def test_what_readers_cannot_see_does_not_count(unseen: str) -> None:
    page = f"<body><p>Hello</p>{unseen.format(address=ADDRESS, leave=LEAVE)}</body>"
    made = with_footer(page, "en", {"": ADDRESS}, stand_in)
    footer = made.removeprefix(page.removesuffix("</body>"))
    assert (footer.count(ADDRESS), footer.count(f'href="{LEAVE}"')) == (1, 1)


def test_an_address_on_several_lines_is_the_same_address() -> None:
    page = "<body><p>Example Ltd<br>1 Garden Street<br>Yerevan</p></body>"
    assert ADDRESS not in with_footer(page, "en", {"": ADDRESS}, stand_in)


def test_a_template_that_says_all_of_it_is_left_alone() -> None:
    page = f'<body><p>{ADDRESS}</p><a href="{LEAVE}">Leave</a></body>'
    assert with_footer(page, "en", {"": ADDRESS}, stand_in) == page


@pytest.mark.parametrize(
    ("locale", "word"), [("en", "Unsubscribe"), ("hy", "Այլևս չստանալ"), ("ru-AM", "Отписаться")]
)
def test_the_footer_speaks_the_language_of_the_message(locale: str, word: str) -> None:
    address = {"en": "Yerevan", "hy": "Երևան", "ru": "Ереван"}
    made = with_footer("<p>Hello</p>", locale, address, stand_in)
    assert word in made
    assert address[locale[:2]] in made


def test_an_address_is_text_and_no_markup() -> None:
    made = with_footer("<p>Hello</p>", "en", {"": "<b>Us & Them</b>"}, stand_in)
    assert "&lt;b&gt;Us &amp; Them&lt;/b&gt;" in made


def test_what_the_lead_asked_for_and_notices_have_no_footer() -> None:
    assert shown(html_of(a_plan("<p>Hello</p>", transactional=True, topic=None))) == (0, 0)
    assert shown(html_of(a_plan("<p>Hello</p>"), notice=True)) == (0, 0)


def test_without_a_postal_address_a_marketing_e_mail_is_held() -> None:
    made = a_plan("<p>Hello</p>").model_copy(update={"postal_address": {}})
    with pytest.raises(RenderError, match="no-postal-address"):
        html_of(made)
    assert html_of(made, notice=True)


PIECES = st.sampled_from(
    [
        "Hello ",
        "**bold** ",
        "\n\n",
        "<p>",
        "</p>",
        "<div hidden>",
        "<div style='display:none'>",
        "</div>",
        "<!-- ",
        " -->",
        "</body>",
        "<body>",
        ADDRESS,
        "{{ unsubscribe_link() }}",
        '<a href="{{ unsubscribe_link() }}">Leave</a>',
        "[Leave]({{ unsubscribe_link() }})",
        "{{ preferences_link() }}",
        "<style>",
        "</style>",
    ]
)


@given(st.lists(PIECES, min_size=1, max_size=10), st.sampled_from(["html", "md"]))
def test_whatever_the_template_says_the_text_part_tells_both(
    pieces: list[str], markup: Literal["html", "md"]
) -> None:
    made = a_plan("".join(pieces), markup)
    try:
        content = compose(made, made.steps[0].id, "email", "hello", CONTEXT, ANI, NOW)
    except RenderError as error:
        assert error.code in ("no-footer", "empty-message")  # noqa: PT017
        return
    assert LEAVE in content.body
    assert "GardenStreet" in re.sub(r"[^A-Za-z]", "", content.body)


@pytest.mark.parametrize("end", ["<!-- ", "<style>", "<div hidden>", "<div style='display:none'>"])
def test_what_would_hide_the_footer_holds_the_message(end: str) -> None:
    with pytest.raises(EvaluationError, match="no-footer"):
        with_footer(f"<p>Hello</p>{end}", "en", {"": ADDRESS}, stand_in)
