"""Every column is decided upon: whether it may tell of a lead, and what erasing does with it."""

from __future__ import annotations

import pytest
from sqlalchemy import ForeignKeyConstraint

from dripline.privacy.personal import RULES
from dripline.store.schema import metadata


@pytest.mark.parametrize("name", sorted(metadata.tables))
def test_every_column_of_every_table_is_decided_upon(name: str) -> None:
    rule = RULES[name]
    assert not set(rule.personal) & set(rule.plain)
    columns = set(metadata.tables[name].columns.keys())
    assert columns - {*rule.personal, *rule.plain} == set(), (
        "say in dripline/privacy/personal.py what they are"
    )
    assert {*rule.personal, *rule.plain} - columns == set()


def test_no_table_is_decided_upon_that_is_not_there() -> None:
    assert set(RULES) == set(metadata.tables)


def test_rows_go_before_those_that_they_point_to() -> None:
    order = list(RULES)
    for name, rule in RULES.items():
        for constraint in metadata.tables[name].constraints:
            if isinstance(constraint, ForeignKeyConstraint) and rule.fate == "deleted":
                to = constraint.referred_table.name
                assert RULES[to].fate != "deleted" or to == "groups" or order.index(name) < order.index(to)
