"""Taking from the store what the rules call personal, of leads that the caller has locked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.sqltypes import Float, Integer, String, Text

from dripline.privacy.personal import RULES, Rule
from dripline.store import schema
from dripline.store.house import House

CHANNELS = {"email": "email", "sms": "phone"}
"""By channel, the kind of identity that it writes to."""

_ROWS = 500
"""Ids in one statement."""


@dataclass(frozen=True)
class Person:
    """Everything by which a person's rows are found: leads, runs and messages by id, addresses by channel."""

    leads: tuple[str, ...]
    runs: tuple[str, ...]
    messages: tuple[str, ...]
    addresses: Mapping[str, frozenset[str]]
    hashes: Mapping[str, frozenset[str]] = field(default_factory=dict)


def find_person(connection: Connection, house: House, lead_ids: Collection[str]) -> Person:
    """The person that these leads are, with every address that it was ever written to."""
    runs, messages = schema.runs, schema.messages
    ids = tuple(lead_ids)
    run_ids = connection.execute(select(runs.c.id).where(runs.c.lead_id.in_(ids))).scalars()
    sent = connection.execute(select(messages.c.id).where(messages.c.lead_id.in_(ids))).scalars()
    addresses = _addresses(connection, ids)
    hashes = {
        channel: frozenset(house.address_hash(channel, value) for value in values)
        for channel, values in addresses.items()
    }
    return Person(ids, tuple(run_ids), tuple(sent), addresses, hashes)


def _addresses(connection: Connection, ids: Collection[str]) -> dict[str, frozenset[str]]:
    """By channel: what the leads are called, are found by, and what was written to them under."""
    leads, identities, messages = schema.leads, schema.identities, schema.messages
    found: dict[str, frozenset[str]] = {}
    for channel, kind in CHANNELS.items():
        queries = (
            select(leads.c[kind]).where(leads.c.id.in_(ids)),
            select(identities.c.value).where(identities.c.lead_id.in_(ids), identities.c.kind == kind),
            select(messages.c.recipient).where(
                messages.c.lead_id.in_(ids), messages.c.channel == channel, messages.c.notice.is_(False)
            ),
        )
        values = (value for query in queries for value in connection.execute(query).scalars())
        found[channel] = frozenset(value for value in values if value)
    return found


def scrub(connection: Connection, person: Person) -> dict[str, int]:
    """Empty or delete the person's rows as the rules say; how many there were, by table."""
    counts: dict[str, int] = {}
    _let_go_of_events(connection, person)
    groups = _groups_of(connection, person)
    for name, rule in RULES.items():
        if rule.fate == "kept" or name == "groups":
            continue
        table = schema.metadata.tables[name]
        if name == "step_log":
            counts[name] = _empty_stories(connection, person)
        elif name == "consents":
            counts[name] = _empty_consents(connection, person)
        else:
            counts[name] = sum(
                _apply(connection, table, rule, where) for where in whose_rows(table, rule, person)
            )
    counts["groups"] = _drop_empty_groups(connection, groups)
    return {name: number for name, number in counts.items() if number}


def drop_rows(connection: Connection, lead_ids: Collection[str]) -> int:
    """Delete those of the emptied leads that nothing refers to: no run, no message, no consent; how many."""
    leads = schema.leads
    others = [
        exists().where(key.parent == leads.c.id)
        for table in schema.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column is leads.c.id and table is not leads
    ]
    loser = leads.alias()
    others.append(exists().where(loser.c.merged_into == leads.c.id))
    alone = leads.c.merged_into.is_(None) & ~or_(*others)
    return connection.execute(delete(leads).where(leads.c.id.in_(list(lead_ids)), alone)).rowcount


def emptied(table: Table, rule: Rule) -> dict[str, Any]:
    """What the personal columns hold when they hold nothing."""
    return {name: _nothing(table.c[name]) for name in rule.personal}


def _nothing(column: Column[Any]) -> Any:
    if column.nullable:
        return None
    if isinstance(column.type, Integer | Float):
        return 0
    if isinstance(column.type, String | Text):
        return ""
    return [] if column.name in ("tags", "lacks", "accepted") else {}


def _apply(connection: Connection, table: Table, rule: Rule, where: ColumnElement[bool]) -> int:
    if rule.fate == "deleted":
        return connection.execute(delete(table).where(where)).rowcount
    return connection.execute(update(table).where(where).values(emptied(table, rule))).rowcount


def whose_rows(table: Table, rule: Rule, person: Person) -> list[ColumnElement[bool]]:
    """The conditions by which the person's rows are found; several, where there are many ids."""
    if rule.whose == "elsewhere":
        return [_elsewhere(table, person)]
    ids = {"lead": person.leads, "run": person.runs, "message": person.messages}[rule.whose]
    return [
        or_(*(table.c[name].in_(ids[start : start + _ROWS]) for name in rule.by))
        for start in range(0, len(ids), _ROWS)
    ]


def _elsewhere(table: Table, person: Person) -> ColumnElement[bool]:
    match table.name:
        case "inbound":
            return or_(table.c.lead_id.in_(person.leads), _of_address(table, "sender", person.addresses))
        case "mailbox":
            ours = select(schema.messages.c.id).where(schema.messages.c.lead_id.in_(person.leads))
            return or_(table.c.key.in_(ours), _of_address(table, "recipient", person.addresses))
        case "suppressions" | "bounces":
            return _of_address(table, "address_hash", person.hashes)
        case "idempotency":
            return or_(*(table.c.body[name].as_string().in_(person.leads) for name in ("lead", "id")))
    raise AssertionError(f"nobody knows whose the rows of {table.name} are")


def _of_address(table: Table, column: str, of: Mapping[str, Collection[str]]) -> ColumnElement[bool]:
    """Rows whose column holds one of these, by channel. Addresses are compared without regard to case."""
    held = table.c[column] if column == "address_hash" else func.lower(table.c[column])
    return or_(
        *(
            and_(table.c.channel == channel, held.in_(sorted({value.lower() for value in values})))
            for channel, values in of.items()
        )
    )


def _let_go_of_events(connection: Connection, person: Person) -> None:
    """Runs and inboxes may hold events of the person although they are another's by now: a merge was undone."""
    runs, inbox, events = schema.runs, schema.inbox, schema.events
    ours = select(events.c.id).where(events.c.lead_id.in_(person.leads))
    connection.execute(delete(inbox).where(inbox.c.event_id.in_(ours)))
    connection.execute(update(runs).where(runs.c.trigger_event.in_(ours)).values(trigger_event=None))


def _empty_stories(connection: Connection, person: Person) -> int:
    log = schema.step_log
    number = 0
    for start in range(0, len(person.runs), _ROWS):
        rows = connection.execute(
            select(log.c.id, log.c.what, log.c.detail).where(
                log.c.run_id.in_(person.runs[start : start + _ROWS])
            )
        ).all()
        number += len(rows)
        told = [{"line": row.id, "kept": {"event": row.detail.get("event")}} for row in rows if _counted(row)]
        silent = [row.id for row in rows if not _counted(row)]
        for at in range(0, len(silent), _ROWS):
            connection.execute(update(log).where(log.c.id.in_(silent[at : at + _ROWS])).values(detail={}))
        if told:
            statement = (
                update(log)
                .where(log.c.id == bindparam("line"))
                .values(detail=bindparam("kept", type_=log.c.detail.type))
            )
            connection.execute(statement, told)
    return number


def _counted(row: Any) -> bool:
    """Whether rates of answers are counted by the line."""
    return row.what in ("accepted", "exit", "goal") and isinstance(row.detail.get("event"), str)


def _empty_consents(connection: Connection, person: Person) -> int:
    table = schema.consents
    hashes = {channel: sorted(values) for channel, values in person.hashes.items() if values}
    proof = {"erased": True, "addresses": hashes}
    return connection.execute(
        update(table).where(table.c.lead_id.in_(person.leads)).values(proof=proof, event_id=None)
    ).rowcount


def _groups_of(connection: Connection, person: Person) -> list[str]:
    table = schema.memberships
    query = select(table.c.group_id).where(table.c.lead_id.in_(person.leads)).distinct()
    return list(connection.execute(query).scalars())


def _drop_empty_groups(connection: Connection, ids: list[str]) -> int:
    table, members = schema.groups, schema.memberships
    anybody = exists().where(members.c.group_id == table.c.id)
    return connection.execute(delete(table).where(table.c.id.in_(ids), ~anybody)).rowcount if ids else 0
