"""`dripline referral …`: codes for bringing friends, who came by them, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from dripline.cli.asking import WHO, refuse
from dripline.cli.opening import Opened, opened, who
from dripline.cli.showing import Format, add, new_table, print_json, print_table, write_out

_FORMAT = Annotated[Format, typer.Option("--format", help="A text for people, or JSON.")]
_LEAD = Annotated[str, typer.Argument(help=WHO)]
_PROGRAM = Annotated[
    str | None, typer.Option("--program", help="The program, where dripline.yaml has several.")
]
T = TypeVar("T")


class State(StrEnum):
    """Where a friend stands."""

    joined = "joined"
    purchased = "purchased"
    returned = "returned"
    rewarded = "rewarded"
    refused = "refused"


def register(app: typer.Typer) -> None:
    """Add `dripline referral`."""
    referral = typer.Typer(
        no_args_is_help=True, help="Friends: who brings them, by which code, and for what."
    )
    referral.command("programs")(programs)
    referral.command("code")(code)
    referral.command("revoke")(revoke)
    referral.command("join")(join)
    referral.command("list")(list_referrals)
    referral.command("refuse")(refuse_referral)
    referral.command("leaders")(leaders)
    app.add_typer(referral, name="referral")


def programs(form: _FORMAT = Format.text) -> None:
    """Show how the programs stand: codes, visits, and how many friends are where."""
    from dripline.store.referrals import STATES, standings

    with opened() as house, house.store.read() as connection:
        found = {one.program: one for one in standings(connection)}
    if form is Format.json:
        print_json([asdict(one) for one in found.values()])
        return
    table = new_table("program", "codes", "visits", *STATES, "refused because")
    for name in sorted({*found, *house.workspace.referrals}):
        one = found.get(name)
        if one is None:
            add(table, name, "0", "0", *("0" for _ in STATES), "")
            continue
        why = ", ".join(f"{reason}: {number}" for reason, number in sorted(one.refused.items()))
        counts = (f"{one.states.get(state, 0):,}" for state in STATES)
        add(table, name, f"{one.codes:,}", f"{one.visits:,}", *counts, why)
    print_table(table, "There is no program: declare one under `referrals` in dripline.yaml.")


def code(
    lead: _LEAD,
    program: _PROGRAM = None,
    qr: Annotated[
        Path | None, typer.Option("--qr", help="Write the link as a picture to scan: a .png or .svg file.")
    ] = None,
    form: _FORMAT = Format.text,
) -> None:
    """Show a lead's code and link for bringing friends; it gets them, if it had none."""
    from dripline.ingest.identity import Reference
    from dripline.links import friends_link
    from dripline.stack.up import public_url

    with opened(to_change=True) as house:
        with house.store.read() as connection:
            found = house.lead(connection, lead)
        row = _done(lambda: _referring(house).code(Reference((found.id,), ()), _program(house, program)))
        link = friends_link(public_url(house.settings), row.code)
    if qr is not None:
        _draw(qr, link)
    if form is Format.json:
        print_json(
            {
                "program": row.program,
                "lead": row.lead_id,
                "code": row.code,
                "link": link,
                "visits": row.visits,
            }
        )
        return
    typer.echo(f"{row.code}\n{link}")
    typer.echo(f"Followed {row.visits:,} times.")


def revoke(
    code: Annotated[str, typer.Argument(help="The code, however it is typed.")],
    why: Annotated[str, typer.Option(help="The reason, for those who ask later: no names.")],
) -> None:
    """Let nobody come by a code any more. Who came by it stays; the lead may get another code."""
    with opened(to_change=True) as house:
        row = _done(lambda: _referring(house).revoke(code, why, who()))
    typer.echo(f"{row.code} brings nobody any more.")


def join(
    code: Annotated[str, typer.Argument(help="The referrer's code, however it is typed.")],
    lead: Annotated[str, typer.Argument(help=f"The friend. {WHO}")],
    form: _FORMAT = Format.text,
) -> None:
    """Say that a lead came by another's code, as on the telephone. It gets its welcome."""
    from dripline.ingest.identity import Reference
    from dripline.ingest.referring.joining import Arrival

    with opened(to_change=True) as house:
        with house.store.read() as connection:
            friend = house.lead(connection, lead)
        done = _done(lambda: _referring(house).join(Reference((friend.id,), ()), Arrival(code, "command")))
    if form is Format.json:
        print_json({**_told(done.row), "welcome": done.welcome})
        return
    typer.echo("It came." if done.new else f"It had come before: {done.row.state}.")
    if done.row.refused:
        typer.echo(f"It does not count: {done.row.refused}.")
    if "code" in done.welcome:
        typer.echo(f"Its welcome: {done.welcome['code']} ({_worth(done.welcome)}).")


def list_referrals(
    lead: Annotated[
        str | None, typer.Option("--lead", help=f"Whom it brought, and who brought it. {WHO}")
    ] = None,
    program: _PROGRAM = None,
    state: Annotated[State | None, typer.Option("--state", help="Only those who stand there.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="So many at most.")] = 50,
    form: _FORMAT = Format.text,
) -> None:
    """List who brought whom, newest first, and what became of it."""
    from dripline.store import referrals

    with opened() as house, house.store.read() as connection:
        of = house.lead(connection, lead).id if lead is not None else None
        rows = referrals.list_referrals(connection, program, of, state, limit)
    if form is Format.json:
        print_json([_told(row) for row in rows])
        return
    table = new_table("referral", "when", "program", "referrer", "friend", "state", "")
    for row in rows:
        add(
            table,
            row.id,
            house.minute(row.at),
            row.program,
            row.referrer_id,
            row.friend_id,
            row.state,
            _more(house, row),
        )
    print_table(table, "Nobody was brought yet.")


def refuse_referral(
    referral: Annotated[str, typer.Argument(help="Its id, as `dripline referral list` shows it.")],
    why: Annotated[
        str, typer.Option(help="The reason, for those who ask later: no names. The referrer is not told.")
    ],
) -> None:
    """Let nobody be rewarded for a friend. The friend keeps its welcome."""
    with opened(to_change=True) as house:
        row = _done(lambda: _referring(house).refuse(referral, why, who()))
    typer.echo(f"Nobody is rewarded for it: {row.refused}.")


def leaders(
    program: _PROGRAM = None,
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d"], help="Only friends who came since that day."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="So many at most.")] = 20,
    form: _FORMAT = Format.text,
) -> None:
    """Show who brought most friends: by rewards, then by purchases, then by friends who came."""
    from dripline.store import referrals

    with opened() as house, house.store.read() as connection:
        begins = _midnight(house, since.date()) if since is not None else None
        found = referrals.leaders(connection, _program(house, program), begins, limit)
    if form is Format.json:
        print_json([asdict(one) for one in found])
        return
    table = new_table("", "lead", "e-mail", "followed", "joined", "purchased", "rewarded")
    for place, one in enumerate(found, 1):
        counts = (one.visits, one.joined, one.purchased, one.rewarded)
        add(table, str(place), one.lead, one.email or "", *(f"{number:,}" for number in counts))
    print_table(table, "Nobody was brought yet.")


def _referring(house: Opened) -> Any:
    from dripline.ingest.referring.service import Referring
    from dripline.store.rules import make_known

    make_known(house.store, house.workspace)
    secret = house.settings.secret
    return Referring(house.store, secret.get_secret_value() if secret else None)


def _program(house: Opened, said: str | None) -> str:
    """The program that is meant: the only one, where none is named. Or the end of the command."""
    from dripline.language.problems import did_you_mean, listed

    known = house.workspace.referrals
    if said is None:
        if len(known) == 1:
            return next(iter(known))
        refuse(
            f"Say --program: there are {listed(known)}."
            if known
            else "There is no program: declare one under `referrals` in dripline.yaml."
        )
    if said not in known:
        refuse(f"There is no program {said}: {did_you_mean(said, known) or 'declare it under `referrals`'}.")
    return said


def _done(do: Callable[[], T]) -> T:
    from dripline.ingest.refusal import Refused

    try:
        return do()
    except Refused as refusal:
        refuse(refusal.detail)


def _draw(path: Path, link: str) -> None:
    from dripline.drawing.qr import qr_png, qr_svg

    kinds: dict[str, Callable[[str], str | bytes]] = {".png": qr_png, ".svg": qr_svg}
    if path.suffix.lower() not in kinds:
        refuse(f"{path} is neither .png nor .svg: name the file one of the two.")
    write_out(path, kinds[path.suffix.lower()](link))


def _midnight(house: Opened, day: date) -> datetime:
    return datetime.combine(day, time(), house.zone)


def _more(house: Opened, row: Any) -> str:
    if row.state == "refused":
        return str(row.refused)
    if row.reward and "waits" in row.reward:
        return f"waits: {row.reward['waits']}"
    if row.state == "rewarded":
        return _worth(row.reward)
    return f"held until {house.minute(row.hold_until)}" if row.hold_until else ""


def _worth(said: dict[str, Any]) -> str:
    if "percent" in said:
        return f"{said['percent']:g}%"
    return f"{said['amount']:,} {said['currency']}" if "amount" in said else str(said.get("gift", ""))


def _told(row: Any) -> dict[str, Any]:
    names = ("id", "program", "referrer_id", "friend_id", "at", "via", "state", "refused")
    more = ("purchased_at", "hold_until", "rewarded_at", "reward")
    return {name.removesuffix("_id"): getattr(row, name) for name in (*names, *more)}
