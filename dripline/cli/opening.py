"""The installation's store, opened for a command: read in one view, or changed; whether anything runs or not."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row
from sqlalchemy.exc import SQLAlchemyError

from dripline.cli.asking import EXIT_OURS, read_settings, refuse
from dripline.clock import HouseClock
from dripline.language.workspace import Workspace, load_workspace
from dripline.settings import Settings
from dripline.store.database import Store


@dataclass(frozen=True)
class Opened:
    """The store, as commands use it."""

    store: Store
    clock: HouseClock
    workspace: Workspace
    settings: Settings

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's time zone, in which times are told."""
        return self.workspace.zone

    def lead(self, connection: Connection, text: str) -> Row[Any]:
        """The lead that is meant, or the end of the command."""
        from dripline.ingest.identity import read_reference, resolve
        from dripline.ingest.refusal import Refused
        from dripline.store.leads import read_lead

        region = self.workspace.default_region
        try:
            row = read_lead(connection, resolve(connection, read_reference(text, region)))
        except Refused as refusal:
            refuse(refusal.detail)
        if row is None or row.erased_at is not None:
            refuse("This lead was erased; nothing is kept of it any more.")
        return row

    def minute(self, at: datetime) -> str:
        """A time in the workspace's zone, without seconds."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def say(self, at: datetime) -> str:
        """A time in the workspace's zone."""
        from dripline.story import say_time

        return say_time(at, self.zone)


@contextmanager
def opened(*, to_change: bool = False) -> Iterator[Opened]:
    """The store, or the end of the command with what is missing. `to_change`: only if it has our very schema."""
    from dripline.store.overview import house_clock

    settings = read_settings()
    workspace, problems = load_workspace(settings.workspace)
    if workspace is None:
        refuse("\n".join(map(str, problems)))
    if settings.database_url is None and not (settings.data / "dripline.db").exists():
        refuse(f"There is no store in {settings.data} yet: start `dripline up` first.")
    store = Store(settings.store_url(), pool_size=2)
    try:
        if to_change:
            _refuse_another_schema(store)
        yield Opened(store, house_clock(store), workspace, settings)
    except SQLAlchemyError as error:
        refuse(
            f"The store cannot be used ({type(error).__name__}): is it migrated, and is the database up?",
            EXIT_OURS,
        )
    finally:
        store.close()


def who() -> str:
    """Who gives the command: the name by which the system knows the person."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _refuse_another_schema(store: Store) -> None:
    from dripline.store.migrate import StoreTooNew, StoreUnlike, check_schema, is_migrated

    try:
        if not is_migrated(store):
            refuse("The store is of an older version: start `dripline up` (or `dripline serve`) once first.")
        check_schema(store)
    except (StoreTooNew, StoreUnlike) as reason:
        refuse(f"{str(reason)[:1].upper()}{str(reason)[1:]}.")
