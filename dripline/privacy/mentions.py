"""What others' rows say of somebody who is erased: those who were held for one person, and conditions of campaigns."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import Column, Connection, Table, or_, select, update

from dripline.privacy.personal import RULES
from dripline.privacy.scrubbing import Person, whose_rows
from dripline.store import schema
from dripline.store.leads import IDENTITIES

INSTEAD = "…"
"""Stands where the erased person was named."""

_SHORTEST = 4
"""Letters of a name below which it is no name, but a coincidence."""

_READS_IDS = re.compile(r"\blead\.external_id\b")


def once_merged(connection: Connection, lead_ids: Collection[str]) -> tuple[str, ...]:
    """The leads that were ever one with these, and are not any more; in the one order in which leads are locked."""
    merges = schema.merges
    found, newest = set(lead_ids), set(lead_ids)
    while newest:
        query = select(merges.c.winner_id, merges.c.loser_id).where(
            or_(merges.c.winner_id.in_(newest), merges.c.loser_id.in_(newest))
        )
        newest = {one for row in connection.execute(query) for one in row} - found
        found |= newest
    return tuple(sorted(found - set(lead_ids)))


def names_of(connection: Connection, person: Person) -> set[str]:
    """Every address, number and id that names the person, and nobody who is still there."""
    identities, leads = schema.identities, schema.leads
    found = {value for values in person.addresses.values() for value in values}
    own = select(identities.c.value).where(identities.c.lead_id.in_(person.leads))
    found |= set(connection.execute(own).scalars())
    called = select(leads.c.external_id).where(leads.c.id.in_(person.leads), leads.c.external_id.is_not(None))
    found |= set(connection.execute(called).scalars())
    others = select(identities.c.value).where(
        identities.c.kind.in_(IDENTITIES),  # its index begins with the kind
        identities.c.value.in_([one.lower() for one in found] + list(found)),
        identities.c.lead_id.not_in(person.leads),
    )
    shared = {one.lower() for one in connection.execute(others).scalars()}
    return {one for one in found if len(one) >= _SHORTEST and one.lower() not in shared}


def scrub_mentions(connection: Connection, other: Person, names: Collection[str]) -> int:
    """Take these names out of whatever is kept of another lead; how many rows had one."""
    if not names or not other.leads:
        return 0
    pattern = re.compile(
        "|".join(re.escape(one) for one in sorted(names, key=len, reverse=True)), re.IGNORECASE
    )
    number = 0
    for name, rule in RULES.items():
        if rule.whose not in ("lead", "run", "message"):
            continue
        table = schema.metadata.tables[name]
        columns = [table.c[one] for one in rule.personal if not _is_key(table.c[one])]
        for where in whose_rows(table, rule, other) if columns else ():
            for key, changed in list(_changed(connection, table, columns, where, pattern)):
                connection.execute(update(table).where(*key).values(changed))
                number += 1
    return number


def scrub_campaigns(connection: Connection, names: Collection[str]) -> int:
    """Take these names out of what somebody wrote of campaigns; how many had one.

    An address goes wherever it stands, an id only where it is all that is compared with ids: `'team'` may be a plan.
    A condition stays one, and finds whom it found before, without the erased.
    """
    campaigns = schema.campaigns.c
    written = (campaigns.name, campaigns.audience, campaigns.pause_reason)
    if not names:
        return 0
    addresses = _pattern(one for one in names if "@" in one or one.startswith("+"))
    ids = _pattern((one for one in names if "@" not in one and not one.startswith("+")), r"(['\"])", r"\1")
    names_one = or_(*(text.icontains(one, autoescape=True) for text in written for one in names))
    number = 0
    for row in connection.execute(select(campaigns.id, *written).where(names_one)).all():
        cleaned = {text.name: addresses.sub(INSTEAD, row._mapping[text] or "") for text in written}
        if _READS_IDS.search(row.audience):
            cleaned["audience"] = ids.sub(rf"\g<1>{INSTEAD}\g<1>", cleaned["audience"])
        changed = {name: text for name, text in cleaned.items() if text != (getattr(row, name) or "")}
        if changed:
            connection.execute(update(schema.campaigns).where(campaigns.id == row.id).values(changed))
            number += 1
    return number


def _pattern(
    names: Iterable[str], before: str = r"(?<![\w.+-])", behind: str = r"(?![\w-]|\.\w)"
) -> re.Pattern[str]:
    """What finds any of the names, whole; one that is part of a longer one is another's."""
    any_of = "|".join(re.escape(one) for one in sorted(names, key=len, reverse=True)) or r"\b\B"
    return re.compile(f"{before}(?:{any_of}){behind}", re.IGNORECASE)


def _changed(
    connection: Connection, table: Table, columns: list[Column[Any]], where: Any, pattern: re.Pattern[str]
) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    keys = list(table.primary_key.columns)
    for row in connection.execute(select(*keys, *columns).where(where)):
        values = {column.name: row._mapping[column] for column in columns}
        cleaned = {name: clean(value, pattern) for name, value in values.items()}
        changed = {
            name: None if value == INSTEAD and table.c[name].nullable else value
            for name, value in cleaned.items()
            if value != values[name]
        }
        if changed:
            yield [key == row._mapping[key] for key in keys], changed


def clean(value: Any, pattern: re.Pattern[str]) -> Any:
    """The value without the names, whatever it is made of."""
    if isinstance(value, str):
        return pattern.sub(INSTEAD, value)
    if isinstance(value, list):
        return [clean(one, pattern) for one in value]
    if isinstance(value, dict):
        return {clean(name, pattern): clean(one, pattern) for name, one in value.items()}
    return value


def _is_key(column: Column[Any]) -> bool:
    """Whether rows are found by it: it is no text of anybody's."""
    return column.primary_key or bool(column.unique) or bool(column.foreign_keys)


__all__ = ["names_of", "once_merged", "scrub_campaigns", "scrub_mentions"]
