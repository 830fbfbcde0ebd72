"""Products out of files: the YAML of the catalogue, or CSV as shops and spreadsheets write it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dripline.language.problems import Problem, did_you_mean, listed
from dripline.language.products import ProductEntry, Products, load_catalogue, misfits

MAX_BYTES = 50 * 1024 * 1024
"""Bytes of a CSV file."""
_LISTS = ("related",)
_PLAIN = ("category", "price", "currency", "url", "image", "upgrade", "replenish", "in_stock")
COLUMNS = ("id", "title", *_PLAIN, *_LISTS)
"""What a CSV file may have in its first line, besides `title.en` and so on."""


def read_products(file: Path, currency: str | None) -> tuple[Products, list[Problem]]:
    """The products of a file, and what is wrong with it; of a file with problems, none."""
    if file.suffix.lower() in (".yaml", ".yml"):
        products, problems = load_catalogue(file.parent, currency, file.name)
        return products or {}, problems
    return _read_csv(file, currency)


def _read_csv(file: Path, currency: str | None) -> tuple[Products, list[Problem]]:
    name = file.name
    try:
        content = file.read_bytes()[: MAX_BYTES + 1]
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return {}, [
            Problem(name, 1, 1, "not-utf8", "error", "it cannot be read as UTF-8", "save it as UTF-8")
        ]
    if len(content) > MAX_BYTES:
        return {}, [Problem(name, 1, 1, "too-large", "error", "it has more than 50 MB", "split it")]
    first = text.partition("\n")[0]
    mark = next((one for one in ("\t", ";") if one in first), ",")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=mark)
    problems = _wrong_columns(name, [one.strip() for one in rows.fieldnames or ()])
    products: dict[str, ProductEntry] = {}
    lines: dict[str, int] = {}
    for row in rows if not problems else ():
        line = rows.line_num
        said = {str(key).strip(): str(value or "").strip() for key, value in row.items() if key is not None}
        if not any(said.values()):
            continue
        id_, found = _read_row(name, line, said)
        if isinstance(found, Problem):
            problems.append(found)
        elif id_ in products:
            problems.append(_problem(name, line, "duplicate-key", f"`{id_}` stands in line {lines[id_]} too"))
        else:
            products[id_], lines[id_] = found, line
    for id_, _, code, message, hint in misfits(products, currency):
        problems.append(_problem(name, lines[id_], code, message, hint))
    return ({} if problems else products), problems


def _wrong_columns(name: str, columns: list[str]) -> list[Problem]:
    problems = []
    known = {one for one in columns if one.partition(".")[0] == "title"}
    for column in columns:
        if column not in COLUMNS and column not in known:
            hint = did_you_mean(column, COLUMNS) or f"there are {listed(COLUMNS)}"
            problems.append(_problem(name, 1, "unknown-key", f"there is no column `{column}`", hint))
    if "id" not in columns or not known:
        problems.append(_problem(name, 1, "missing-key", "`id` or `title` is missing", "name the columns"))
    return problems


def _read_row(name: str, line: int, said: Mapping[str, str]) -> tuple[str, ProductEntry | Problem]:
    id_ = said.get("id", "")
    titles = {
        column.partition(".")[2]: value
        for column, value in said.items()
        if column.partition(".")[0] == "title" and value
    }
    values: dict[str, Any] = {column: said[column] for column in _PLAIN if said.get(column)}
    values |= {column: said[column].replace(",", " ").split() for column in _LISTS if said.get(column)}
    values["title"] = titles
    try:
        if not id_ or len(id_) > 128 or any(sign in id_ for sign in "/?#"):
            return id_, _problem(name, line, "bad-id", f"`{id_}` is no id of a product")
        return id_, ProductEntry.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        message = str(details.get("ctx", {}).get("message") or f"`{details['loc'][0]}` cannot be read")
        return id_, _problem(name, line, "wrong-value", message, str(details.get("ctx", {}).get("hint", "")))


def _problem(name: str, line: int, code: str, message: str, hint: str = "") -> Problem:
    return Problem(name, line, 1, code, "error", message, hint)
