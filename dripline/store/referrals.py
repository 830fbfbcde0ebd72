"""Who may bring friends by which code, whom each brought, and what became of that."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, func, literal, or_, select, update

from dripline.store.database import insert_into
from dripline.store.discounts import TRIES, code_for, plain_code
from dripline.store.schema import discounts, leads, referral_codes, referrals

JOINED, PURCHASED, RETURNED, REWARDED, REFUSED = "joined", "purchased", "returned", "rewarded", "refused"
"""A friend has come; has bought, and may still give it back; has given it back; the referrer has got its reward, or
gets none."""

STATES = (JOINED, PURCHASED, RETURNED, REWARDED, REFUSED)

_NAMESPACE = uuid.UUID("6f0f7d0a-3a5b-4c6e-8f13-2f4f0d1f5c9b")


def referral_id(program: str, friend_id: str) -> str:
    """The same for one friend of one program: nobody is brought twice."""
    return uuid.uuid5(_NAMESPACE, f"{program}/{friend_id}").hex


def code_of(connection: Connection, lead_id: str, program: str) -> Row[Any] | None:
    """The lead's code for that program, the oldest that is good; None where it has none yet."""
    query = (
        select(referral_codes)
        .where(
            referral_codes.c.lead_id == lead_id,
            referral_codes.c.program == program,
            referral_codes.c.revoked_at.is_(None),
        )
        .order_by(referral_codes.c.created_at, referral_codes.c.plain_code)
        .limit(1)
    )
    return connection.execute(query).one_or_none()


def give_code(connection: Connection, lead_id: str, program: str, secret: str, at: datetime) -> Row[Any]:
    """The lead's code for that program: the one that it has, else a new one. The lead is locked."""
    row = code_of(connection, lead_id, program)
    number = 0
    while row is None:
        if number >= TRIES:
            raise RuntimeError("no code is free")
        code = code_for(secret, f"referral/{program}/{lead_id}", number)
        if not _is_a_discount(connection, plain_code(code)):  # a shop may ask for either by the same words
            values = {
                "plain_code": plain_code(code),
                "code": code,
                "lead_id": lead_id,
                "program": program,
                "created_at": at,
            }
            statement = insert_into(connection, referral_codes).values(values).on_conflict_do_nothing()
            connection.execute(statement)
            row = code_of(connection, lead_id, program)
        number += 1
    return row


def _is_a_discount(connection: Connection, plain: str) -> bool:
    query = select(discounts.c.id).where(discounts.c.plain_code == plain).limit(1)
    return connection.execute(query).one_or_none() is not None


def find_code(connection: Connection, code: str) -> Row[Any] | None:
    """The code, however it was typed, with whose it is; None where there is none, or it was taken back."""
    query = select(referral_codes).where(
        referral_codes.c.plain_code == plain_code(code), referral_codes.c.revoked_at.is_(None)
    )
    return connection.execute(query).one_or_none()


def count_visit(connection: Connection, plain: str) -> None:
    """Somebody followed the link."""
    connection.execute(
        update(referral_codes)
        .where(referral_codes.c.plain_code == plain)
        .values(visits=referral_codes.c.visits + 1)
    )


def revoke_code(connection: Connection, plain: str, at: datetime) -> None:
    """Nobody comes by this code any more."""
    connection.execute(
        update(referral_codes).where(referral_codes.c.plain_code == plain).values(revoked_at=at)
    )


def keep_referral(connection: Connection, values: dict[str, Any]) -> Row[Any]:
    """Keep who brought whom. The friend is locked."""
    connection.execute(insert_into(connection, referrals).values(values))
    return load_referral(connection, values["id"])


def load_referral(connection: Connection, id_: str) -> Row[Any]:
    """A referral that is surely there."""
    return connection.execute(select(referrals).where(referrals.c.id == id_)).one()


def find_referral(connection: Connection, id_: str) -> Row[Any] | None:
    """The referral of that id, or None."""
    return connection.execute(select(referrals).where(referrals.c.id == id_)).one_or_none()


def lock_referral(connection: Connection, id_: str) -> Row[Any]:
    """Lock the referral's row, after its leads'; the row."""
    return connection.execute(select(referrals).where(referrals.c.id == id_).with_for_update()).one()


def change_referral(connection: Connection, id_: str, **values: Any) -> Row[Any]:
    """Set columns of a referral that is locked, or whose friend is; its row."""
    connection.execute(update(referrals).where(referrals.c.id == id_).values(values))
    return load_referral(connection, id_)


def of_friend(connection: Connection, friend_id: str) -> list[Row[Any]]:
    """By whom the lead was brought, in which programs; the first first."""
    query = select(referrals).where(referrals.c.friend_id == friend_id)
    return list(connection.execute(query.order_by(referrals.c.at, referrals.c.id)))


def is_spoken_for(connection: Connection, row: Row[Any]) -> bool:
    """Whether its friend, as another lead that has become this one, earns or has earned somebody a reward already."""
    others = referrals.alias()
    earlier = (others.c.at < row.at) | ((others.c.at == row.at) & (others.c.id < row.id))
    query = select(others.c.id).where(
        others.c.program == row.program,
        others.c.friend_id == row.friend_id,
        others.c.id != row.id,
        or_(others.c.state == REWARDED, (others.c.state == PURCHASED) & (earlier | (row.state != PURCHASED))),
    )
    return connection.execute(query.limit(1)).one_or_none() is not None


def of_order(connection: Connection, order_id: int) -> list[Row[Any]]:
    """The referrals whose purchase that order is."""
    return list(connection.execute(select(referrals).where(referrals.c.order_id == order_id)))


def brought_by(connection: Connection, lead_ids: Collection[str]) -> list[Row[Any]]:
    """Whom these leads brought, the newest first."""
    query = select(referrals).where(referrals.c.referrer_id.in_(lead_ids))
    return list(connection.execute(query.order_by(referrals.c.at.desc(), referrals.c.id)))


def above(connection: Connection, lead_id: str, most: int = 100) -> set[str]:
    """Who brought the lead, who brought that one, and so on."""
    found: set[str] = set()
    wanted = {lead_id}
    while wanted and len(found) < most:
        query = select(referrals.c.referrer_id).where(
            referrals.c.friend_id.in_(wanted), referrals.c.state != REFUSED
        )
        wanted = set(connection.execute(query).scalars()) - found
        found |= wanted
    return found


def seen_before(connection: Connection, referrer_id: str) -> list[Row[Any]]:
    """By which devices and networks (keyed hashes) the referrer came itself (`own`), and its friends did."""
    columns = (referrals.c.device_hash, referrals.c.network_hash)
    its_own = select(*columns, literal(True).label("own")).where(referrals.c.friend_id == referrer_id)
    friends = select(*columns, literal(False).label("own")).where(
        referrals.c.referrer_id == referrer_id, referrals.c.state != REFUSED
    )
    return [*connection.execute(its_own), *connection.execute(friends)]


def rewarded(connection: Connection, program: str, referrer_id: str, since: datetime | None = None) -> int:
    """How many friends of a referrer were rewarded, all or since then."""
    query = select(func.count()).where(
        referrals.c.program == program,
        referrals.c.referrer_id == referrer_id,
        referrals.c.state == REWARDED,
    )
    if since is not None:
        query = query.where(referrals.c.rewarded_at > since)
    return connection.execute(query).scalar_one()


def due(connection: Connection, now: datetime, limit: int) -> list[str]:
    """The referrals that are to be looked at by now (house time), the oldest first."""
    query = select(referrals.c.id).where(referrals.c.due_at <= now)
    return list(connection.execute(query.order_by(referrals.c.due_at, referrals.c.id).limit(limit)).scalars())


def put_off(connection: Connection, id_: str, now: datetime, until: datetime) -> None:
    """Look at a referral that is due later, unless somebody has settled it meanwhile (house times)."""
    is_due = (referrals.c.id == id_) & (referrals.c.due_at <= now)
    connection.execute(update(referrals).where(is_due).values(due_at=until))


def list_referrals(
    connection: Connection,
    program: str | None = None,
    lead_id: str | None = None,
    state: str | None = None,
    limit: int = 50,
) -> list[Row[Any]]:
    """Who brought whom, the newest first; of a lead, as either of the two."""
    query = select(referrals).order_by(referrals.c.at.desc(), referrals.c.id).limit(limit)
    if program is not None:
        query = query.where(referrals.c.program == program)
    if lead_id is not None:
        query = query.where(or_(referrals.c.referrer_id == lead_id, referrals.c.friend_id == lead_id))
    if state is not None:
        query = query.where(referrals.c.state == state)
    return list(connection.execute(query))


def newest_named(connection: Connection, limit: int) -> list[Row[Any]]:
    """Who came last, with what both are called (`friend_email`, `referrer_phone`, …)."""
    names = ("id", "email", "phone", "external_id")
    both = {"referrer": leads.alias(), "friend": leads.alias()}
    called = [one.c[name].label(f"{role}_{name}") for role, one in both.items() for name in names]
    columns = [column for column in referrals.c if column.name not in ("referrer_id", "friend_id")]
    query = (
        select(*columns, *called)
        .join(both["referrer"], both["referrer"].c.id == referrals.c.referrer_id)
        .join(both["friend"], both["friend"].c.id == referrals.c.friend_id)
        .order_by(referrals.c.at.desc(), referrals.c.id)
        .limit(limit)
    )
    return list(connection.execute(query))


@dataclass(frozen=True)
class Leader:
    """What a referrer brought."""

    lead: str
    email: str | None
    joined: int
    """Friends who came and were not refused."""
    purchased: int
    """Those of them who bought, and did not give it back."""
    rewarded: int
    visits: int
    """People who followed its link."""


def leaders(
    connection: Connection, program: str, since: datetime | None = None, limit: int = 20
) -> list[Leader]:
    """Who brought most: by rewards, then by purchases, then by friends; of equals, who began first."""
    came = referrals.c.program == program
    if since is not None:
        came &= referrals.c.at >= since
    joined = func.count(case((referrals.c.state != REFUSED, 1)))
    bought = func.count(case((referrals.c.state.in_((PURCHASED, REWARDED)), 1)))
    paid = func.count(case((referrals.c.state == REWARDED, 1)))
    visits = (
        select(func.coalesce(func.sum(referral_codes.c.visits), 0))
        .where(referral_codes.c.lead_id == leads.c.id, referral_codes.c.program == program)
        .correlate(leads)
        .scalar_subquery()
    )
    query = (
        select(
            leads.c.id,
            leads.c.email,
            joined.label("joined"),
            bought.label("purchased"),
            paid.label("rewarded"),
            visits.label("visits"),
        )
        .join(referrals, referrals.c.referrer_id == leads.c.id)
        .where(came, leads.c.erased_at.is_(None))
        .group_by(leads.c.id, leads.c.email)
        .having(joined > 0)
        .order_by(paid.desc(), bought.desc(), joined.desc(), func.min(referrals.c.at), leads.c.id)
        .limit(limit)
    )
    return [
        Leader(row.id, row.email, row.joined, row.purchased, row.rewarded, int(row.visits))
        for row in connection.execute(query)
    ]


@dataclass(frozen=True)
class Standing:
    """How a program stands."""

    program: str
    codes: int
    visits: int
    states: dict[str, int]
    """How many friends are in each state."""
    refused: dict[str, int]
    """How many were refused, by reason."""


def standings(connection: Connection) -> list[Standing]:
    """How the programs stand that have any codes, by name."""
    codes = select(
        referral_codes.c.program,
        func.count().label("codes"),
        func.coalesce(func.sum(referral_codes.c.visits), 0).label("visits"),
    ).group_by(referral_codes.c.program)
    counts = select(
        referrals.c.program, referrals.c.state, referrals.c.refused, func.count().label("number")
    ).group_by(referrals.c.program, referrals.c.state, referrals.c.refused)
    states: dict[str, dict[str, int]] = {}
    refused: dict[str, dict[str, int]] = {}
    for row in connection.execute(counts):
        of = states.setdefault(row.program, {})
        of[row.state] = of.get(row.state, 0) + row.number
        if row.state == REFUSED:
            why = refused.setdefault(row.program, {})
            why[row.refused or ""] = why.get(row.refused or "", 0) + row.number
    return [
        Standing(
            row.program, row.codes, int(row.visits), states.get(row.program, {}), refused.get(row.program, {})
        )
        for row in connection.execute(codes.order_by(referral_codes.c.program))
    ]
