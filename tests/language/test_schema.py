"""The published schemas: equal to the models, true to what is written, and of use in an editor."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from dripline.language.schema import Kind, as_text, schema_of
from dripline.language.steps import VERBS
from tests.language.conftest import WORKSPACE, Folder
from tests.language.test_docs import BLOCKS, WORKSPACE_KEYS, keys, without

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs" / "schema"
KINDS: tuple[Kind, ...] = ("journey", "workspace", "scenario", "block")


def as_editors_read(text: str) -> Any:
    """YAML with the types of its core schema, which has no dates."""
    return _without_dates(YAML(typ="safe", pure=True).load(text))


def _without_dates(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_dates(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_without_dates(value) for value in node]
    return node.isoformat() if isinstance(node, date) else node


def wrong_places(kind: Kind, text: str) -> list[str]:
    """Where the schema finds something wrong, as `steps.0.delay`."""
    errors = Draft7Validator(schema_of(kind)).iter_errors(as_editors_read(text))
    return sorted(".".join(map(str, error.absolute_path)) for error in errors)


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_schema_is_that_of_the_models(kind: Kind) -> None:
    published = (PUBLISHED / f"{kind}.json").read_text(encoding="utf-8")
    assert published == as_text(schema_of(kind)), (
        f"write it anew: dripline schema {kind} -o docs/schema/{kind}.json"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_one(kind: Kind) -> None:
    Draft7Validator.check_schema(schema_of(kind))


@pytest.mark.parametrize(
    "path", sorted(path for path in (ROOT / "journeys").rglob("*.yaml")), ids=lambda path: path.name
)
def test_the_files_of_the_repository_fit(path: Path) -> None:
    kind: Kind = "scenario" if path.name.endswith(".test.yaml") else "journey"
    assert wrong_places(kind, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", [(ROOT / "dripline.yaml").read_text(encoding="utf-8"), WORKSPACE])
def test_workspace_files_fit(text: str) -> None:
    assert wrong_places("workspace", text) == []


@pytest.mark.parametrize("block", BLOCKS)
def test_the_examples_of_the_reference_fit(block: str) -> None:
    first = block.partition(":")[0]
    kinds: dict[str, Kind] = {"journey": "journey", "block": "block"}
    kind = kinds.get(first, "scenario")
    if first in WORKSPACE_KEYS:
        kind, block = "workspace", without(WORKSPACE, keys(block)) + block
    assert wrong_places(kind, block) == []


HEAD = "journey: j\ntrigger: {event: lead.created}\nmessages: {topic: newsletter}\nsteps:\n"
GOOD_STEPS = [
    "- email: hello",
    "- email: {template: hello, subject: Hi, from: email, transactional: true, limit: 1 per day}",
    "- delay: 1 week 2 days",
    "- delay: P2D",
    "- {wait_for: demo.booked, since: start, timeout: 3h, then: [{stop: 2026}]}",
    "- wait_for: [demo.booked, order.paid]",
    "- {wait_for: {event: demo.booked, timeout: 3 days}, as: demo}",
    "- delay_until: monday 09:00",
    "- delay_until: {date: lead.created_at, offset: -7 days, at: '09:00', if_past: exit}",
    "- {wait_for: demo.booked, until: '18:00'}",
    "- email: {template: hello, quiet_hours: none, window: [mon-fri 09:00-18:00], expires: 1h}",
    "- email: {template: hello, limit: 1 per day, on_limit: wait 2 days, fallback: {sms: hello}}",
    "- {webhook: 'https://example.com/leads', as: crm}",
    "- webhook: {url: 'https://example.com/leads', method: PUT, body: {lead: 1}}",
    "- discount: {percent: 15%, valid: 14 days}",
    "- discount: {percent: 15, code: SPRING-15}",
    "- {notify: ops@example.com, text: Look}",
    "- notify: {to: ops@example.com, text: Look}",
    "- remind: {about: a call, every: 1 month, for: 6 months, with: {sms: hello}}",
    "- set: {reached: 'lead.email', twice: '2 * 2'}",
    "- update: {stage: customer, score: {add: 10}, tags: {add: [vip], remove: [new]}}",
    "- split: [{percent: 50%, name: a, steps: [{stop: x}]}, {percent: 50, name: b, steps: [{stop: x}]}]",
    "- repeat: {every: 2 days, times: 3, steps: [{email: hello}]}",
    "- enroll: other",
    "- unenroll: other",
    "- branch: [{when: lead.vip, steps: [{stop: yes}]}, {else: [{stop: no}]}]",
]


@pytest.mark.parametrize("step", GOOD_STEPS)
def test_what_check_takes_the_schema_takes(step: str, folder: Folder) -> None:
    folder.write("journeys/j.yaml", HEAD + "  " + step + "\n")
    folder.write("journeys/other.yaml", HEAD.replace("journey: j", "journey: other") + "  - stop: x\n")
    assert [problem for problem in folder.load().problems if problem.severity == "error"] == []
    assert wrong_places("journey", HEAD + "  " + step) == []


@pytest.mark.parametrize(
    ("step", "place"),
    [
        ("- emial: hello", "steps.0"),
        ("- {email: hello, sms: hello}", "steps.0"),
        ("- {delay: 2 days, timeout: 3 days}", "steps.0"),
        ("- delay: soon", "steps.0"),
        ("- delay: 2", "steps.0"),
        ("- email: {tempalte: hello}", "steps.0"),
        ("- email: Hello World", "steps.0"),
        ("- {email: hello, as: The Result}", "steps.0"),
        ("- {wait_for: demo.booked, then: []}", "steps.0"),
        ("- branch: [{steps: [{stop: x}]}]", "steps.0"),
        ("- just words", "steps.0"),
        ("- {}", "steps.0"),
    ],
)
def test_what_check_refuses_the_schema_refuses_where_it_can(step: str, place: str, folder: Folder) -> None:
    folder.write("journeys/j.yaml", HEAD + "  " + step + "\n")
    assert folder.load().errors
    assert wrong_places("journey", HEAD + "  " + step) == [place]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("journey: My Journey\ntrigger: {event: x}\nsteps: [{stop: x}]", "journey"),
        ("journey: j\ntriger: {event: x}\ntrigger: {event: x}\nsteps: [{stop: x}]", ""),
        ("journey: j\nsteps: [{stop: x}]", ""),
        ("journey: j\ntrigger: {event: x}\nsteps: []", "steps"),
        ("journey: j\npriority: 101\ntrigger: {event: x}\nsteps: [{stop: x}]", "priority"),
        ("journey: j\ntrigger: {event: x, reentry: often}\nsteps: [{stop: x}]", "trigger"),
    ],
)
def test_what_is_wrong_around_the_steps_is_marked(text: str, place: str, folder: Folder) -> None:
    folder.write("journeys/j.yaml", text)
    assert folder.load().errors
    assert wrong_places("journey", text) == [place]


def test_every_verb_is_one_way_of_a_step_and_explained() -> None:
    schema = schema_of("journey")
    ways = [schema["$defs"][way["$ref"].rpartition("/")[2]] for way in schema["$defs"]["Step"]["oneOf"]]
    assert {way["required"][0] for way in ways} == set(VERBS)
    assert all(way["additionalProperties"] is False for way in ways)
    assert all(way["description"] for way in ways)


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_explained_in_the_editor(kind: Kind) -> None:
    silent = [
        f"{name}.{key}"
        for name, model in {"": schema_of(kind), **schema_of(kind).get("$defs", {})}.items()
        for key, schema in model.get("properties", {}).items()
        if "description" not in schema
    ]
    assert silent == []


def test_nothing_that_is_refused_is_offered() -> None:
    assert '"not": {}' not in json.dumps(schema_of("journey"))


@pytest.mark.parametrize("kind", KINDS)
def test_editors_call_the_parts_by_words_and_not_by_the_names_of_our_classes(kind: Kind) -> None:
    named = [part["title"] for part in schema_of(kind).get("$defs", {}).values() if "title" in part]
    assert [title for title in named if re.search(r"[a-z][A-Z]|^[A-Z]", title)] == []
