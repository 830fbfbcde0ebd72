"""The language reference tells the truth."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import get_args

import pytest

from dripline.language.check import RULES
from dripline.language.fields import FieldType
from dripline.language.filters import FILTERS, TESTS
from dripline.language.load import Written
from dripline.language.model import Goal, Journey, Messages, Trigger
from dripline.language.project import load_project
from dripline.language.steps import VERBS
from dripline.language.template_grammar import FORMATS
from dripline.language.workspace import LEAD_FIELDS, Workspace, load_workspace
from dripline.language.yaml_reader import read_yaml

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
WORKSPACE_KEYS = {field.alias or name for name, field in Workspace.model_fields.items()}
BLOCKS = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_yaml_block_of_the_reference_loads(block: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "dripline.yaml", tmp_path)
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    shutil.copytree(ROOT / "journeys", tmp_path / "journeys")
    (tmp_path / "journeys" / "blocks").mkdir(exist_ok=True)
    if keys(block) <= WORKSPACE_KEYS:
        assert _told_of_the_workspace(block, tmp_path) == []
        return
    for text in [block, *(one for one in BLOCKS if one.startswith("block: "))]:
        file = tmp_path / "journeys" / _path(text)
        file.with_suffix(".test.yaml").unlink(missing_ok=True)  # of the shipped journey of that name
        file.write_text(text, encoding="utf-8")
    project = load_project(tmp_path)
    assert [str(problem) for problem in project.problems] == []


def _told_of_the_workspace(block: str, root: Path) -> list[str]:
    """What is wrong with dripline.yaml once an example stands in it; the journeys need what it had."""
    file = root / "dripline.yaml"
    said = keys(block) | ({"referrals"} if "forms" in keys(block) else set())  # whose form is then another
    file.write_text(without(file.read_text(encoding="utf-8"), said) + block, encoding="utf-8")
    return [str(problem) for problem in load_workspace(root)[1]]


def keys(text: str) -> set[str]:
    """The keys at the beginnings of lines."""
    return set(re.findall(r"^([a-z_]+):", text, re.MULTILINE)) or {"?"}


def without(text: str, names: set[str]) -> str:
    """The workspace file less what stands under these keys: an example stands in its place."""
    parts = re.split(r"^(?=[a-z_]+:)", text, flags=re.MULTILINE)
    return "".join(part for part in parts if part.partition(":")[0] not in names)


def _path(block: str) -> str:
    name = re.match(r"(journey|block): (\S+)", block)
    if name is None:
        return "welcome.test.yaml"
    return f"{'blocks/' if name[1] == 'block' else ''}{name[2]}.yaml"


def test_every_row_about_yaml_is_true() -> None:
    section = DOCS.split("## What YAML does")[1]
    rows = re.findall(r"^\| `(.+?)` \| .+? \| `(.+?)` \|$", section, re.MULTILINE)
    assert len(rows) == 5
    for bent, right in rows:
        assert [problem.code for problem in read_yaml("f.yaml", bent.encode())[1]] == ["unquoted"]
        assert read_yaml("f.yaml", right.encode())[1] == []


def test_everything_that_there_is_stands_in_the_reference() -> None:
    words = {
        *VERBS,
        *FILTERS,
        *TESTS,
        *FORMATS,
        *Workspace.known_keys(),
        *Trigger.known_keys(),
        *Goal.known_keys(),
    }
    words |= {
        *Journey.known_keys(),
        *(f"lead.{field}" for field in LEAD_FIELDS if field not in ("consent", "topics")),
    }
    words |= set(get_args(FieldType))
    later = {
        name
        for model in (Trigger, Messages)
        for name, field in model.model_fields.items()
        if field.description is None
    }
    missing = {word for word in words - later - {"in"} if f"`{word}" not in DOCS and f"is {word}" not in DOCS}
    assert missing == set()


def test_every_rule_says_what_it_is() -> None:
    assert all((rule.__doc__ or "").rstrip().endswith(".") for rule in RULES)


def test_every_key_of_the_model_is_described_for_its_author() -> None:
    models: tuple[type[Written], ...] = (Journey, Trigger, Goal, Messages, Workspace, *VERBS.values())
    undescribed = [
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if field.description is None
        and "NotYet" not in repr(field.metadata)
        and "_not_yet" not in repr(field.metadata)
    ]
    assert undescribed == []
