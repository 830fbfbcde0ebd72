"""`referrals` of the workspace file: who brings a friend, what each of the two gets, and when nobody gets anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from dripline.language.discounts import Amount, DiscountArguments, Money
from dripline.language.fields import FieldType
from dripline.language.kinds import Cap, Events, JourneyId, Length, PropertyName, Text
from dripline.language.load import Written, wrong
from dripline.language.plan import Duration

REFERRAL_EVENTS: Mapping[str, Mapping[str, FieldType]] = {
    "referral.joined": {"program": "text", "referral": "text", "via": "text"},
    "referral.purchased": {"program": "text", "referral": "text", "hold_until": "datetime"},
    "referral.rewarded": {
        "program": "text",
        "referral": "text",
        "friends": "integer",
        "kind": "text",
        "code": "text",
        "percent": "number",
        "amount": "number",
        "currency": "text",
        "min_order": "number",
        "gift": "text",
        "expires_on": "date",
    },
    "referral.refused": {"program": "text", "referral": "text", "reason": "text"},
    "referral.welcomed": {
        "program": "text",
        "referral": "text",
        "code": "text",
        "percent": "number",
        "amount": "number",
        "currency": "text",
        "min_order": "number",
        "gift": "text",
        "expires_on": "date",
    },
}
"""What is told of referrals: `referral.welcomed` to the friend, the others to who brought it. Neither is told who the
other is."""

REWARDS = ("discount", "bonus", "gift")
"""What a referrer may get: a code, an amount that your own system gives, or a thing."""


def _page(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc or parts.fragment:
        raise wrong("bad-url", "this is no page of yours", "write it like `https://www.example.com/friends`")
    return value


class RewardEntry(Written):
    """What the referrer gets for a friend, from the first on or from a later one."""

    from_: int = Field(
        1,
        ge=1,
        le=1_000_000,
        alias="from",
        description="From which friend on it is given; without it, the first.",
    )
    discount: DiscountArguments | None = Field(
        None, description="A code for an order, like `{amount: 5000 AMD, valid: 180 days}`."
    )
    bonus: Amount | None = Field(
        None, description="An amount that your own system gives when it hears of `referral.rewarded`."
    )
    gift: Text | None = Field(None, description="A thing, in your words: your people send it.")

    @model_validator(mode="after")
    def _one_kind(self) -> RewardEntry:
        said = [kind for kind in REWARDS if getattr(self, kind) is not None]
        if len(said) > 1:
            raise wrong("two-kinds", f"a reward is one thing, here are `{'` and `'.join(said)}`", "keep one")
        if not said:
            raise wrong(
                "missing-key", "it is not said what the referrer gets", "add `discount`, `bonus` or `gift`"
            )
        return self


def _tiers(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


class ToldByEntry(Written):
    """Events in which your own systems tell by whose code a friend came."""

    event: Events = Field(description="The event, or several: `[lead.registered, order.paid]`.")
    code: PropertyName = Field(description="The property with the code: `event.friend_code`.")


class ReferralEntry(Written):
    """A program by which leads bring friends."""

    landing: Annotated[str, AfterValidator(_page)] | None = Field(
        None, description="The page of yours to which the link leads; it learns the code as `?ref=CODE`."
    )
    form: JourneyId | None = Field(
        None, description="The form (of `forms`) to which the link leads, instead of a page of yours."
    )
    told_by: ToldByEntry | None = Field(
        None, description="Events of yours that say by whose code a friend came: `{event, code}`."
    )
    remembers: Length | None = Field(
        None,
        description="For how long a browser that followed the link remembers the code in a cookie; without it, none is"
        " set.",
    )
    welcome: DiscountArguments | None = Field(
        None, description="What the friend gets at once, like `{percent: 15, valid: 30 days}`."
    )
    reward: Annotated[
        tuple[RewardEntry, ...],
        BeforeValidator(_tiers, json_schema_input_type=RewardEntry | tuple[RewardEntry, ...]),
        Field(min_length=1, max_length=20),
    ] = Field(description="What the referrer gets for each friend who buys, or a list of tiers (`from: 5`).")
    return_period: Length = Field(
        Duration(days=14),
        description="How long after the friend's order the reward is held back; without it, 14 days. What is given back"
        " within it earns nothing.",
    )
    min_order: Amount | None = Field(None, description="The friend's order counts from so much on.")
    limit: Cap | None = Field(None, description="At most so many rewards of one referrer: `10 per 365 days`.")
    per_network: int = Field(
        2, ge=1, le=1_000, description="Friends of one referrer from one network at most; without it, 2."
    )
    differ: tuple[Text, ...] = Field(
        (), max_length=20, description="Attributes that a friend and its referrer do not share: `[address]`."
    )

    @model_validator(mode="after")
    def _sound(self) -> ReferralEntry:
        if self.landing is not None and self.form is not None:
            raise wrong("two-kinds", "a link leads to one page", "keep `landing` or `form`", key="form")
        froms = [tier.from_ for tier in self.reward]
        if froms[0] != 1:
            raise wrong(
                "missing-tier",
                "it is not said what the first friend earns",
                "begin with `from: 1`",
                key="reward",
            )
        if froms != sorted(set(froms)):
            raise wrong(
                "tier-order",
                "each tier begins later than the one before",
                "order them by `from`",
                key="reward",
            )
        return self

    @property
    def discounts(self) -> dict[tuple[str | int, ...], DiscountArguments]:
        """Every discount of the program, by where it stands."""
        found: dict[tuple[str | int, ...], DiscountArguments] = {}
        if self.welcome is not None:
            found["welcome",] = self.welcome
        for number, tier in enumerate(self.reward):
            if tier.discount is not None:
                found["reward", number, "discount"] = tier.discount
        return found

    @property
    def amounts(self) -> dict[tuple[str | int, ...], Money]:
        """Every amount of the program beside those of its discounts, by where it stands."""
        found: dict[tuple[str | int, ...], Money] = {}
        if self.min_order is not None:
            found["min_order",] = self.min_order
        for number, tier in enumerate(self.reward):
            if tier.bonus is not None:
                found["reward", number, "bonus"] = tier.bonus
        return found


Referrals = dict[JourneyId, ReferralEntry]
"""Programs by their names."""
