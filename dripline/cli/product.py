"""`dripline product …`: the catalogue, what is bought together, and what is recommended to a lead, and why."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened
from dripline.cli.showing import add, count, new_table, print_json, print_table
from dripline.clock import machine_clock

_PRODUCT = Annotated[str, typer.Argument(help="The product, as the shop calls it.")]
_JSON = Annotated[bool, typer.Option("--json", help="Tell it as JSON.")]


def register(app: typer.Typer) -> None:
    """Add `dripline product`."""
    product = typer.Typer(no_args_is_help=True, help="Products: the catalogue, and what is recommended.")
    product.command("load")(load)
    product.command("list")(list_)
    product.command("show")(show)
    product.command("set")(set_)
    product.command("archive")(archive)
    product.command("recommend")(recommend)
    product.command("together")(together)
    product.command("count")(count_)
    app.add_typer(product, name="product")


def load(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="A CSV or YAML file; without it, products.yaml."),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Take out what came from a file and is not in this one.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    as_json: _JSON = False,
) -> None:
    """Make the catalogue what a file says. The workspace's own file is always the whole of it."""
    from dripline.ingest.catalogue import Loaded, Terms, load_products
    from dripline.ingest.product_files import read_products
    from dripline.language.products import CATALOGUE

    with opened(to_change=True) as house:
        source = file or house.settings.workspace / CATALOGUE
        if not source.exists():
            refuse(f"There is no {CATALOGUE} in the workspace: write one, or name a file.")
        products, problems = read_products(source, house.workspace.currency)
        if problems:
            refuse("\n".join(map(str, problems)))
        loaded, console = Loaded(), Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("Loading", total=len(products))
            parts = load_products(
                house.store,
                Terms.of(house.workspace),
                products,
                whole=whole or file is None,
                dry_run=dry_run,
            )
            for loaded in parts:
                progress.update(task, completed=len(loaded.new) + len(loaded.changed) + loaded.same)
    if as_json:
        print_json(vars(loaded))
        return
    done = "would be" if dry_run else "are"
    numbers = {"new": loaded.new, "changed": loaded.changed, "taken out": loaded.archived}
    said = ", ".join(f"{len(ids):,} {what}" for what, ids in numbers.items())
    typer.echo(f"{said}; {loaded.same:,} {done} as they were.")


def list_(
    words: Annotated[str | None, typer.Argument(help="Words of ids and titles.")] = None,
    category: Annotated[str | None, typer.Option(help="Only of this category.")] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Those that were taken out, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_json: _JSON = False,
) -> None:
    """List the catalogue: prices, stock, and how many leads have an interest."""
    from dripline.store.interests import SAID, count_interested
    from dripline.store.products import list_products

    with opened() as house, house.store.read() as connection:
        rows = list_products(connection, category=category, words=words, archived=archived, limit=limit)
        interest = count_interested(connection, [row.id for row in rows])
        if as_json:
            print_json([{**_card(row), **_interests(row.id, interest)} for row in rows])
            return
        table = new_table("product", "title", "category", "price", "stock", "bought in", "interested leads")
        for row in rows:
            leads = sum(interest.get((row.id, kind), 0) for kind in SAID)
            add(
                table,
                row.id,
                _title(house, row),
                row.category or "",
                _price(row),
                "taken out" if row.archived_at else "yes" if row.in_stock else "no",
                count(row.ordered, "order"),
                f"{leads:,}",
            )
    print_table(table, "There is no product like that in the catalogue.")


def show(product: _PRODUCT, as_json: _JSON = False) -> None:
    """Show a product: what is known of it, how its price and stock went, and what is bought with it."""
    from dripline.store.interests import count_interested
    from dripline.store.products import changes_of, pairs_of

    with opened() as house, house.store.read() as connection:
        row = _there(connection, product)
        changes, pairs = changes_of(connection, product), pairs_of(connection, [product], 12)
        interest = _interests(product, count_interested(connection, [product]))
        if as_json:
            history = [
                {name: getattr(one, name) for name in ("at", "what", "before", "after", "told_at")}
                for one in changes
            ]
            bought = [{"product": one.other_id, "both": one.both, "of": one.of} for one in pairs]
            print_json({**_card(row), **interest, "changes": history, "together": bought})
            return
        table = new_table("product", "")
        for name, value in {**_card(row), **interest, "title": _title(house, row)}.items():
            if value not in (None, "", [], {}):
                add(
                    table, name.replace("_", " "), ", ".join(value) if isinstance(value, list) else str(value)
                )
        for one in pairs:
            add(table, "bought with", f"{one.other_id}: {one.both:,} of {count(one.of, 'order')}")
        for one in changes:
            add(table, house.minute(one.at), _went(row, one))
    print_table(table, "")


def set_(
    product: _PRODUCT,
    price: Annotated[str | None, typer.Option(help="What one costs now, like `3900`.")] = None,
    stock: Annotated[
        bool | None, typer.Option("--in-stock/--out-of-stock", help="Whether it can be had.")
    ] = None,
) -> None:
    """Change the price or the stock of a product; leads with an interest are told of what is good news."""
    from dripline.ingest.catalogue import Terms, change_product
    from dripline.ingest.refusal import Refused
    from dripline.language.money import MoneyError, to_minor

    with opened(to_change=True) as house, house.store.write() as connection:
        row = _there(connection, product)
        changes: dict[str, Any] = {} if stock is None else {"in_stock": stock}
        currency = row.currency or house.workspace.currency
        if price is not None:
            if currency is None:
                refuse("The workspace has no currency, nor has the product.")
            try:
                changes |= {"price": to_minor(Decimal(price), currency), "currency": currency}
            except (InvalidOperation, MoneyError) as error:
                refuse(
                    f"--price {price}: {error if isinstance(error, MoneyError) else 'write it like 3900'}."
                )
            if changes["price"] < 0:
                refuse("--price: write no less than 0.")
        if not changes:
            refuse("Nothing was changed: say --price, --in-stock or --out-of-stock.")
        try:
            row = change_product(
                connection,
                Terms.of(house.workspace),
                product,
                changes,
                house.clock.to_house(machine_clock()),
            )
        except Refused as refusal:
            refuse(refusal.detail)
    typer.echo(f"{row.id}: {_price(row) or 'no price'}, {'in stock' if row.in_stock else 'out of stock'}.")


def archive(product: _PRODUCT) -> None:
    """Take a product out of the catalogue: nobody is recommended it any more."""
    from dripline.ingest.catalogue import archive_product
    from dripline.ingest.refusal import Refused

    with opened(to_change=True) as house, house.store.write() as connection:
        try:
            archive_product(connection, product, house.clock.to_house(machine_clock()))
        except Refused as refusal:
            refuse(refusal.detail)
    typer.echo(f"Taken out: {product}.")


def recommend(
    lead: Annotated[str, typer.Argument(help="E-mail, phone, your id, or Dripline's.")],
    way: Annotated[
        list[str] | None, typer.Option(help="Only by this way: together, related, upgrade, due, …")
    ] = None,
    as_json: _JSON = False,
) -> None:
    """Show what there is to recommend to a lead, way by way, and why."""
    from dripline.engine.recommending import spoken
    from dripline.ingest.shelf import recommended
    from dripline.language.problems import did_you_mean
    from dripline.language.recommending import WAYS
    from dripline.story.products import say_why

    for one in way or ():
        if one not in WAYS:
            refuse(f"There is no way {one}: {did_you_mean(one, WAYS) or ', '.join(WAYS)}.")
    with opened() as house, house.store.read() as connection:
        row = house.lead(connection, lead)
        now = house.clock.to_house(machine_clock())
        found = spoken(recommended(connection, row.id, now), row.locale, house.workspace.locales[0])
    shown = [one for one in found if not way or one["way"] in way]
    if as_json:
        print_json(shown)
        return
    table = new_table("way", "product", "title", "price", "why")
    for pick in shown:
        price = f"{pick['price']:,} {pick['currency']}" if pick["price"] is not None else ""
        add(table, pick["way"], pick["id"], pick["title"], price, say_why(pick))
    print_table(table, "There is nothing to recommend to this lead.")


def together(product: _PRODUCT, as_json: _JSON = False) -> None:
    """Show what is bought together with a product, the surest first."""
    from dripline.engine.recommending import Pair
    from dripline.store.products import pairs_of

    with opened() as house, house.store.read() as connection:
        _there(connection, product)
        rows = pairs_of(connection, [product])
    pairs = [Pair(row.product_id, row.other_id, row.both, row.of, row.with_other, row.all) for row in rows]
    pairs.sort(key=lambda pair: (-pair.sure, pair.other))
    if as_json:
        print_json([{**vars(pair), "sure": round(pair.sure, 4)} for pair in pairs])
        return
    table = new_table("with", "orders that had both", "of those with it", "surely", "of all orders")
    for pair in pairs:
        share = f"{pair.both / pair.of:.0%} of {pair.of:,}"
        usual = f"{pair.with_other / pair.all:.0%} of {pair.all:,}"
        add(table, pair.other, f"{pair.both:,}", share, f"{pair.sure:.0%}", usual)
    print_table(table, "Nothing is bought together with it, as far as orders tell.")


def count_() -> None:
    """Count what is bought together now, out of the orders of the last year; that is done every hour as well."""
    from dripline.ingest.counting import count_anew

    with opened(to_change=True) as house:
        different = count_anew(house.store)
    typer.echo(f"Counted: {count(different, 'number')} different from before.")


def _there(connection: Any, product: str) -> Any:
    from dripline.language.problems import did_you_mean
    from dripline.store.products import find_product, list_products

    row = find_product(connection, product)
    if row is None:
        hint = did_you_mean(product, [one.id for one in list_products(connection, limit=10_000)])
        refuse(f"There is no product {product}" + (f": {hint}" if hint else "."))
    return row


_NAMES = ("id", "title", "category", "currency", "url", "image", "related", "upgrade", "replenish_days")
_MORE = ("in_stock", "ordered", "source", "updated_at", "archived_at")


def _card(row: Any) -> dict[str, Any]:
    from dripline.language.money import to_major

    card = {name: getattr(row, name) for name in (*_NAMES, *_MORE)}
    priced = row.price is not None and row.currency is not None
    return {**card, "price": to_major(row.price, row.currency) if priced else None}


def _interests(product: str, counted: Any) -> dict[str, int]:
    return {kind: number for (id_, kind), number in sorted(counted.items()) if id_ == product}


def _title(house: Opened, row: Any) -> str:
    from dripline.language.spoken import in_language

    return in_language(row.title, house.workspace.locales)


def _price(row: Any) -> str:
    from dripline.language.money import to_major

    if row.price is None or row.currency is None:
        return ""
    return f"{to_major(row.price, row.currency):,} {row.currency}"


def _went(row: Any, change: Any) -> str:
    from dripline.language.money import to_major

    if change.what == "stock":
        return "can be had again" if change.after else "cannot be had"
    before, after = (to_major(one, row.currency) for one in (change.before, change.after))
    return f"price from {before:,} to {after:,} {row.currency}"
