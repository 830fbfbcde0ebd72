"""What `check` finds in the contents of templates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dripline.language.check_contents import SPAM_WORDS
from tests.language.conftest import Folder

Check = Callable[[str], list[str]]
STEP = "- email: {template: x, transactional: true}\n"
HEAD = "---\nsubject: Hello\n---\n"


@pytest.mark.parametrize(
    ("name", "body", "problems"),
    [
        ("x.en.html", '<p>Go</p>\n<a href="http://example.com">here</a>', ["5:10 not-https"]),
        ("x.en.html", '<p>Go</p>\n<a\n  href="/start">here</a>', ["6:9 not-https"]),
        ("x.en.html", '<p>Go</p><img src="https://example.com/a.png">', ["4:10 no-alt"]),
        ("x.en.html", '<p>Go</p><img src="http://example.com/a.png" alt="">', ["4:20 not-https"]),
        ("x.en.html", '<p>Go</p><!-- <a href="http://example.com"> --><a href="{{ lead.id }}">x</a>', []),
        (
            "x.en.html",
            '<p>Go</p><a href="mailto:a@example.com">x</a><a href="#top">y</a><a href="tel:+374">z</a>',
            [],
        ),
        ("x.en.html", '<p>Go</p><a href="http://{{ lead.id }}.example.com">x</a>', ["4:19 not-https"]),
        (
            "x.en.html",
            '<a href="https://example.com/"><img src="https://example.com/a.png" alt="20%"></a>',
            ["4:1 no-plain-text"],
        ),
        (
            "x.en.html",
            "<style>p {}</style><title>Hello</title><img src='https://example.com/a.png' alt='x'>",
            ["4:1 no-plain-text"],
        ),
        ("x.en.html", "<p>{{ lead.id }}</p>", []),
        ("x.en.md", "Hello\n\n[there](http://example.com)", ["6:9 not-https"]),
        ("x.en.md", "![](https://example.com/a.png) Hello", ["4:1 no-alt"]),
        ("x.en.md", "![A garden](https://example.com/a.png)", ["4:1 no-plain-text"]),
        ("x.en.md", "`http://example.com` is no link, [{{ lead.id }}]({{ lead.id }}) is one.", []),
    ],
)
def test_what_readers_would_miss_is_told(
    folder: Folder, check_steps: Check, name: str, body: str, problems: list[str]
) -> None:
    folder.write(f"templates/{name}", HEAD + body)
    assert check_steps(STEP) == [f"templates/{name}:{problem}" for problem in problems]


def test_mjml_is_looked_at_as_it_is_written(folder: Folder, check_steps: Check) -> None:
    folder.write(
        "templates/x.en.mjml",
        HEAD + "<mjml><mj-body><mj-section><mj-column>\n"
        '<mj-image src="https://example.com/a.png" />\n'
        '<mj-button href="http://example.com">Go</mj-button>\n'
        "</mj-column></mj-section></mj-body></mjml>\n",
    )
    assert check_steps(STEP) == [
        "templates/x.en.mjml:5:1 no-alt",
        "templates/x.en.mjml:6:18 not-https",
    ]


def test_a_link_in_an_sms_is_looked_at(folder: Folder, check_steps: Check) -> None:
    folder.write("templates/t.en.txt", "See http://example.com/x or https://example.com/y")
    assert check_steps("- sms: t\n") == ["templates/t.en.txt:1:5 not-https"]


def test_words_that_filters_look_out_for_are_told_in_subjects(folder: Folder, check_steps: Check) -> None:
    folder.write("templates/x.en.md", "---\nsubject: Hello, ACT NOW\n---\nHello\n")
    told = check_steps(STEP + "- email: {template: hello, subject: Buy now!!!}\n")
    assert told == ["7:37 spam-words", "7:44 spam-words", "templates/x.en.md:2:17 spam-words"]
    folder.write("templates/x.en.md", "---\nsubject: Do not react now, dear winners\n---\nHello\n")
    assert check_steps(STEP) == []


def test_the_reference_shows_those_words() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
    assert f": {', '.join(f'`{word}`' for word in SPAM_WORDS)}.\n" in docs


def test_a_long_sms_is_told_in_each_language(folder: Folder, check_steps: Check) -> None:
    workspace = (folder.root / "dripline.yaml").read_text().replace("[en]", "[en, hy]")
    folder.write("dripline.yaml", workspace + "sms_segments: 2\n")
    folder.write("templates/t.en.txt", "x" * 306)
    folder.write("templates/t.hy.txt", "Բ" * 134)
    assert check_steps("- sms: t\n") == []
    folder.write("templates/t.en.txt", "x" * 307)
    folder.write("templates/t.hy.txt", "{# a comment costs nothing #}\n" + "Բ" * 135)
    assert check_steps("- sms: t\n") == [
        "templates/t.en.txt:1:1 sms-segments",
        "templates/t.hy.txt:2:1 sms-segments",
    ]


def test_what_an_sms_is_filled_with_counts_as_it_usually_is(folder: Folder, check_steps: Check) -> None:
    folder.write("dripline.yaml", (folder.root / "dripline.yaml").read_text() + "sms_segments: 1\n")
    folder.write("templates/t.en.txt", "x" * 150 + "{{ lead.first_name | default('you') }}")
    assert check_steps("- sms: t\n") == []
    folder.write("templates/t.en.txt", "x" * 145 + "{{ lead.trial_ends_at | default(now) | date('full') }}")
    assert check_steps("- sms: t\n") == ["templates/t.en.txt:1:1 sms-segments"]
    folder.write("templates/t.en.txt", "{% if lead.vip %}short{% else %}" + "x" * 161 + "{% endif %}")
    assert check_steps("- sms: t\n") == ["templates/t.en.txt:1:1 sms-segments"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Hello\n  {{ lead.id | shout }}", "2:3"),
        ("{{ lead.id }} and {{ lead. }}", "1:19"),
        ("Hello {% if lead.vip %}x", "1:7"),
        ("a\n{% if lead.vip %}{% if lead.plan %}x{% endif %}\ny", "2:1"),
        ("Dear {% include 'x' %}", "1:6"),
    ],
)
def test_a_template_is_told_off_at_the_tag(folder: Folder, check_steps: Check, text: str, place: str) -> None:
    folder.write("templates/t.en.txt", text)
    assert check_steps("- sms: t\n") == [f"templates/t.en.txt:{place} bad-template"]


def test_a_subject_is_told_off_at_its_place(folder: Folder, check_steps: Check) -> None:
    folder.write("templates/x.en.md", '---\npreheader: x\nsubject: "Dear {{ lead.nme }}"\n---\nHello\n')
    assert check_steps(STEP) == ["templates/x.en.md:3:19 unknown-attribute"]


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        (
            "<mjml><mj-body>\n  <mj-section></mj-body></mjml>",
            "5:3",
            "`<mj-section>` is not closed before `</mj-body>`",
        ),
        ("<mjml><mj-body></mj-body>", "4:1", "`<mjml>` is not closed"),
        ("<mjml><mj-body></mj-body></mjml></mj-text>", "4:33", "`</mj-text>` closes nothing"),
    ],
)
def test_mjml_that_is_not_closed_is_told_at_its_place(
    folder: Folder, check_steps: Check, body: str, place: str, message: str
) -> None:
    folder.write("templates/x.en.mjml", HEAD + body)
    assert check_steps(STEP) == [f"templates/x.en.mjml:{place} bad-mjml"]
    assert folder.load().problems[0].message == message
