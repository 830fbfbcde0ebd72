"""The workspace, the store, and what people left in it: brakes pulled, messages held."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import SQLAlchemyError

from dripline.access.people import is_anybody_there
from dripline.clock import machine_clock
from dripline.doctor.findings import Finding, known, mend, well
from dripline.language.project import Project, load_project
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.store.held import count_held
from dripline.store.house import pulled
from dripline.store.migrate import StoreTooNew, is_migrated
from dripline.store.overview import house_clock
from dripline.store.pools import stock
from dripline.store.schema import journeys
from dripline.store.strays import list_strays
from dripline.store.tallies import tallied

LITTLE = 1_000_000_000
"""Bytes of free space below which the disk is nearly full."""
_LATELY = timedelta(days=7)
LATELY = timedelta(days=7)
_SKEW = timedelta(seconds=5)


def examine_workspace(settings: Settings) -> tuple[Project, list[Finding]]:
    """The journeys' files."""
    project = load_project(settings.workspace)
    if project.workspace is None:
        why = str(project.problems[0]) if project.problems else "it cannot be read"
        return project, [mend("workspace", why, "run in its folder, or set DRIPLINE_WORKSPACE")]
    if project.errors:
        text = f"{project.errors} errors in {settings.workspace.resolve()}"
        return project, [mend("workspace", text, "dripline check")]
    names = ", ".join(sorted(project.plans)) or "none yet"
    folder = settings.workspace.resolve()
    found = well if project.plans else known
    return project, [found("workspace", f"{folder}, journeys without errors: {names}")]


def examine_store(settings: Settings, project: Project) -> Iterator[Finding]:
    """The database, as far as it answers, and what it says of the installation."""
    if settings.database_url is None and not (settings.data / "dripline.db").exists():
        yield mend("store", f"there is none in {settings.data.resolve()} yet", "dripline up (it makes one)")
        return
    store = Store(settings.store_url(), pool_size=2)
    try:
        if not is_migrated(store):
            cure = "start `dripline up` or `dripline serve`: they migrate it"
            yield mend("store", "it has an older schema than this program", cure)
            return
        with store.read() as connection:
            yield from _durable(connection, store)
            yield from _journeys(connection, project)
            yield from _brake(connection)
            yield from _waiting(connection)
            yield from _refused(connection)
            yield from _people(connection, settings)
            yield from _strays(connection, project)
            yield from _stock(connection, project)
        yield from _time(store, settings)
    except StoreTooNew as reason:
        yield mend("store", str(reason), "run the newer version")
    except (SQLAlchemyError, OSError) as error:
        yield mend(
            "store", f"it does not answer ({type(error).__name__})", "is the database up, and the URL right?"
        )
    finally:
        store.close()


def _durable(connection: Connection, store: Store) -> Iterator[Finding]:
    if store.is_sqlite:
        mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
        full = connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
        if mode == "wal" and full:
            yield well(
                "store", f"SQLite, {store.engine.url.database}: migrated, written with full durability"
            )
        else:
            cure = "keep it on a local disk: some network file systems refuse"
            yield mend("store", f"SQLite with journal_mode {mode} may lose what it has said yes to", cure)
        return
    off = [
        name
        for name in ("fsync", "synchronous_commit", "full_page_writes")
        if connection.execute(text(f"SHOW {name}")).scalar_one() == "off"
    ]
    if off:
        yield mend(
            "store", f"PostgreSQL with {', '.join(off)} off: a crash loses messages' states", "set it to on"
        )
    else:
        yield well(
            "store", f"PostgreSQL, {store.engine.url.database}: migrated, written with full durability"
        )
    ours, theirs = machine_clock(), connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    if abs(theirs - ours) > _SKEW:
        seconds = (theirs - ours).total_seconds()
        yield mend("clock", f"the database's clock differs from ours by {seconds:.0f} s", "run NTP on both")


def _journeys(connection: Connection, project: Project) -> Iterator[Finding]:
    rows = connection.execute(select(journeys).order_by(journeys.c.id)).all()
    for row in rows:
        if row.paused_at is not None:
            why = f": {row.pause_reason}" if row.pause_reason else ""
            yield mend("journeys", f"{row.id} is paused{why}", f"dripline resume {row.id}")
    hashes = {row.id: row.plan_hash for row in rows}
    new = [name for name, plan in project.plans.items() if hashes.get(name) != plan.hash]
    if new:
        yield known(
            "journeys",
            f"not published as their files are: {', '.join(new)}",
            "`dripline publish` shows what that changes, and publishes them",
        )
    if rows:
        yield well("journeys", f"published: {', '.join(hashes)}")


def _strays(connection: Connection, project: Project) -> Iterator[Finding]:
    """What the tracking API was told lately and had no place: the reason why a journey does not begin."""
    since = machine_clock() - _LATELY
    rows = [row for row in list_strays(connection, since) if row.kind == "event"]
    if not rows or project.workspace is None:
        return
    most = ", ".join(f"`{row.name}` ({row.times:,} times)" for row in rows[:3])
    said = f"events come by the tracking API and are left out: {most}"
    yield known("strays", said, "`dripline strays` shows all, and what to do")


def _stock(connection: Connection, project: Project) -> Iterator[Finding]:
    """Pools of codes that are nearly empty."""
    entries = project.workspace.pools if project.workspace is not None else {}
    for one in stock(connection, entries) if entries else ():
        if one.low:
            cure = f"dripline discount import {one.pool} FILE"
            yield mend("pool", f"{one.pool} has {one.left:,} codes left", cure)


def _brake(connection: Connection) -> Iterator[Finding]:
    brake = pulled(connection)
    if brake is not None:
        by = f" by {brake.by}" if brake.by else ""
        why = f": {brake.why}" if brake.why else ""
        yield mend("brake", f"everything has been stopped{by}{why}", "dripline start-all")


def _waiting(connection: Connection) -> Iterator[Finding]:
    said = [f"{number:,} {state}" for state, number in count_held(connection).items() if number]
    if said:
        yield mend("held", f"{', '.join(said)}: they wait for a person", "dripline held")
    else:
        yield well("held", "nothing waits for a person")


def _refused(connection: Connection) -> Iterator[Finding]:
    """Webhooks that were not taken lately: by far the most often a key of ours that is not the provider's."""
    counted = tallied(connection, "webhook.", machine_clock() - LATELY)
    for provider, name in (("sendgrid", "SendGrid"), ("twilio", "Twilio")):
        said = [
            f"{times:,} {key.rpartition('.')[2].replace('-', ' ')}"
            for key, times in counted.items()
            if key.startswith(f"webhook.{provider}.") and not key.endswith(".repeated")
        ]
        if said:
            cure = (
                "is its key the one that is set here, and DRIPLINE_PUBLIC_URL the address that it was given?"
            )
            yield known("webhooks", f"refused from {name} within 7 days: {', '.join(said)}", cure)


def _people(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """Whether somebody can log in, where everybody has to."""
    if settings.environment == "production" and not is_anybody_there(connection):
        yield mend("people", "nobody can log in to the pages", "dripline user add ADDRESS --role admin")


def _time(store: Store, settings: Settings) -> Iterator[Finding]:
    clock = house_clock(store)
    now: datetime = machine_clock()
    ahead = clock.to_house(now) - now
    if clock.rate != 1.0:
        found = f"a day of the journeys takes {86400 / clock.rate:g} seconds (dripline up --day)"
        if settings.environment == "production":
            yield mend("clock", found, "stop it and start `dripline up` without --day")
        else:
            yield known("clock", found)
    elif ahead > timedelta(minutes=1):
        yield known(
            "clock", f"journey time is {ahead.total_seconds() / 86400:.1f} days ahead, by an earlier --day"
        )
    else:
        yield well("clock", "journey time is the time on the wall")


def examine_disk(settings: Settings) -> Iterator[Finding]:
    """Room for the files that Dripline writes here."""
    folder = settings.data.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:.1f} GB free at {folder}"
    if free < LITTLE:
        yield mend("disk", said, "make room: the store stops when there is none")
    else:
        yield well("disk", said)


def examine_settings(settings: Settings) -> Iterator[Finding]:
    """What production needs, and development does not."""
    host = urlsplit(settings.public_url).hostname or ""
    local = host in ("localhost", "127.0.0.1", "::1")
    if settings.environment != "production":
        yield known(
            "settings",
            "development: only addresses on the workspace's list are written to",
            "DRIPLINE_ENVIRONMENT=production writes to everybody who agreed",
        )
        return
    yield well("settings", "production: everybody who agreed may be written to")
    if local:
        cure = "set DRIPLINE_PUBLIC_URL to where people and providers reach us"
        yield mend("settings", f"links and webhooks lead to {settings.public_url}", cure)
    elif urlsplit(settings.public_url).scheme != "https":
        cure = "mail programs unsubscribe by one click over https only: set DRIPLINE_PUBLIC_URL to such an address"
        yield mend("settings", f"links in messages lead to {settings.public_url}", cure)
    if settings.secret is None:
        cure = "set DRIPLINE_SECRET, and keep it with the backups"
        yield known("settings", "the secret is kept in the store alone", cure)
