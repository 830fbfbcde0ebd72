"""Blocks: steps that journeys share, each in a file of its own."""

from __future__ import annotations

import pytest

from dripline.language.blocks import MAX_STEPS
from dripline.language.plan import SetStep
from tests.language.conftest import Folder
from tests.language.test_compile import plan

NUDGE = (
    "block: nudge\nwith: [product]\nsteps:\n  - email: hello\n    if: product == 'lamp'\n  - delay: 1 day\n"
)
PLAIN = "block: plain\nsteps:\n  - sms: hello\n"


def block(folder: Folder, name: str, text: str) -> None:
    folder.write(f"journeys/blocks/{name}.yaml", text)


def include(folder: Folder, steps: str) -> list[str]:
    head = "journey: j\ntrigger:\n  event: lead.created\nmessages: {topic: newsletter}\nsteps:\n"
    folder.write("journeys/j.yaml", head + steps)
    return folder.told()


def test_a_block_stands_where_it_is_included(folder: Folder) -> None:
    block(folder, "nudge", NUDGE)
    found = plan(
        folder,
        """
  - include: {block: blocks/nudge, with: {product: "'lamp'"}}
  - include: {block: nudge, with: {product: lead.plan}}
    if: lead.vip
  - stop: x
""",
    )
    assert [(step.id, step.next) for step in found.steps] == [
        ("include:nudge", "include:nudge/2"),
        ("include:nudge/email:hello", "include:nudge/after email:hello"),
        ("include:nudge/after email:hello", "include:nudge/2"),
        ("include:nudge/2", "stop after include:nudge"),
        ("include:nudge/2/email:hello", "include:nudge/2/after email:hello"),
        ("include:nudge/2/after email:hello", "stop after include:nudge"),
        ("stop after include:nudge", None),
    ]
    second = found.steps[3]
    assert isinstance(second, SetStep)
    assert (second.condition, second.then, second.values) == (
        "lead.vip",
        "include:nudge/2/email:hello",
        {"product": "lead.plan"},
    )


def test_a_block_in_a_block_has_both_in_its_ids(folder: Folder) -> None:
    block(folder, "plain", PLAIN)
    block(folder, "outer", "block: outer\nsteps:\n  - include: blocks/plain\n    id: own\n  - stop: x\n")
    found = plan(folder, "  - include: blocks/outer\n")
    assert [step.id for step in found.steps] == [
        "include:outer",
        "include:outer/own",
        "include:outer/own/sms:hello",
        "include:outer/stop after own",
    ]


def test_what_is_wrong_in_a_block_is_told_in_its_own_file(folder: Folder) -> None:
    block(folder, "nudge", NUDGE.replace("delay: 1 day", "if: lead.nobody\n    email: helo"))
    told = include(folder, "  - include: {block: nudge, with: {product: '1'}}\n")
    assert told == [
        "journeys/blocks/nudge.yaml:6:9 unknown-attribute",
        "journeys/blocks/nudge.yaml:7:12 missing-template",
    ]


@pytest.mark.parametrize(
    ("steps", "problems"),
    [
        ("  - include: blocks/nugde\n", ["6:14 unknown-block"]),
        ("  - include: blocks/nudge\n", ["6:14 missing-parameter"]),
        ("  - include: {block: nudge, with: {product: '1', x: '2'}}\n", ["6:50 unknown-parameter"]),
        ("  - include: {block: nudge, with: {product: nobody.x}}\n", ["6:45 unknown-name"]),
        ("  - include: ../nudge\n", ["6:14 bad-id"]),
        ("  - include: blocks/nudge\n    as: x\n", ["6:14 missing-parameter", "7:5 unknown-key"]),
        ("  - include: {block: nudge, with: {product: '1'}}\n  - if: product > 1\n    stop: x\n", []),
        (
            "  - include: {block: nudge, with: {product: '1'}}\n    if: lead.vip\n"
            "  - if: product > 1\n    stop: x\n",
            ["8:9 unset-name"],
        ),
        ("  - include: blocks/ending\n  - stop: x\n", ["7:5 unreachable"]),
        ("  - include: blocks/broken\n", ["journeys/blocks/broken.yaml:1:1 missing-key"]),
    ],
)
def test_what_is_wrong_with_an_include_is_told(folder: Folder, steps: str, problems: list[str]) -> None:
    block(folder, "nudge", NUDGE)
    block(folder, "ending", "block: ending\nsteps: [{stop: x}]\n")
    if "broken" in steps:
        block(folder, "broken", "block: broken\n")
    assert include(folder, steps) == problems


def test_no_block_includes_itself(folder: Folder) -> None:
    block(folder, "one", "block: one\nsteps:\n  - include: blocks/two\n")
    block(folder, "two", "block: two\nsteps:\n  - delay: 1 day\n  - include: blocks/one\n")
    told = include(folder, "  - include: blocks/one\n  - emial: x\n")
    assert told == [
        "journeys/blocks/one.yaml:3:14 recursive-include",
        "journeys/blocks/two.yaml:4:14 recursive-include",
        "7:5 unknown-verb",
    ]
    assert not folder.load().plans


def test_blocks_stand_in_one_another_five_deep_and_no_deeper(folder: Folder) -> None:
    block(folder, "b1", PLAIN.replace("plain", "b1"))
    for number in range(2, 7):
        block(folder, f"b{number}", f"block: b{number}\nsteps:\n  - include: blocks/b{number - 1}\n")
    assert include(folder, "  - include: blocks/b5\n") == ["journeys/blocks/b6.yaml:3:14 too-deep"]


def test_a_block_that_grows_without_bound_is_refused(folder: Folder) -> None:
    block(folder, "b0", "block: b0\nsteps:\n" + "  - delay: 1 day\n" * 100)
    for number in (1, 2, 3):
        block(folder, f"b{number}", f"block: b{number}\nsteps:\n" + f"  - include: b{number - 1}\n" * 100)
    assert f"more than {MAX_STEPS}" in str(folder.load().problems)
    assert include(folder, "  - include: b3\n") == ["journeys/blocks/b1.yaml:1:1 too-large"]


def test_a_block_is_named_like_its_file(folder: Folder) -> None:
    block(folder, "other", PLAIN)
    assert folder.told() == ["journeys/blocks/other.yaml:1:8 id-not-file-name"]


def test_two_ids_of_one_name_in_a_block_are_told_there(folder: Folder) -> None:
    block(
        folder,
        "twice",
        "block: twice\nsteps:\n  - {delay: 1 day, id: a}\n  - {delay: 1 day, id: a}\n",
    )
    assert include(folder, "  - include: twice\n  - {delay: 1 day, id: a}\n") == [
        "journeys/blocks/twice.yaml:3:24 duplicate-id",
        "journeys/blocks/twice.yaml:4:24 duplicate-id",
    ]


def test_ids_are_not_longer_than_the_store_keeps(folder: Folder) -> None:
    block(folder, "plain", PLAIN)
    assert include(folder, f"  - include: plain\n    id: {'x' * 200}\n") == []
    told = include(
        folder, f"  - include: plain\n    id: {'x' * 200}\n  - delay: 1 day\n    id: {'y' * 199}\n"
    )
    assert told == []
    block(folder, "outer", f"block: outer\nsteps:\n  - include: plain\n    id: {'z' * 100}\n")
    told = include(folder, f"  - include: outer\n    id: {'x' * 180}\n")
    assert told == ["journeys/blocks/outer.yaml:3:5 too-large", "journeys/blocks/plain.yaml:3:5 too-large"]
