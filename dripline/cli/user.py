"""`dripline user`: the people who may look at the pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened, who
from dripline.cli.showing import Format, add, new_table, print_json, print_table
from dripline.clock import machine_clock

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from dripline.access.people import Invitation

_COLUMNS = ("id", "email", "name", "role", "created_at", "created_by", "locked_until", "disabled_at")

Email = Annotated[str, typer.Argument(help="The person's e-mail address.")]


class Role(StrEnum):
    """What somebody may do on the pages."""

    viewer = "viewer"
    author = "author"
    publisher = "publisher"
    admin = "admin"


def register(app: typer.Typer) -> None:
    """Add `dripline user` and the commands below it."""
    user = typer.Typer(help="The people who log in to the pages, and what each may do.", no_args_is_help=True)
    user.command("add")(add_user)
    user.command("list")(list_all)
    user.command("role")(role)
    user.command("reset")(reset)
    user.command("disable")(disable)
    user.command("enable")(enable)
    app.add_typer(user, name="user")


def add_user(
    email: Email,
    role: Annotated[
        Role, typer.Option(help="What they may do; each may what the one before may.")
    ] = Role.viewer,
    name: Annotated[str | None, typer.Option(help="How the audit log calls them.")] = None,
) -> None:
    """Add somebody, and print the link by which they choose a password: it works once, for a day."""
    from dripline.access.people import NotPossible, invite

    with opened(to_change=True) as house, house.store.write() as connection:
        try:
            made = invite(connection, email, role.value, machine_clock(), who(), name)
        except NotPossible as reason:
            refuse(str(reason))
    _tell(house, email, made)


def list_all(
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """List the people who may log in."""
    from dripline.access.people import list_users

    with opened() as house:
        with house.store.read() as connection:
            rows = list_users(connection)
        if form is Format.json:
            print_json([{name: getattr(row, name) for name in _COLUMNS} for row in rows])
            return
        table = new_table("Address", "Name", "Role", "Added", "State")
        for row in rows:
            made = f"{house.minute(row.created_at)} by {row.created_by}"
            add(table, row.email, row.name or "", row.role, made, _state(row))
    print_table(table, "Nobody yet. `dripline user add ADDRESS --role admin` makes the first admin.")


def role(email: Email, role: Annotated[Role, typer.Argument(help="What they may do from now on.")]) -> None:
    """Give somebody another role, at once."""
    from dripline.access.people import set_role

    with _changing(email) as (connection, row):
        set_role(connection, row.id, role.value, machine_clock(), who())
    typer.echo(f"{row.email} is {'an' if role.value[0] == 'a' else 'a'} {role.value} now.")


def reset(email: Email) -> None:
    """Take somebody's password away, log them out, and print a link by which they choose another."""
    from dripline.access.people import reset as reset_password

    with opened(to_change=True) as house, house.store.write() as connection:
        row = _person(connection, email)
        made = reset_password(connection, row.id, machine_clock(), who())
    _tell(house, row.email, made)


def disable(
    email: Email, why: Annotated[str | None, typer.Option(help="Why: kept in the audit log.")] = None
) -> None:
    """Let somebody in no more, and log them out everywhere."""
    from dripline.access.people import disable as let_in_no_more

    with _changing(email) as (connection, row):
        let_in_no_more(connection, row.id, machine_clock(), who(), why)
    typer.echo(f"{row.email} is logged out, and cannot come in any more.")


def enable(email: Email) -> None:
    """Let somebody in again."""
    from dripline.access.people import enable as let_in

    with _changing(email) as (connection, row):
        let_in(connection, row.id, machine_clock(), who())
    typer.echo(f"{row.email} may come in again.")


@contextmanager
def _changing(email: str) -> Iterator[tuple[Connection, Row[Any]]]:
    from dripline.access.people import NotPossible

    with opened(to_change=True) as house, house.store.write() as connection:
        try:
            yield connection, _person(connection, email)
        except NotPossible as reason:
            refuse(str(reason))


def _person(connection: Connection, email: str) -> Row[Any]:
    from dripline.access.people import find_user

    row = find_user(connection, email)
    if row is None:
        refuse("Nobody of that address is there: `dripline user list` shows everybody.")
    return row


def _tell(house: Opened, email: str, made: Invitation) -> None:
    """The link alone on standard output, so that it can be piped to where it is needed."""
    from dripline.stack.up import public_url

    typer.echo(f"A link for {email} to choose a password. It works once, for 24 hours:", err=True)
    typer.echo(public_url(house.settings).rstrip("/") + made.path)


def _state(row: Row[Any]) -> str:
    now = machine_clock()
    if row.disabled_at:
        return "disabled"
    if row.password is None:
        return (
            "invited" if row.invited_until and row.invited_until > now else "the link is over: `user reset`"
        )
    return "locked for a while" if row.locked_until and row.locked_until > now else ""
