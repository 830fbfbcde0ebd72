from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select

from dripline.access.keys import (
    NoSuchKey,
    choose_key,
    find_key,
    is_alive,
    list_keys,
    revoke_key,
    rotate_key,
)
from dripline.access.scopes import UnknownScope, read_scopes
from dripline.clock import machine_clock
from dripline.store.database import Store
from dripline.store.schema import api_keys, audit
from dripline.web.keyring import KeyRing
from tests.access.keys import a_key


def test_a_key_is_256_random_bits_of_which_only_a_hash_is_kept(store: Store) -> None:
    key = a_key(store, "track", "leads:read")
    assert key.secret.startswith("dl_live_")
    assert len(key.secret) == len("dl_live_") + 43, "32 bytes in base64url"
    with store.read() as connection:
        [row] = connection.execute(select(api_keys)).all()
        kept = repr(connection.execute(select(audit)).all()) + repr(row)
    assert row.hash == hashlib.sha256(key.secret.encode()).hexdigest()
    assert row.scopes == ["track", "leads:read"]
    assert key.secret not in kept
    assert row.prefix == key.secret[:12]


def test_a_rotated_key_goes_on_for_the_grace_period(store: Store) -> None:
    old, now = a_key(store, "leads:read", per_minute=7), machine_clock()
    with store.write() as connection:
        new = rotate_key(connection, old.id, now, "ani", live=True, grace=timedelta(hours=1))
        rows = {row.id: row for row in list_keys(connection)}
    assert rows[new.id].scopes == ["leads:read"]
    assert (rows[new.id].per_minute, rows[new.id].replaces) == (7, old.id)
    assert is_alive(rows[old.id], now + timedelta(minutes=59))
    assert not is_alive(rows[old.id], now + timedelta(minutes=61))
    assert is_alive(rows[new.id], now + timedelta(days=900))
    with store.write() as connection, pytest.raises(NoSuchKey):
        rotate_key(connection, old.id, now + timedelta(hours=2), "ani", live=True)


def test_a_key_is_named_by_its_name_its_beginning_or_its_id_and_never_guessed(store: Store) -> None:
    one, other = a_key(store, "track"), a_key(store, "track")
    with store.write() as connection:
        now = machine_clock()
        with pytest.raises(NoSuchKey, match=r"Several keys"):
            choose_key(connection, "the shop", now)
        assert choose_key(connection, one.prefix, now).id == one.id
        assert choose_key(connection, other.id, now).id == other.id
        revoke_key(connection, other.id, now, "ani", "lost")
        assert choose_key(connection, "the shop", now).id == one.id
        with pytest.raises(NoSuchKey, match=r"No living key"):
            choose_key(connection, other.prefix, now)


def test_what_is_done_with_keys_stands_in_the_audit_log_without_the_keys(store: Store) -> None:
    key, now = a_key(store, "admin"), machine_clock()
    with store.write() as connection:
        new = rotate_key(connection, key.id, now, "ani", live=True)
        revoke_key(connection, new.id, now, "ani", "lost")
        acts = connection.execute(select(audit).order_by(audit.c.id)).all()
    assert [(act.what, act.by, act.why) for act in acts] == [
        ("key-created", "ani", None),
        ("key-rotated", "ani", None),
        ("key-revoked", "ani", "lost"),
    ]


def test_when_a_key_was_used_is_kept_about_right_and_not_with_each_request(store: Store) -> None:
    key, now = a_key(store, "track"), [machine_clock()]
    ring = KeyRing(store, None, 100, lambda: now[0])

    def used_at() -> object:
        with store.read() as connection:
            return getattr(find_key(connection, key.secret), "last_used_at", None)

    assert used_at() is None
    ring.look_up(key.secret)
    first = used_at()
    assert first == now[0]
    now[0] += timedelta(minutes=5)
    ring.look_up(key.secret)
    assert used_at() == first
    now[0] += timedelta(minutes=6)
    ring.look_up(key.secret)
    assert used_at() == now[0]


def test_scopes_are_known_ones_each_once() -> None:
    assert read_scopes(["leads:read", "track", "track"]) == ["track", "leads:read"]
    for wrong in ([], ["leads"]):
        with pytest.raises(UnknownScope):
            read_scopes(wrong)
