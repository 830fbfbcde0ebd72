"""`dripline discount …`: look codes up, take them back, import those of others, see what is left."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened, who
from dripline.cli.showing import Format, add, count, new_table, print_json, print_table
from dripline.clock import machine_clock

_CODE = Annotated[str, typer.Argument(help="The code, however it is typed.")]
_LEAD = Annotated[
    str | None, typer.Option("--lead", help="Dripline's id of the lead, where leads share the code.")
]
_FORMAT = Annotated[Format, typer.Option("--format", help="A text for people, or JSON.")]
MOST_CODES = 1_000_000
"""Codes that one file may hold."""


def register(app: typer.Typer) -> None:
    """Add `dripline discount`."""
    discount = typer.Typer(
        no_args_is_help=True,
        help="Discounts: their codes, pools and budgets. `dripline report discounts` tells how they go.",
    )
    discount.command("show")(show)
    discount.command("redeem")(redeem)
    discount.command("revoke")(revoke)
    discount.command("import")(import_codes)
    discount.command("pools")(pools)
    discount.command("budgets")(budgets)
    app.add_typer(discount, name="discount")


def show(code: _CODE, lead: _LEAD = None, form: _FORMAT = Format.text) -> None:
    """Show a discount: what it gives, to whom, until when, and what became of it."""
    from dripline.ingest.redeeming import find

    with opened() as house, house.store.read() as connection:
        row = _found(lambda: find(connection, code, lead))
    _show(house, row, form)


def redeem(
    code: _CODE,
    order: Annotated[str, typer.Option(help="The order, as the shop calls it: a repeat changes nothing.")],
    total: Annotated[str | None, typer.Option(help="What the order comes to, like `120.50 USD`.")] = None,
    lead: _LEAD = None,
    form: _FORMAT = Format.text,
) -> None:
    """Redeem a code for an order, once."""
    from dripline.ingest.redeeming import Purchase
    from dripline.ingest.service import Ingest
    from dripline.language.money import MoneyError, read_money

    amount, currency = None, None
    if total is not None:
        try:
            amount, currency = read_money(total)
        except MoneyError as error:
            refuse(f"--total: {error}; {error.hint}.")
    with opened(to_change=True) as house:
        ingest = Ingest(house.store, house.workspace)
        row = _found(lambda: ingest.redeem(code, Purchase(order, lead, amount, currency)))
        _show(house, row, form)


def revoke(
    code: _CODE,
    why: Annotated[str, typer.Option(help="The reason, for those who ask later.")],
    lead: _LEAD = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take a discount back: nobody can redeem it any more. The lead is not told."""
    from dripline.ingest.redeeming import find
    from dripline.ingest.service import Ingest

    with opened(to_change=True) as house:
        with house.store.read() as connection:
            row = _found(lambda: find(connection, code, lead))
        _show(house, row, Format.text)
        if not yes and not typer.confirm("Take it back?", default=False):
            refuse("Nothing was done.")
        ingest = Ingest(house.store, house.workspace)
        _found(lambda: ingest.revoke(code, lead, why, who()))
    typer.echo("Taken back: nobody can redeem it any more.")


def import_codes(
    pool: Annotated[str, typer.Argument(help="The pool, as `pools` in dripline.yaml calls it.")],
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="One code a line, or a CSV file.")
    ],
    column: Annotated[int, typer.Option(min=1, help="The column of the codes.")] = 1,
) -> None:
    """Add codes of somebody else's to a pool; those that it has already are left as they are."""
    from dripline.language.problems import did_you_mean
    from dripline.store.audit import record_act
    from dripline.store.discounts import plain_code
    from dripline.store.pools import keep_codes

    with opened(to_change=True) as house:
        if pool not in house.workspace.pools:
            hint = did_you_mean(pool, house.workspace.pools) or "declare it under `pools`"
            refuse(f"There is no pool {pool} in dripline.yaml: {hint}.")
        codes = {plain_code(code): code for code in _codes(file, column)}
        if not codes:
            refuse(f"There is no code in {file}.")
        new, elsewhere, chunk, items = 0, 0, 1_000, list(codes.items())
        for start in track(
            range(0, len(items), chunk), "Importing", transient=True, console=Console(stderr=True)
        ):
            part = items[start : start + chunk]
            with house.store.write() as connection:
                kept = keep_codes(connection, pool, dict(part), machine_clock())
            new, elsewhere = new + kept.new, elsewhere + len(kept.elsewhere)
        with house.store.write() as connection:
            record_act(connection, "codes-imported", who(), None, machine_clock(), pool=pool, new=new)
    before = len(codes) - new - elsewhere
    typer.echo(f"Added {count(new, 'code')} to the pool {pool}; there already: {before:,}.")
    if elsewhere:
        refuse(f"Left out, as another pool or a discount has them: {count(elsewhere, 'code')}.")


def pools(form: _FORMAT = Format.text) -> None:
    """Show how many codes each pool has left."""
    from dripline.store.pools import stock

    with opened() as house, house.store.read() as connection:
        rows = stock(connection, house.workspace.pools)
    if form is Format.json:
        print_json([asdict(one) for one in rows])
        return
    table = new_table("pool", "left", "of", "")
    for one in rows:
        add(table, one.pool, f"{one.left:,}", f"{one.all:,}", "low" if one.low else "")
    print_table(table, "There is no pool: declare one under `pools` in dripline.yaml.")


def budgets(form: _FORMAT = Format.text) -> None:
    """Show what each budget has spent, may still have to spend, and has left."""
    from dripline.store.budgets import accounts

    with opened() as house, house.store.read() as connection:
        rows = accounts(connection)
    if form is Format.json:
        print_json([asdict(one) for one in rows])
        return
    table = new_table("budget", "amount", "spent", "may still come to", "issued", "of")
    for one in rows:
        sums = (one.amount, one.spent, one.committed)
        money = [f"{amount:,} {one.currency}" if amount is not None else "" for amount in sums]
        limit = "" if one.codes is None else f"{one.codes:,}"
        add(table, one.budget, *money, f"{one.issued:,}", limit)
    print_table(table, "No journey that has been published has a budget.")


def _codes(file: Path, column: int) -> list[str]:
    from dripline.store.discounts import unfit

    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            first = handle.readline()
            handle.seek(0)
            between = next((mark for mark in ("\t", ";") if mark in first), ",")
            rows = [row for row in csv.reader(handle, delimiter=between) if any(map(str.strip, row))]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        refuse(f"{file} cannot be read as a text in UTF-8 ({type(problem).__name__}).")
    if len(rows) > MOST_CODES:
        refuse(f"{file} has more than {MOST_CODES:,} codes: split it.")
    found = []
    for number, row in enumerate(rows, 1):
        code = row[column - 1].strip() if len(row) >= column else ""
        if not code or len(code) > 80:
            refuse(
                f"{file}:{number}: there is no code in column {column}, or one of more than 80 characters."
            )
        if why := unfit(code):
            refuse(f"{file}:{number}: `{code}` {why}.")
        found.append(code)
    return found


def _found(do: Any) -> Any:
    from dripline.ingest.refusal import Refused

    try:
        return do()
    except Refused as refusal:
        refuse(" ".join([refusal.detail, *(f"{one.field} {one.detail}." for one in refusal.errors)]))


def _show(house: Opened, row: Any, form: Format) -> None:
    from dripline.ingest.redeeming import state_of
    from dripline.store.discounts import said

    state = state_of(row, house.clock.to_house(machine_clock()))
    if form is Format.json:
        names = ("issued_at", "expires_at", "redeemed_at", "redeemed_for", "reserved_until", "revoked_at")
        more = {name: getattr(row, name) for name in (*names, "revoked_why", "journey")}
        print_json({**said(row), "state": state, "lead": row.lead_id, **more})
        return
    table = new_table("discount", "")
    known = {**said(row), "state": state, "lead": row.lead_id, "journey": row.journey}
    known |= {
        "redeemed for": row.redeemed_for,
        "revoked": row.revoked_why,
        "issued": house.minute(row.issued_at),
    }
    for name, value in known.items():
        if value is not None:
            add(table, name.replace("_", " "), str(value))
    print_table(table, "")
