"""Forms of a workspace: what must hold of them is told at its place."""

from __future__ import annotations

import pytest

from dripline.language.forms import in_words
from tests.language.conftest import WORKSPACE, Folder

GOOD = """
forms:
  news:
    title: {en: News}
    fields: {email: {label: E-mail, required: true}, plan: {label: Plan, options: {team: Team}}}
    consent: {wording: "Yes, write to me.", topics: [newsletter]}
    origins: ["https://www.example.com", "http://localhost:3000"]
    redirect: https://www.example.com/thanks
"""
JOURNEY = (
    "journey: j\ntrigger: {event: lead.created}\nmessages: {topic: newsletter}\nsteps:\n  - email: hello\n"
)


def told(folder: Folder, text: str) -> list[str]:
    folder.write("dripline.yaml", WORKSPACE + text)
    folder.write("journeys/j.yaml", JOURNEY)
    return [f"{one.code}: {one.message}" for one in folder.load().problems]


def test_a_form_that_is_whole_has_no_problem(folder: Folder) -> None:
    assert told(folder, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("plan: {label", "paln: {label", "unknown-field: neither leads nor `form.submitted` have `paln`"),
        ("label: Plan", "label: Plan, to: email", "unknown-field: `email` becomes `email` too"),
        ("topics: [newsletter]", "topics: [news]", "unknown-topic: no topic `news` is declared"),
        (
            "topics",
            "channels: [sms], topics",
            "no-reach: the form asks for consent to sms, but not for `phone`",
        ),
        ("{en: News}", "{hy: News}", "missing-words: this is not said in `en`"),
        ("https://www.example.com/thanks", "/thanks", "bad-redirect: `/thanks` is no address of a page"),
        (
            "http://localhost:3000",
            "http://a.example",
            "bad-origin: `http://a.example` is no origin of a site",
        ),
        ('e.com",', 'e.com/",', "bad-origin: `https://www.example.com/` is no origin of a site"),
        ("email: {label", "consent: {label", "bad-name: `consent` is no name of a field"),
        ("news:", "static:", "bad-id: `static` is taken by the files of all forms"),
        (
            "redirect",
            "properties: {seats: '8'}\n    redirect",
            "unknown-property: `form.submitted` has no `seats` of yours",
        ),
    ],
)
def test_what_is_wrong_with_a_form_is_told(folder: Folder, old: str, new: str, problem: str) -> None:
    assert problem in told(folder, GOOD.replace(old, new))


def test_the_place_of_a_problem_is_that_of_the_field(folder: Folder) -> None:
    folder.write("dripline.yaml", WORKSPACE + GOOD.replace("plan: {label", "paln: {label"))
    folder.write("journeys/j.yaml", JOURNEY)
    [problem] = folder.load().problems
    line = folder.root.joinpath("dripline.yaml").read_text().splitlines()[problem.line - 1]
    assert line[problem.column - 1 :].startswith("paln")
    assert problem.hint == "did you mean `plan`?"


def test_words_are_in_the_wanted_language_else_in_the_default() -> None:
    words = {"en": "Name", "hy": "Անուն"}
    assert [in_words(words, one, "en") for one in ("hy-AM", "hy", "fr")] == ["Անուն", "Անուն", "Name"]
    assert in_words({"*": "E-mail"}, "ru", "en") == "E-mail"
