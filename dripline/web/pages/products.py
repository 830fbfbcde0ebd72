"""The catalogue: what there is, what it costs, who is interested, and what is bought together."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse

from dripline.engine.recommending import Pair
from dripline.ingest.catalogue import unknown_product
from dripline.language.money import to_major
from dripline.language.spoken import in_language
from dripline.store.interests import count_interested
from dripline.store.products import by_ids, changes_of, count_products, find_product, list_products, pairs_of
from dripline.web.allowing import allows
from dripline.web.pages.frame import Frame

_PAGE = 50
KINDS = {
    "viewed": "looked at it",
    "carted": "put it into the cart",
    "wanted": "asked for it",
    "deferred": "put it off",
    "bought": "bought it",
}
"""What leads have done about a product, in words."""


def add_products(router: APIRouter, frame: Frame) -> None:
    """Add `/products` and `/products/ID`."""

    def title(row: Any) -> str:
        return in_language(row.title, frame.workspace.locales)

    def price(minor: int | None, currency: str | None) -> str:
        return "" if minor is None or currency is None else f"{to_major(minor, currency):,} {currency}"

    @router.get("/products", dependencies=[allows("look")])
    def products(
        words: Annotated[str, Query(max_length=100)] = "",
        after: Annotated[str | None, Query(max_length=128)] = None,
    ) -> HTMLResponse:
        """The catalogue, in the order of ids."""
        with frame.store.read() as connection:
            rows = list_products(
                connection, words=words.strip().replace("\x00", ""), after=after, limit=_PAGE + 1
            )
            interest = count_interested(connection, [row.id for row in rows])
            whole = count_products(connection)
        said = {
            row.id: sum(n for (id_, kind), n in interest.items() if id_ == row.id and kind != "bought")
            for row in rows
        }
        return frame.page(
            "products.html",
            here="products",
            rows=rows[:_PAGE],
            more=rows[_PAGE - 1].id if len(rows) > _PAGE else None,
            words=words,
            whole=whole,
            interested=said,
            title=title,
            price=price,
        )

    @router.get("/products/{product}", dependencies=[allows("look")])
    def one_product(product: Annotated[str, Path(max_length=128)]) -> HTMLResponse:
        """A product, and how it goes."""
        with frame.store.read() as connection:
            row = find_product(connection, product)
            if row is None:
                raise unknown_product()
            pairs = [
                Pair(one.product_id, one.other_id, one.both, one.of, one.with_other, one.all)
                for one in pairs_of(connection, [product])
            ]
            others = by_ids(
                connection, {pair.other for pair in pairs} | set(row.related) | {row.upgrade or ""}
            )
            interest = count_interested(connection, [product])
            changes = changes_of(connection, product)
        pairs.sort(key=lambda pair: (-pair.sure, pair.other))
        return frame.page(
            "product.html",
            here="products",
            product=row,
            pairs=[pair for pair in pairs if pair.other in others][:12],
            others=others,
            said=[(words, interest.get((product, kind), 0)) for kind, words in KINDS.items()],
            changes=changes,
            title=title,
            price=price,
        )
