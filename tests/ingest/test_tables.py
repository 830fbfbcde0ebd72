"""Files as people's programs write them come out as they went in; what is broken costs its own line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from dripline.ingest.columns import map_columns
from dripline.ingest.identity import NotNormal, normal_phone
from dripline.ingest.refusal import Refused
from dripline.ingest.tables import look_at
from dripline.language.workspace import Workspace

WORKSPACE = Workspace.model_validate(
    {
        "timezone": "UTC",
        "locales": ["en"],
        "default_region": "AM",
        "attributes": {"first_name": "text", "birthday": "date", "vip": "boolean"},
    }
)
LETTERS = st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])
CELLS = st.text(LETTERS, max_size=30).map(lambda text: text.strip())
ROWS = st.lists(st.lists(CELLS, min_size=2, max_size=2).filter(any), min_size=1, max_size=8)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])


def read(path: Path) -> list[tuple[int, tuple[str, ...], str | None]]:
    return [(row.line, row.cells, row.problem) for row in look_at(path).read()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(rows=ROWS, encoding=ENCODINGS, delimiter=st.sampled_from(",;\t|"))
def test_what_is_written_as_csv_comes_out_as_it_went_in(
    tmp_path: Path, rows: list[list[str]], encoding: str, delimiter: str
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["email", "first_name"], *rows])
    path = tmp_path / "made.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    assert [list(cells) for _, cells, problem in read(path) if problem is None] == rows


SHEET = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff_")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(
    rows=st.lists(
        st.lists(
            st.text(SHEET, min_size=1, max_size=20).map(lambda text: f"x{text}y"), min_size=2, max_size=2
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_into_a_workbook_comes_out_as_it_went_in(
    tmp_path: Path, rows: list[list[str]]
) -> None:
    book = Workbook()
    assert book.active is not None
    for row in [["email", "first_name"], *rows]:
        book.active.append(row)
    book.save(tmp_path / "made.xlsx")
    assert [list(cells) for _, cells, problem in read(tmp_path / "made.xlsx") if problem is None] == rows


def test_a_quote_that_is_never_closed_costs_its_own_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    lines = ["email,first_name", "a@example.com,A", '"b@example.com,B']
    lines += [f"c{number}@example.com,C" for number in range(20_000)]
    path.write_text("\n".join(lines) + "\n")
    rows = read(path)
    assert len(rows) == 20_002
    bad = [(line, problem) for line, _, problem in rows if problem]
    assert bad == [(3, 'a quote (") is opened and not closed in column 1 (email)')]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('a,"b"c', 'a quote (") stands in the middle of a cell in column 2 (first_name): write it twice'),
        ('"a,b', 'a quote (") is opened and not closed in column 1 (email)'),
        ('"a","b', 'a quote (") is opened and not closed in column 2 (first_name)'),
        ("a,b\0c", "column 2 (first_name) holds a NUL character"),
        ("a,b,c", "it has more than the 2 cells of the first line"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_by_its_column(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(f"email,first_name\n{line}\n")
    assert [told for _, _, told in read(path)] == [problem]


def test_ragged_rows_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("email,first_name,vip\na@example.com\nb@example.com,B,,,\n")
    assert [(cells[0], problem) for _, cells, problem in read(path)] == [
        ("a@example.com", None),
        ("b@example.com", None),
    ]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("E-Mail Address", "email"),
        ("Հեռախոսահամար", "phone"),
        ("Электронная почта", "email"),
        ("Имя", "attributes.first_name"),
        ("Անուն", "attributes.first_name"),
        ("Date of birth", "attributes.birthday"),
        ("utm_campaign", "touch.campaign"),
        ("Язык", "locale"),
    ],
)
def test_columns_are_found_by_their_names_in_three_languages(name: str, field: str) -> None:
    columns = map_columns((name, "external_id"), WORKSPACE, {})
    assert columns.fields[0] == field


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("37491123456.0", "+37491123456"),
        ("3.7491123456E+10", "+37491123456"),
        ("'091123456", "+37491123456"),
        ("12025550199", "+12025550199"),
        ("91123456", "+37491123456"),
    ],
)
def test_a_number_that_a_spreadsheet_has_reckoned_with_is_a_number_again(cell: str, value: str) -> None:
    columns = map_columns(("phone",), WORKSPACE, {})
    assert normal_phone(columns.said([cell])["phone"], "AM") == value


def test_a_number_whose_digits_are_lost_is_told(tmp_path: Path) -> None:
    columns = map_columns(("Телефон",), WORKSPACE, {})
    with pytest.raises(Refused) as caught:
        columns.said(["3.74911E+10"])
    assert columns.reason(caught.value).startswith("Телефон was shortened by the spreadsheet")
    with pytest.raises(NotNormal):
        normal_phone("123", "AM")
