"""The part of the API that keeps the catalogue, and says what is recommended of it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from sqlalchemy import Connection, Row

from dripline.clock import MachineClock
from dripline.engine.recommending import spoken
from dripline.ingest.catalogue import (
    Terms,
    archive_product,
    change_product,
    put_product,
    unknown_product,
)
from dripline.ingest.living import living
from dripline.ingest.refusal import FieldError, invalid
from dripline.ingest.shelf import recommended
from dripline.language.money import MoneyError, to_major, to_minor
from dripline.language.plan import Duration
from dripline.language.products import ProductEntry
from dripline.language.recommending import MOST, USUAL, WAYS, choose
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.products import find_product, list_products
from dripline.web.described import documented
from dripline.web.needing import needs

MAX_PRODUCTS = 500
"""Products of one request."""

_Id = Annotated[
    str, Path(min_length=1, max_length=128, pattern=r"^[^/?#\s\x00][^/?#\x00]*$", examples=["tea-assam"])
]
_Named = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^/?#\s\x00][^/?#\x00]*$")]
_Price = Annotated[Decimal, Field(ge=0, lt=10**12, max_digits=16, decimal_places=4)]
_Address = Annotated[str, Field(pattern="^https?://", max_length=2_000)]
_Title = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"^[^\x00]*$")]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ProductIn(_Said):
    """A product, whole: what is not said is not so any more."""

    title: _Title | Annotated[dict[str, _Title], Field(min_length=1)] = Field(
        description="What readers see: one text, or one for each language.",
        examples=[{"en": "Assam tea", "hy": "Ասամի թեյ", "ru": "Ассамский чай"}],
    )
    category: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(None, examples=["tea"])
    price: _Price | None = Field(None, description="What one costs, in whole units.", examples=[4500])
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = Field(
        None, description="ISO 4217; without it, the workspace's.", examples=["AMD"]
    )
    url: _Address | None = Field(None, examples=["https://shop.example/tea-assam"])
    image: _Address | None = Field(None, examples=["https://shop.example/tea-assam.jpg"])
    related: Annotated[list[_Named], Field(max_length=50)] = Field(
        [], description="Ids of what goes with it, the best first.", examples=[["teapot"]]
    )
    upgrade: _Named | None = Field(
        None, description="The id of the better one.", examples=["tea-assam-first"]
    )
    replenish_days: Annotated[int, Field(ge=1, le=3_650)] | None = Field(
        None, description="After how many days one is used up.", examples=[30]
    )
    in_stock: StrictBool = Field(True, examples=[True])
    attributes: dict[str, Any] = Field({}, description="Whatever else you know of it.", examples=[{}])


class ProductRow(ProductIn):
    """A product of a list."""

    id: _Named = Field(examples=["tea-assam"])


class ProductList(_Said):
    """Products, each whole."""

    products: Annotated[list[ProductRow], Field(min_length=1, max_length=MAX_PRODUCTS)]


class ProductChange(_Said):
    """What is different about a product; the rest stays."""

    price: _Price | None = Field(None, description="What one costs, in whole units.", examples=[3900])
    in_stock: StrictBool | None = Field(None, examples=[True])


class ProductOut(BaseModel):
    """A product."""

    id: str = Field(examples=["tea-assam"])
    title: dict[str, str] = Field(description="By language; `` for any.", examples=[{"en": "Assam tea"}])
    category: str | None = Field(None, examples=["tea"])
    price: float | None = Field(None, description="In whole units of `currency`.", examples=[4500])
    currency: str | None = Field(None, description="ISO 4217.", examples=["AMD"])
    url: str | None = Field(None, examples=["https://shop.example/tea-assam"])
    image: str | None = Field(None, examples=[None])
    related: list[str] = Field(examples=[["teapot"]])
    upgrade: str | None = Field(None, examples=[None])
    replenish_days: int | None = Field(None, examples=[30])
    in_stock: bool = Field(examples=[True])
    attributes: dict[str, Any] = Field(examples=[{}])
    ordered: int = Field(description="Orders of the last year that had it, as counted last.", examples=[12])
    source: str = Field(description="Who said it last: `file` or `api`.", examples=["api"])
    updated_at: datetime = Field(examples=["2026-03-02T09:00:00+00:00"])
    archived_at: datetime | None = Field(None, examples=[None])


class ProductPage(BaseModel):
    """A page of the catalogue."""

    products: list[ProductOut]
    next: str | None = Field(None, description="`after` of the next page.", examples=[None])


class ProductsKept(BaseModel):
    """What became of a list."""

    new: int = Field(examples=[1])
    changed: int = Field(examples=[0])
    same: int = Field(examples=[0])


class Recommendation(BaseModel):
    """A product for a lead, and why."""

    id: str = Field(examples=["teapot"])
    title: str = Field(description="In the lead's language.", examples=["Teapot"])
    category: str | None = Field(None, examples=["kitchen"])
    price: float | None = Field(None, examples=[12000])
    currency: str | None = Field(None, examples=["AMD"])
    url: str | None = Field(None, examples=[None])
    image: str | None = Field(None, examples=[None])
    way: str = Field(description="What led to it.", examples=["together"])
    because: str | None = Field(
        None, description="The title of what it started from.", examples=["Assam tea"]
    )
    both: int | None = Field(None, description="Orders that had both.", examples=[14])
    of: int | None = Field(None, description="Orders that had what it started from.", examples=[30])


class Recommendations(BaseModel):
    """Products for a lead, the best first."""

    lead: str = Field(examples=["0197"])
    products: list[Recommendation]


def build_products(store: Store, workspace: Workspace, machine: MachineClock) -> APIRouter:
    """The router of `/v1/products`."""
    router = APIRouter(prefix="/v1", tags=["products"], responses=documented(415, 422))
    _add_reading(router, store, workspace, machine)
    _add_writing(router, store, Terms.of(workspace), machine)
    return router


def _add_reading(router: APIRouter, store: Store, workspace: Workspace, machine: MachineClock) -> None:
    reads = [needs("leads:read")]

    @router.get("/products", dependencies=reads, summary="The catalogue", response_description="A page of it")
    def catalogue(
        category: Annotated[str | None, Query(max_length=128)] = None,
        words: Annotated[str | None, Query(max_length=100, description="In ids and titles.")] = None,
        archived: Annotated[bool, Query(description="Those that were taken out, too.")] = False,
        after: Annotated[str | None, Query(max_length=128, description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> ProductPage:
        """In the order of their ids."""
        with store.read() as connection:
            rows = list_products(
                connection,
                category=_clean(category),
                words=_clean(words),
                archived=archived,
                after=_clean(after),
                limit=limit + 1,
            )
        more = rows[limit - 1].id if len(rows) > limit else None
        return ProductPage(products=[_told(row) for row in rows[:limit]], next=more)

    @router.get(
        "/products/{product}",
        dependencies=reads,
        responses=documented(404),
        summary="A product",
        response_description="The product",
    )
    def show(product: _Id) -> ProductOut:
        """By the id that the shop uses; one that was taken out as well."""
        with store.read() as connection:
            return _told(_there(connection, product))

    @router.get(
        "/leads/{lead}/recommendations",
        dependencies=reads,
        responses=documented(404, 410),
        summary="What to recommend to a lead, and why",
        response_description="The best first",
    )
    def recommend_to(
        lead: Annotated[str, Path(min_length=1, max_length=128)],
        way: Annotated[
            list[str] | None, Query(description="Only by these ways, in this order.", examples=[["upgrade"]])
        ] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 3,
    ) -> Recommendations:
        """The same as `recommend(lead)` gives templates. Without `way`: together, related, upgrade."""
        for one in way or ():
            if one not in WAYS:
                raise invalid([FieldError("way", f"is not one of {', '.join(WAYS)}")])
        with store.read() as connection:
            row = living(connection, lead)
            now = open_house(connection).clock.to_house(machine())
            picks = spoken(recommended(connection, row.id, now), row.locale, workspace.locales[0])
        chosen = choose(picks, limit, way or USUAL)
        return Recommendations(lead=row.id, products=[Recommendation(**one) for one in chosen])


def _add_writing(router: APIRouter, store: Store, terms: Terms, machine: MachineClock) -> None:
    writes = [needs("products:write")]

    @router.put(
        "/products/{product}",
        dependencies=writes,
        summary="Put a product into the catalogue, or change it",
        response_description="The product as it is now",
    )
    def put(product: _Id, said: ProductIn) -> ProductOut:
        """Whole: what is not said is not so any more. Who is interested is told of a lower price, and of stock."""
        with store.write() as connection:
            at = open_house(connection).clock.to_house(machine())
            put_product(connection, terms, product, _entry(said), "api", at)
            return _told(_there(connection, product))

    @router.post(
        "/products",
        dependencies=writes,
        summary="Put many products into the catalogue",
        response_description="They are kept",
    )
    def put_many(said: ProductList) -> ProductsKept:
        """Up to 500, each whole; all of them or, where one is wrong, none."""
        counts = {"new": 0, "changed": 0, "same": 0}
        with store.write() as connection:
            at = open_house(connection).clock.to_house(machine())
            for row in said.products:
                counts[put_product(connection, terms, row.id, _entry(row), "api", at)] += 1
        return ProductsKept(**counts)

    @router.patch(
        "/products/{product}",
        dependencies=writes,
        responses=documented(404),
        summary="Change the price or the stock of a product",
        response_description="The product as it is now",
    )
    def change(product: _Id, said: ProductChange) -> ProductOut:
        """Leads with an interest are told when the price falls by enough, and when it can be had again."""
        with store.write() as connection:
            at = open_house(connection).clock.to_house(machine())
            row = _there(connection, product)
            changes: dict[str, Any] = {} if said.in_stock is None else {"in_stock": said.in_stock}
            if said.price is not None:
                changes |= _priced(said.price, row.currency or terms.currency)
            return _told(change_product(connection, terms, product, changes, at))

    @router.delete(
        "/products/{product}",
        dependencies=writes,
        responses=documented(404),
        summary="Take a product out of the catalogue",
        response_description="Nobody is recommended it any more",
    )
    def take_out(product: _Id) -> ProductOut:
        """What was bought, and what leads have said of it, stays known."""
        with store.write() as connection:
            archive_product(connection, product, open_house(connection).clock.to_house(machine()))
            return _told(_there(connection, product))


def _there(connection: Connection, product_id: str) -> Row[Any]:
    row = find_product(connection, product_id)
    if row is None:
        raise unknown_product()
    return row


def _clean(text: str | None) -> str | None:
    return None if text is None else text.replace("\x00", "")


def _priced(price: Decimal, currency: str | None) -> dict[str, Any]:
    if currency is None:
        raise invalid([FieldError("price", "has no currency: the workspace has none, nor has the product")])
    try:
        return {"price": to_minor(price, currency), "currency": currency}
    except MoneyError as error:
        raise invalid([FieldError("price", f"{error}; {error.hint}")]) from None


def _entry(said: ProductIn) -> ProductEntry:
    """What was said, as a file would say it. Raises Refused."""
    values = said.model_dump(exclude={"id", "replenish_days"}, exclude_none=True)
    if said.replenish_days is not None:
        values["replenish"] = Duration(days=said.replenish_days)
    try:
        return ProductEntry.model_validate(values)
    except ValueError:
        raise invalid([FieldError("title", "names a language that there is not")]) from None


def _told(row: Row[Any]) -> ProductOut:
    values = {name: row._mapping[name] for name in ProductOut.model_fields if name in row._mapping}
    if row.price is not None and row.currency is not None:
        values["price"] = to_major(row.price, row.currency)
    return ProductOut(**values)
