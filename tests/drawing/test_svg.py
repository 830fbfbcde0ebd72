from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.drawing import Count, draw
from dripline.drawing.png import to_png
from dripline.drawing.text import clean, shorten, width, wrap
from dripline.language.plan import DelayStep, Duration, Plan, StopStep
from tests.engine.plans import WELCOME, email, plan

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    """Every text of a picture."""
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_a_picture_says_what_happens_in_the_words_of_the_reader() -> None:
    said = texts(draw(WELCOME))
    for words in (
        "On lead.created",
        "once per lead",
        "E-mail hello",
        "Wait 2 days",
        "Wait for demo.booked",
        "if event.seats >= 5",
        "at most 3 days",
        "demo.booked comes",
        "not in 3 days",
        "SMS see-you-there",
        "End: booked",
        "End: finished",
        "At any time, wherever a lead stands:",
        "Goal: order.paid",
        "within 30 days",
        "worth event.total",
        "ends: unsubscribed",
    ):
        assert words in said


def test_a_picture_can_be_read_out() -> None:
    svg = ET.fromstring(draw(WELCOME))
    assert svg.attrib["role"] == "img"
    assert svg.attrib["aria-label"] == "Welcome"
    title, desc = svg[:2]
    assert (title.tag, title.text) == (f"{SVG}title", "Welcome")
    assert "E-mail hello; Wait 2 days; Wait for demo.booked" in str(desc.text)


def test_the_ids_of_steps_are_told_to_whoever_points_at_them() -> None:
    titles = [element.text for element in ET.fromstring(draw(WELCOME)).iter(f"{SVG}title")]
    assert "Wait 2 days (after email:hello)" in titles


def test_numbers_stand_at_their_steps() -> None:
    counts = {"demo": Count(here=1_234, passed=98_765), "stop": Count(passed=7)}
    said = texts(draw(WELCOME, counts))
    assert {"1,234 here", "98,765 passed", "7 ended"} <= set(said)
    assert said.count("0 passed") == 4, "where nobody was, that is said"
    assert not [text for text in texts(draw(WELCOME)) if "passed" in text]


def test_a_part_of_a_page_brings_no_style_of_its_own() -> None:
    assert "<style>" in draw(WELCOME)
    page = draw(WELCOME, alone=False)
    assert "<style>" not in page
    assert "style=" not in page
    assert "currentColor" in page


@given(st.text(max_size=80))
def test_whatever_an_author_writes_stays_text(words: str) -> None:
    hostile = plan(
        email("hello", next="stop", condition=words or None),
        StopStep(id="stop", reason=f"</text><script>{words}"),
        title=words,
    )
    svg = ET.fromstring(draw(hostile))
    assert {element.tag for element in svg.iter()} <= {
        f"{SVG}{name}" for name in ("svg", "title", "desc", "style", "g", "path", "rect", "text")
    }


def test_the_everything_journey_keeps_its_brackets(everything: Plan) -> None:
    picture = draw(everything)
    assert "<script" not in picture
    assert ET.fromstring(picture).attrib["aria-label"] == "Ծննդյան օր <\"& 'all' verbs\">"


@given(st.text(max_size=200), st.integers(1, 4))
def test_lines_are_never_wider_than_their_room_nor_more_than_they_may(text: str, most: int) -> None:
    lines = wrap(text, 12.0, 180.0, most)
    assert len(lines) <= most
    assert all(width(line, 12.0) <= 180.0 for line in lines)
    if not lines or not lines[-1].endswith("…") or clean(text).endswith("…"):
        assert "".join(lines).replace(" ", "") == clean(text).replace(" ", "")


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("lead.vip", "lead.vip"),
        ("lead.plan == 'gold' and lead.score > 100", "lead.plan == 'gold' and…"),
        ("a" * 60, "a" * 29 + "…"),
        ("  two\n words ", "two words"),
    ],
)
def test_long_conditions_are_cut_between_words(text: str, short: str) -> None:
    assert shorten(text, 30) == short


def test_a_png_is_a_picture_twice_as_large() -> None:
    only = plan(DelayStep(id="d", duration=Duration(days=1)))
    svg = ET.fromstring(draw(only))
    png = to_png(draw(only, alone=False))
    assert png.startswith(b"\x89PNG")
    wide, tall = (int.from_bytes(png[at : at + 4]) for at in (16, 20))
    assert abs(wide - 2 * float(svg.attrib["width"])) <= 2
    assert abs(tall - 2 * float(svg.attrib["height"])) <= 2
