"""YAML as text: places, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dripline.language.yaml_reader import read_yaml


def told(text: str) -> list[str]:
    _, problems = read_yaml("f.yaml", text.encode())
    return [f"{problem.line}:{problem.column} {problem.code}" for problem in problems]


def hint(text: str) -> str:
    _, problems = read_yaml("f.yaml", text.encode())
    return problems[0].hint


def test_every_value_is_the_text_that_is_written() -> None:
    document, problems = read_yaml(
        "f.yaml", b"phone: +37491123456\nsku: 0123\non: yes\nn: 1_000\nd: 2026-03-02\nx: null\n"
    )
    assert document is not None
    assert document.plain() == {
        "phone": "+37491123456",
        "sku": "0123",
        "on": "yes",
        "n": "1_000",
        "d": "2026-03-02",
        "x": "null",
    }
    assert problems == []


def test_every_value_has_its_place() -> None:
    document, _ = read_yaml("f.yaml", b"a:\n  - b: \"x == 'y'\"\n  - c\n")
    assert document is not None
    assert document.key_place(("a", 0, "b")) == (2, 5)
    assert document.place(("a", 0, "b"), 5) == (2, 14)
    assert document.place(("a", 1)) == (3, 5)
    assert document.place(("a", "a level that only the model knows", 1)) == (3, 5)


@pytest.mark.parametrize(
    ("text", "problem", "cure"),
    [
        (
            'when: "vip" in lead.tags\n',
            "1:7 unquoted",
            """put the whole value in double quotes: `when: "'vip' in lead.tags"`""",
        ),
        (
            "a:\n  - when: 'vip' in lead.tags\n",
            "2:11 unquoted",
            """put the whole value in double quotes: `when: "'vip' in lead.tags"`""",
        ),
        ("when: !lead.vip\n", "1:7 unquoted", 'put the whole value in double quotes: `when: "not lead.vip"`'),
        ("text: {{ x }}\n", "1:7 unquoted", 'put the whole value in double quotes: `text: "{{ x }}"`'),
        (
            "text: {{ x }} there\n",
            "1:7 unquoted",
            'put the whole value in double quotes: `text: "{{ x }} there"`',
        ),
        ("at: */5\n", "1:5 unquoted", 'put the whole value in double quotes: `at: "*/5"`'),
        ("at: */5 * * * *\n", "1:5 unquoted", 'put the whole value in double quotes: `at: "*/5 * * * *"`'),
        ("a: @x\n", "1:4 unquoted", 'put the whole value in double quotes: `a: "@x"`'),
        ("a: b: c\n", "1:4 unquoted", 'put the whole value in double quotes: `a: "b: c"`'),
        (
            "- email: {template: t, subject: {{ x }} }\n",
            "1:33 unquoted",
            'put the whole value in double quotes: `subject: "{{ x }}"`',
        ),
        (
            "subject: Order #5\n",
            "1:16 unquoted",
            "put the whole value in double quotes; a comment wants a space after its `#`",
        ),
    ],
)
def test_where_yaml_bends_a_value_the_cure_is_told(text: str, problem: str, cure: str) -> None:
    assert told(text)[0] == problem
    assert hint(text) == cure


@pytest.mark.parametrize(
    "text", ["a: b # a comment\n", "a: b    #--- a comment\n", 'a: "b" #x\n', "a: b#c\n", "# x\na: b\n#y\n"]
)
def test_comments_are_not_taken_for_values(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", "3:1 duplicate-key"),
        ("a: {b: 1, b: 2}\n", "1:11 duplicate-key"),
        ("a: !!int 3\n", "1:4 unquoted"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "3:3 merge-key"),
        ("a:\n\t- b\n", "2:1 tab"),
        ("a: 1\n---\nb: 2\n", "2:1 two-documents"),
        ("", "1:1 empty-file"),
        ("# nothing\n", "2:1 empty-file"),
        ("a:\nb: 1\n", "1:1 missing-value"),
        ("a: [x\n", "1:4 open-bracket"),
        ('a: "x\n', "1:4 open-quote"),
        ("a: 1\n  b: 2\n", "2:4 bad-indentation"),
        ("? [a]\n: b\n", "1:3 bad-key"),
        ("a: *nobody\n", "1:4 unquoted"),
        ("a: \x01\n", "1:4 bad-character"),
        ("a: &x [*x]\n", "1:8 unquoted"),
        ("a: &x 1\nb: [" + "*x, " * 11 + "]\n", "2:45 too-many-aliases"),
        ("a: " + "[" * 60 + "]" * 60, "1:54 too-deep"),
    ],
)
def test_what_is_refused_is_told_at_its_place(text: str, problem: str) -> None:
    assert told(text)[0] == problem


def test_a_small_number_of_aliases_is_fine() -> None:
    document, problems = read_yaml("f.yaml", b"a: &x {b: 1}\nc: *x\n")
    assert problems == []
    assert document is not None
    assert document.plain() == {"a": {"b": "1"}, "c": {"b": "1"}}


def test_aliases_cannot_multiply() -> None:
    lines = ["a0: &a0 [" + ", ".join("x" * 1 for _ in range(4000)) + "]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 5)]
    assert told("\n".join(lines) + "\n")[0].endswith(("too-large", "too-many-aliases"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('a:\n  when: "lead.vip\n  on: x\ngoal: {event: x, value: "y", within: z}\n', "2:9 open-quote"),
        ("a: 'x\nb: 'y'\n", "1:4 open-quote"),
        ("a: 1\ntitle Welcome\nsteps:\n  b: c\n", "2:1 missing-colon"),
        ("a: 1\ntitle:Welcome\nsteps:\n  b: c\n", "2:1 missing-colon"),
        ("goal: {event: x, value: y\nexit:  # here\n  - event: z\n", "1:7 open-bracket"),
        ('a: "two\n  lines"\nb: 1\n  c: 2\n', "4:4 bad-indentation"),
    ],
)
def test_a_sign_left_out_is_told_where_it_belongs_and_not_where_yaml_stumbles(
    text: str, problem: str
) -> None:
    assert told(text) == [problem]


def test_a_file_that_is_not_utf8_is_told_with_its_line() -> None:
    _, problems = read_yaml("f.yaml", b"a: 1\nb: \xff\n")
    assert [(problem.line, problem.column, problem.code) for problem in problems] == [(2, 4, "not-utf8")]


def test_a_huge_file_is_not_read() -> None:
    _, problems = read_yaml("f.yaml", b"a: " + b"x" * 300_000)
    assert [problem.code for problem in problems] == ["too-large"]


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(alphabet="ab:-?[]{}&*!|>'\"%@`#, \n\t<=~0", max_size=40).map(str.encode),
    )
)
def test_no_content_raises(content: bytes) -> None:
    document, problems = read_yaml("f.yaml", content)
    assert document is not None or problems
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)
