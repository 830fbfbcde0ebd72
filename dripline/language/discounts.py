"""`discount` as a marketer writes it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from dripline.language.kinds import Flag, Length, Text
from dripline.language.load import Written, wrong
from dripline.language.money import MoneyError, read_money

Money = tuple[Decimal, str | None]

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
KINDS = ("percent", "amount", "gift")


def _money(value: Any) -> Any:
    if isinstance(value, tuple):
        return value
    if not isinstance(value, str):
        raise wrong("wrong-type", "an amount stands here as a text", "write it like `5000 AMD`")
    try:
        return read_money(value)
    except MoneyError as error:
        raise wrong("bad-amount", str(error), error.hint) from None


def _percent(value: Any) -> Any:
    return value.strip().removesuffix("%").strip() if isinstance(value, str) else value


def _code(value: str) -> str:
    if not _CODE.fullmatch(value):
        raise wrong("bad-code", f"`{value}` is no code", "write letters, digits, `-` and `_`: `SPRING-15`")
    return value


Amount = Annotated[Money, BeforeValidator(_money, json_schema_input_type=str)]
Percent = Annotated[
    float,
    BeforeValidator(_percent),
    Field(gt=0, le=100),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 100},
                {"type": "string", "pattern": r"^\s*[0-9.]+\s*%?\s*$"},
            ]
        }
    ),
]


class DiscountArguments(Written):
    """What the lead gets, how long, and by which code."""

    percent: Percent | None = Field(None, description="So many percent off.")
    amount: Amount | None = Field(None, description="So much off, like `5000 AMD`.")
    gift: Text | None = Field(None, description="What is given along, in your words.")
    valid: Length | None = Field(
        None, description="How long, like `14 days`: to the end of that day in the lead's zone."
    )
    min_order: Amount | None = Field(None, description="For orders of at least so much.")
    code: Annotated[str, AfterValidator(_code)] | None = Field(
        None, description="One code for everybody; without it every lead gets its own."
    )
    once_per: Literal["visit", "lead"] = Field(
        "visit", description="`lead`: the same code whenever the lead comes to this step of this journey."
    )
    pool: Text | None = Field(
        None, description="The pool of `pools` in dripline.yaml whose codes are given out, one to each lead."
    )
    if_empty: Literal["skip", "own"] = Field(
        "skip", description="Where the pool has no code left: issue none, or one of our `own`."
    )
    shop: Text | None = Field(
        None, description="The shop of `shops` in dripline.yaml that makes the code; we ask it for one."
    )
    if_failing: Literal["skip", "own"] = Field(
        "skip", description="Where the shop makes no code: issue none, or one of our `own`."
    )
    budget: Text | None = Field(
        None,
        description="The budget of `budgets` in dripline.yaml that pays; once it is spent, none is issued.",
    )
    most: Amount | None = Field(None, description="So much off at most, where it is a percentage.")
    stacks: Flag = Field(False, description="Whether an order may have it beside others.")

    @model_validator(mode="after")
    def _one_kind(self) -> DiscountArguments:
        said = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(said) > 1:
            raise wrong(
                "two-kinds", f"a discount is one thing, here are `{'` and `'.join(said)}`", "keep one"
            )
        if not said:
            raise wrong(
                "missing-key", "it is not said what the lead gets", "add `percent`, `amount` or `gift`"
            )
        if self.most is not None and self.percent is None:
            raise wrong("most-of-what", "only a percentage has a `most`", "remove it", key="most")
        if self.pool is not None and self.code is not None:
            raise wrong("two-codes", "a code is one of a pool or one for everybody", "keep one", key="code")
        if self.shop is not None and (self.pool is not None or self.code is not None):
            key = "pool" if self.pool is not None else "code"
            raise wrong("two-codes", "the code is made by the shop", "keep one of the two", key=key)
        if self.shop is not None and self.once_per == "lead":
            raise wrong(
                "once-of-a-shop",
                "a shop is asked at each visit",
                "leave `once_per` out, and let the journey be entered once: `reentry: never`",
                key="once_per",
            )
        if self.shop is None and "if_failing" in self.model_fields_set:
            raise wrong("no-shop", "there is no shop that could fail", "add `shop`", key="if_failing")
        if self.pool is None and "if_empty" in self.model_fields_set:
            raise wrong("no-pool", "there is no pool that could be empty", "add `pool`", key="if_empty")
        return self

    @property
    def may_lack(self) -> bool:
        """Whether it may be that none can be issued to a lead."""
        wanting = (self.pool is not None and self.if_empty == "skip") or (
            self.shop is not None and self.if_failing == "skip"
        )
        return self.budget is not None or wanting

    @property
    def has(self) -> frozenset[str]:
        """What its result can be asked for."""
        found = {"code", "skipped", "reason", *(kind for kind in KINDS if getattr(self, kind) is not None)}
        found |= {"expires_on"} if self.valid is not None else set()
        found |= {"min_order"} if self.min_order is not None else set()
        found |= {"most"} if self.most is not None else set()
        found |= {"currency"} if self.amount or self.min_order or self.most else set()
        return frozenset(found)
