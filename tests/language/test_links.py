from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from dripline.language.links import AnswerLink, ConfirmLink, UnsubscribeLink, stand_in
from dripline.language.texts import reads
from tests.language.conftest import Folder

Check = Callable[[str], list[str]]

LEAVE = "{{ unsubscribe_link() }}"


def told(folder: Folder, check_steps: Check, body: str, steps: str = "- email: t\n") -> list[tuple[str, str]]:
    """What is wrong with a template of that body: place and code, and the hint."""
    folder.write("templates/t.en.md", f"---\nsubject: x\n---\n{body}\n")
    check_steps(steps)
    return [
        (f"{problem.line}:{problem.column} {problem.code}", problem.hint)
        for problem in folder.load().problems
        if problem.path == "templates/t.en.md"
    ]


def test_a_link_for_an_answer_says_a_declared_event_with_its_properties(
    folder: Folder, check_steps: Check
) -> None:
    body = "[Eight]({{ answer_link('demo.booked', seats=8) }}) " + LEAVE
    assert told(folder, check_steps, body) == []
    assert told(folder, check_steps, body.replace("8", "lead.id | length")) == []
    assert told(folder, check_steps, body.replace("8", "'8'")) == [], "ingest makes it a number"


@pytest.mark.parametrize(
    ("link", "code", "hint"),
    [
        ("answer_link('demo.boked', seats=8)", "unknown-event", "did you mean `demo.booked`?"),
        ("answer_link('party.over')", "unknown-event", "declare it under `events` in dripline.yaml"),
        ("answer_link('demo.booked', seat=8)", "unknown-property", "did you mean `seats`?"),
        ("answer_link('demo.booked', seats='many')", "wrong-type", ""),
        ("answer_link('demo.booked', starts_at='soon')", "wrong-type", ""),
        ("answer_link('order.paid', items=lead.email | default('-'))", "private-link", ""),
        ("answer_link('order.paid', items=lead.phone | default('-'))", "private-link", ""),
        ("answer_link('order.paid', items=lead.nobody)", "unknown-attribute", ""),
        ("answer_link('lead.unsubscribed')", "built-in-event", "write `unsubscribe_link()`"),
        ("answer_link('lead.confirmed', channel='email')", "built-in-event", "write `confirm_link()`"),
        ("answer_link('lead.created')", "built-in-event", "name an event of your own"),
    ],
)
def test_a_link_that_cannot_be_made_is_told_at_its_place(
    folder: Folder, check_steps: Check, link: str, code: str, hint: str
) -> None:
    [(place, said)] = told(folder, check_steps, f"first line\n{LEAVE} and {{{{ {link} }}}}")
    column = 33 + link.find("lead.nobody") if "nobody" in link else 33
    assert place == f"5:{column} {code}"
    assert hint in said


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{{ answer_link() }}", "write `answer_link('reason.given', reason='price')`"),
        ("{{ answer_link(reason='price') }}", "write `answer_link('reason.given', reason='price')`"),
        ("{{ answer_link(lead.plan) }}", "write `answer_link('reason.given', reason='price')`"),
        ("{{ answer_link('a', 'b') }}", "write `answer_link('reason.given', reason='price')`"),
        ("{{ answer_link('a', **lead) }}", "write `answer_link('reason.given', reason='price')`"),
        ("{{ unsubscribe_link }}", "write `unsubscribe_link()`"),
        ("{{ unsubscribe_link('news') }}", "write `unsubscribe_link()`"),
        ("{{ confirm_link(lead.email) }}", "write `confirm_link()`"),
        ("{{ unsubscribe_lnk() }}", "did you mean `unsubscribe_link`?"),
    ],
)
def test_a_link_that_is_written_otherwise_is_told_with_how_to_write_it(
    folder: Folder, check_steps: Check, text: str, hint: str
) -> None:
    assert told(folder, check_steps, text) == [("4:1 bad-template", hint)]


def test_a_subject_of_a_step_is_looked_at_too(folder: Folder, check_steps: Check) -> None:
    step = "- email: {template: hello, subject: \"{{ answer_link('demo.boked') }}\"}\n"
    assert check_steps(step) == ["6:41 unknown-event"]


def test_marketing_e_mails_want_a_postal_address_and_what_the_lead_asked_for_does_not(
    folder: Folder, check_steps: Check
) -> None:
    known = (folder.root / "dripline.yaml").read_text()
    assert check_steps("- email: hello\n") == []
    folder.write("dripline.yaml", "\n".join(one for one in known.splitlines() if "postal" not in one))
    assert [one.split()[-1] for one in check_steps("- email: hello\n- email: hello\n")] == [
        "no-postal-address"
    ]
    assert check_steps("- email: {template: hello, transactional: true}\n") == []
    assert check_steps("- sms: hello\n") == []


def test_links_are_for_readers_only(folder: Folder, check_steps: Check) -> None:
    assert [place.split()[1] for place in check_steps("- branch:\n    - {when: confirm_link(), steps: []}\n")]
    step = "- webhook: {url: 'https://crm.example.com', body: {at: 'x {{ unsubscribe_link() }}'}}\n"
    assert any("bad-template" in one for one in check_steps(step))
    with pytest.raises(Exception, match="cannot be called"):
        reads("see {{ confirm_link() }}")


def test_the_names_of_links_are_taken(check_steps: Check) -> None:
    assert check_steps("- set: {confirm_link: 1}\n- email: hello\n") == ["6:9 bad-name"]


def test_a_stand_in_says_what_it_stands_for() -> None:
    link = AnswerLink("reason.given", {"reason": "too dear", "a": 1})
    assert stand_in(link) == "https://links.example/answer/reason.given?a=1&reason=too+dear"
    assert stand_in(ConfirmLink()) == "https://links.example/confirm"
    assert stand_in(UnsubscribeLink()) == "https://links.example/unsubscribe"
    assert stand_in(AnswerLink("x", {}), "http://here/l/example") == "http://here/l/example/answer/x"


def test_every_template_of_the_repository_in_which_there_is_a_link_has_it_in_every_language() -> None:
    from dripline.language.templates import find_templates
    from tests.house.test_docs import ROOT

    for (key, files), name in product(
        find_templates(ROOT).files.items(), ("answer_link", "confirm_link", "unsubscribe_link")
    ):
        counts = {sum(link.name == name for link in file.links) for file in files.values()}
        assert len(counts) == 1, f"{key}: {name}"
