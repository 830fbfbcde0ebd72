"""What the workspace file says of discounts as a whole: how large, how many, how much money, and whose codes."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from dripline.language.discounts import Amount, Percent
from dripline.language.kinds import Flag
from dripline.language.load import Written, wrong
from dripline.language.money import MoneyError, to_minor
from dripline.language.outside import read_headers

FLOOR = 12.0
"""Percent; a smaller discount is hardly felt."""


def _url(value: str) -> str:
    if not re.match(r"https?://[^/\s{}]+(/[^\s{}]*)?$", value):
        raise wrong(
            "bad-url", f"`{value}` is no address of a shop", "write it like `https://shop.example.com/codes`"
        )
    return value


class DiscountRules(Written):
    """Bounds of discounts, and whether they go together."""

    floor: Percent = Field(FLOOR, description="Smaller ones are warned of, in percent; without it, 12.")
    ceiling: Percent | None = Field(None, description="No discount may be larger, in percent.")
    ceiling_amount: Amount | None = Field(None, description="No amount off may be larger, like `20000 AMD`.")
    stacking: Flag = Field(False, description="Whether one order may have several discounts.")


class BudgetEntry(Written):
    """How much the discounts of a campaign may cost."""

    amount: Amount | None = Field(None, description="All of them together, like `1000000 AMD`.")
    codes: int | None = Field(None, ge=0, description="How many may be issued.")

    @model_validator(mode="after")
    def _says_something(self) -> BudgetEntry:
        if self.amount is None and self.codes is None:
            raise wrong("missing-key", "it is not said how much there is", "add `amount` or `codes`")
        return self

    def minor(self, currency: str | None) -> tuple[int | None, str | None]:
        """The amount in minor units, and its currency, which is the workspace's where none is said.

        Raises MoneyError.
        """
        if self.amount is None:
            return None, None
        said = self.amount[1] or currency
        if said is None:
            raise MoneyError("it is not said of which currency", "write it like `1000000 AMD`")
        return to_minor(self.amount[0], said), said


class PoolEntry(Written):
    """Codes of somebody else, imported with `dripline discount import`."""

    low: int = Field(100, ge=0, description="You are warned when fewer are left; without it, 100.")


class ShopEntry(Written):
    """A shop that makes codes of its own, by the protocol of docs/shops.md."""

    url: Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_url)] = Field(
        description="Where it is asked, like `https://shop.example.com/dripline/codes`."
    )
    headers: Annotated[dict[str, str], Field(max_length=50), AfterValidator(read_headers)] = Field(
        default_factory=dict,
        description="Headers of the request, like `Authorization: Bearer {{ secret.shop_token }}`.",
    )


__all__ = ["FLOOR", "BudgetEntry", "DiscountRules", "PoolEntry", "ShopEntry"]
