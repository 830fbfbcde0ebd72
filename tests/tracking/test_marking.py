"""What is put into messages: into every template of this repository, and into HTML as people write it."""

from __future__ import annotations

import re
import uuid

import pytest

from dripline.language.project import load_project
from dripline.simulate.playing import play
from dripline.tracking import Marks, Tokens, unmarked
from tests.house.test_docs import ROOT

TOKENS = Tokens("a secret")
MESSAGE = uuid.UUID(int=7).hex
AT = "https://go.example.com"
OWN = ("https://drip.example.com/l/", f"{AT}/l/", f"{AT}/c/", f"{AT}/o/")
MARKS = Marks(TOKENS, MESSAGE, AT, OWN, clicks=True, opens=True)
CLICKS = Marks(TOKENS, MESSAGE, AT, OWN, clicks=True)


def led_to(html: str) -> list[str]:
    """Where the tracked links lead, in order."""
    found = [TOKENS.read_click(token) for token in re.findall(rf'"{AT}/c/([^"]+)"', html)]
    return [one.address for one in found if one is not None]


def sent() -> list[str]:
    """Every e-mail of every scenario of this repository."""
    project = load_project(ROOT)
    assert project.workspace is not None
    found: dict[str, None] = {}
    for journey, file in project.scenarios.items():
        for scenario in file.scenarios:
            for entry in play(scenario, journey, project.plans, project.workspace).timeline:
                if entry.letter and entry.letter.content and entry.letter.content.html:
                    found[entry.letter.content.html] = None
    return list(found)


def test_every_template_stays_to_the_letter_but_for_its_links_and_the_pixel() -> None:
    letters = sent()
    assert len(letters) > 50
    tracked = 0
    for html in letters:
        marked = MARKS.html(html)
        assert unmarked(marked, TOKENS) == html
        tracked += len(led_to(marked))
        assert marked.count("<img") == html.count("<img") + 1
        assert re.sub(r'href="[^"]*"', "", CLICKS.html(html)) == re.sub(r'href="[^"]*"', "", html)
    assert tracked > 50


def test_a_link_keeps_its_parameters_and_everything_around_it() -> None:
    html = (
        '<p>Now <a class="b" href="https://example.com/?a=1&amp;utm_source=x" title="a > b">look</a>.</p>\n'
    )
    marked = CLICKS.html(html)
    assert led_to(marked) == ["https://example.com/?a=1&utm_source=x"]
    assert re.sub(r'href="[^"]+"', "", marked) == re.sub(r'href="[^"]+"', "", html)


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://drip.example.com/l/abc">leave</a>',
        '<a href="https://go.example.com/l/abc">leave</a>',
        '<a href="mailto:ani@example.com">write</a>',
        '<a href="tel:+37491123456">call</a>',
        '<a href="javascript:alert(1)">no</a>',
        '<a href=" JAVASCRIPT:alert(1)">no</a>',
        '<a href="data:text/html,x">no</a>',
        '<a href="#top">up</a>',
        '<a href="/relative">here</a>',
        '<a href="">nowhere</a>',
        "<a href>nowhere</a>",
        '<a name="top">top</a>',
        '<a href="https://example.com/" data-no-track>as it is</a>',
        '<a data-no-track="yes" href="https://example.com/">as it is</a>',
        f'<a href="https://example.com/?{"q" * 2_000}">long</a>',
        '<!--[if mso]><a href="https://example.com/">old</a><![endif]-->',
        '<style>a[href="https://example.com/"] { color: red }</style>',
        '<img src="https://example.com/a.png"><link href="https://example.com/a.css">',
        '<p title="<a href=&quot;https://example.com/&quot;>">x</p>',
        "<a href='https://user:word@example.com/'>x</a>",
    ],
)
def test_what_is_no_link_of_the_open_web_or_our_own_stays_as_it_is(html: str) -> None:
    assert CLICKS.html(html) == html


@pytest.mark.parametrize(
    ("html", "address"),
    [
        ("<a href='https://example.com/'>x</a>", "https://example.com/"),
        ("<a href=https://example.com/>x</a>", "https://example.com/"),
        ('<A HREF = " https://example.com/ " >x</A>', "https://example.com/"),
        ('<a\n  title="href=1"\n  href="https://example.com/a">x</a>', "https://example.com/a"),
        ('<a href="https://example.com/1" href="https://example.com/2">x</a>', "https://example.com/1"),
        ('<a data-href="https://no.example" href="HTTPS://example.com/a">x</a>', "HTTPS://example.com/a"),
        ('<map><area href="https://example.com/map"></map>', "https://example.com/map"),
        ('<a href="https://example.com/?q=\'&lt;&gt;">x</a>', "https://example.com/?q='<>"),
        ('ԱԲԳ 😀\n\n<a href="https://հայ.am/">x</a>', "https://xn--y9a3aq.am/"),
        ('<a href="https://example.com/&nbsp;">x</a>', "https://example.com/%C2%A0"),
    ],
)
def test_a_link_is_found_however_it_is_written(html: str, address: str) -> None:
    assert led_to(CLICKS.html(html)) == [address]


@pytest.mark.parametrize(
    "html", ["<", "<a", "<a href=", '<a href="https://example.com', "<a href='", "<!--", "<!", "&", "</a", ""]
)
def test_broken_html_breaks_nothing(html: str) -> None:
    assert CLICKS.html(html) == html


def test_the_pixel_is_the_last_thing_of_the_page_and_alone_where_clicks_are_off() -> None:
    opens = Marks(TOKENS, MESSAGE, AT, OWN, opens=True)
    page = '<html><body><a href="https://example.com/">x</a></BODY></html>'
    marked = opens.html(page)
    found = re.search(rf'<img src="{AT}/o/([^"]+)\.gif"[^>]*></BODY></html>$', marked)
    assert found
    assert TOKENS.read_open(found[1]) == MESSAGE
    assert led_to(marked) == []
    assert opens.html("<p>no body").startswith("<p>no body<img")


def test_links_of_a_text_message_are_found_without_the_end_of_the_sentence() -> None:
    text = "See https://example.com/a, and (http://example.org/b?c=d). Bye: https://drip.example.com/l/x"
    marked = CLICKS.text(text)
    found = [TOKENS.read_click(token) for token in re.findall(rf"{AT}/c/([\w-]+)", marked)]
    assert [one.address for one in found if one] == ["https://example.com/a", "http://example.org/b?c=d"]
    assert re.sub(rf"{AT}/c/[\w-]+", "@", marked) == "See @, and (@). Bye: https://drip.example.com/l/x"
    assert Marks(TOKENS, MESSAGE, AT, OWN).text(text) == text
