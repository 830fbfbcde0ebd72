"""Surveys as marketers write them, and what answers mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dripline.language.surveys.answers import Answer, of_choice, of_quiz, of_reply
from dripline.language.surveys.entries import SurveyEntry
from dripline.language.surveys.picks import of_person
from tests.language.conftest import Folder

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def survey(**said: object) -> SurveyEntry:
    return SurveyEntry.model_validate(said)


NPS = survey(kind="nps", question="Would you recommend us?", comment="Why?").compiled()
CSAT = survey(kind="csat", question="Content?").compiled()
WHY = survey(
    kind="reasons",
    question="Why?",
    answers={
        "price": {"en": "Too expensive", "hy": "Շատ թանկ է"},
        "time": "No time",
        "other": "Something else",
    },
).compiled()
QUIZ = survey(
    kind="quiz",
    questions={
        "one": {"question": "1?", "answers": {"a": "A", "b": "B"}, "right": "a"},
        "two": {"question": "2?", "answers": {"a": "A", "b": "B"}, "right": "b"},
    },
).compiled()


@pytest.mark.parametrize(
    ("key", "group"),
    [
        ("0", "detractor"),
        ("6", "detractor"),
        ("7", "passive"),
        ("8", "passive"),
        ("9", "promoter"),
        ("10", "promoter"),
    ],
)
def test_a_number_puts_into_a_group(key: str, group: str) -> None:
    assert of_choice(NPS, key) == Answer(key, int(key), group)


def test_what_is_no_choice_answers_nothing() -> None:
    assert [of_choice(NPS, key) for key in ("11", "-1", "9.5", "", "nine")] == [None] * 5
    assert of_choice(WHY, "2") is None


def test_a_quiz_is_answered_once_all_questions_are() -> None:
    assert of_quiz(QUIZ, {"one": "a"}) is None
    assert of_quiz(QUIZ, {"one": "a", "two": "z"}) is None
    assert of_quiz(QUIZ, {"one": "a", "two": "a"}) == Answer("1/2", 50.0, None, {"one": "a", "two": "a"})


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("9", "9", None),
        (" 10/10! Great service", "10", "Great service"),
        ("7, quick and friendly.", "7", "quick and friendly"),
        ("９", "9", None),
        ("0", "0", None),
    ],
)
def test_a_reply_begins_with_the_number(text: str, key: str, words: str | None) -> None:
    found = of_reply(NPS, text)
    assert found is not None
    assert (found[0].answer, found[1]) == (key, words)


@pytest.mark.parametrize(
    "text", ["", "Who is this?", "11", "100", "9/5", "9.30 tomorrow?", "+37491123456", "-1"]
)
def test_a_reply_that_begins_otherwise_is_none(text: str) -> None:
    assert of_reply(NPS, text) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("1", "price"),
        ("price", "price"),
        ("too expensive, sorry", "price"),
        ("ՇԱՏ ԹԱՆԿ Է", "price"),
        ("3 hm", "other"),
    ],
)
def test_a_reason_is_given_by_number_key_or_words(text: str, key: str) -> None:
    found = of_reply(WHY, text)
    assert found is not None
    assert found[0].answer == key
    assert of_reply(WHY, "pricey") is None
    assert of_reply(WHY, "4") is None


def picks(*said: tuple[str, float]) -> list[tuple[str, datetime]]:
    return [(answer, AT + timedelta(seconds=after)) for answer, after in said]


def test_a_click_is_a_persons_and_the_last_one_counts() -> None:
    assert of_person(picks(("9", 60)), AT) == "9"
    assert of_person(picks(("3", 60), ("9", 63)), AT) == "9", "pressed the wrong one first"
    assert of_person([], AT) is None


def test_a_scanner_that_opens_every_link_answers_nothing() -> None:
    every = [(str(number), 20 + number * 0.3) for number in range(11)]
    assert of_person(picks(*every), AT) is None
    assert of_person(picks(*every, ("9", 600)), AT) == "9", "the person who comes later does"


def test_nobody_reads_and_answers_within_moments() -> None:
    assert of_person(picks(("9", 2)), AT) is None
    assert of_person(picks(("9", 2)), None) == "9", "where nothing stands between the message and its reader"


JOURNEY = """
journey: j
trigger: {event: lead.created}
messages: {topic: newsletter}
exit: [{event: lead.unsubscribed}]
steps:
  - survey: {ask: recommend, email: hello, timeout: 7 days}
    as: said
  - stop: glad
    if: "said is defined and said.score >= 9"
"""
SURVEYS = """
surveys:
  recommend: {kind: nps, question: Would you?}
  quiz: {kind: quiz, questions: {q: {question: Q, answers: {a: A, b: B}, right: a}}}
"""
LINKS = """---
subject: Hello
---
{{ survey.question }} {% for one in survey.answers %}[{{ one.label }}]({{ one.link }}) {% endfor %}
"""


def told(folder: Folder, journey: str = JOURNEY, template: str = LINKS) -> list[str]:
    file = folder.root / "dripline.yaml"
    file.write_text(file.read_text() + SURVEYS)
    folder.write("journeys/j.yaml", journey)
    for old in (folder.root / "templates").glob("hello.*"):
        old.unlink()
    for locale in ("en", "hy", "ru"):
        folder.write(f"templates/hello.{locale}.md", template)
        folder.write(f"templates/hello.{locale}.txt", "{{ survey.question }}")
    return [problem.code for problem in folder.load().problems if problem.severity == "error"]


def test_a_survey_that_can_be_answered_is_sound(folder: Folder) -> None:
    assert told(folder) == []


@pytest.mark.parametrize(
    ("said", "instead", "code"),
    [
        ("ask: recommend", "ask: recomend", "unknown-survey"),
        ("email: hello, ", "", "missing-key"),
        (", timeout: 7 days", "", "missing-key"),
        ("email: hello", "email: hello, sms: hello", "missing-key"),
        ("ask: recommend, email", "ask: quiz, sms", "wrong-value"),
        ("said.score", "said.scroe", "unknown-property"),
    ],
)
def test_what_is_wrong_with_a_survey_is_told(folder: Folder, said: str, instead: str, code: str) -> None:
    assert code in told(folder, JOURNEY.replace(said, instead))


def test_an_email_without_a_link_cannot_be_answered(folder: Folder) -> None:
    assert "unanswerable" in told(folder, template="---\nsubject: Hello\n---\n{{ survey.question }}\n")


def test_the_survey_can_be_read_in_its_own_message_alone(folder: Folder) -> None:
    assert "unknown-name" in told(folder, JOURNEY + "  - email: hello\n")


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "nps"},
        {"kind": "nps", "question": "Q", "answers": {"1": "A", "2": "B"}},
        {"kind": "csat", "question": "Q", "answers": {"1": "A", "2": "B"}},
        {"kind": "reasons", "question": "Q"},
        {"kind": "quiz", "question": "Q"},
        {
            "kind": "quiz",
            "questions": {"q": {"question": "Q", "answers": {"a": "A", "b": "B"}, "right": "c"}},
        },
    ],
)
def test_a_survey_that_says_too_little_or_too_much_is_refused(entry: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        survey(**entry)
