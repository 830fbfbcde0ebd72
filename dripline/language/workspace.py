"""The workspace file `dripline.yaml`: what journeys may name, and what comes in is held against."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from babel.numbers import is_currency
from pydantic import AfterValidator, Field, PrivateAttr, field_validator, model_validator

from dripline.language.check_forms import check_forms
from dripline.language.check_orders import check_orders
from dripline.language.check_referrals import check_referrals
from dripline.language.check_teams import check_teams
from dripline.language.fields import FieldErrors, FieldType, coerce
from dripline.language.forms import Forms
from dripline.language.kinds import Cap, JourneyId
from dripline.language.load import Written, fit, wrong
from dripline.language.locales import LanguageTag, ZoneName
from dripline.language.offers import BudgetEntry, DiscountRules, PoolEntry, ShopEntry
from dripline.language.orders import Orders
from dripline.language.people import CardsEntry, PersonEntry, TeamOf
from dripline.language.plan import Sender
from dripline.language.problems import Problem, did_you_mean
from dripline.language.products import ProductRules, Products, load_catalogue, wrong_interests
from dripline.language.referrals import REFERRAL_EVENTS, Referrals
from dripline.language.reporting import ReportRules
from dripline.language.retention import Retention
from dripline.language.scoring import ScoringEntry
from dripline.language.segments import RfmEntry, Segments
from dripline.language.short_forms import ShortForm
from dripline.language.spoken import Spoken
from dripline.language.surveys.answers import ANSWERED, COMMENTED
from dripline.language.surveys.entries import Key, SurveyEntry
from dripline.language.times import QuietHours
from dripline.language.tracking import MESSAGE_EVENTS, TrackingEntry
from dripline.language.tracking_api import TrackingApi, wrong_targets
from dripline.language.yaml_reader import read_yaml

FILE = "dripline.yaml"

SURVEY_EVENT: Mapping[str, FieldType] = {
    "survey": "text",
    "kind": "text",
    "answer": "text",
    "score": "number",
    "group": "text",
    "comment": "text",
    "answers": "any",
    "via": "text",
    "message": "text",
}
BUILT_IN_EVENTS: Mapping[str, Mapping[str, FieldType]] = {
    "lead.created": {},
    "lead.updated": {"changed": "list"},
    "lead.unsubscribed": {"channel": "text", "topic": "text"},
    "lead.confirmed": {"channel": "text", "message": "text"},
    "lead.resubscribed": {"channel": "text", "topic": "text"},
    "lead.paused": {"until": "datetime"},
    "lead.merged": {"lead": "text", "cause": "text"},
    "lead.replied": {"channel": "text", "text": "text", "message": "text"},
    "lead.stage_changed": {"before": "text", "after": "text", "reason": "text"},
    "lead.converted": {"order": "text"},
    "lead.lost": {"reason": "text"},
    "lead.assigned": {"person": "text", "team": "text", "how": "text"},
    "task.done": {"task": "text", "title": "text", "result": "text"},
    "task.overdue": {"task": "text", "title": "text"},
    "form.submitted": {
        "form": "text",
        "submission": "text",
        "known": "boolean",
        "asks": "list",
        "agreed": "boolean",
        "answers": "any",
        "left_out": "list",
        "page": "text",
    },
    "demand.deferred": {"product": "text", "until": "date"},
    **MESSAGE_EVENTS,
    "page.viewed": {
        "name": "text",
        "category": "text",
        "path": "text",
        "url": "text",
        "title": "text",
        "referrer": "text",
        "screen": "boolean",
    },
    "group.joined": {"group": "text", "name": "text"},
    "discount.redeemed": {
        "code": "text",
        "order": "text",
        "total": "number",
        "given": "number",
        "currency": "text",
        "journey": "text",
    },
    "discount.expired": {"code": "text", "journey": "text"},
    **REFERRAL_EVENTS,
    "lead.warmed": {"before": "text", "after": "text", "score": "number", "grade": "text"},
    "lead.cooled": {"before": "text", "after": "text", "score": "number", "grade": "text"},
    "product.price_dropped": {
        "product": "text",
        "title": "text",
        "before": "number",
        "after": "number",
        "currency": "text",
        "url": "text",
    },
    "product.back_in_stock": {"product": "text", "title": "text", "url": "text"},
    "product.due": {"product": "text", "title": "text", "url": "text"},
    "segment.entered": {"segment": "text"},
    "segment.left": {"segment": "text"},
    ANSWERED: SURVEY_EVENT,
    COMMENTED: SURVEY_EVENT,
}
"""Events that are always declared; a workspace may add properties."""

LEAD_FIELDS = (
    "id",
    "external_id",
    "email",
    "phone",
    "locale",
    "timezone",
    "country",
    "stage",
    "score",
    "grade",
    "warmth",
    "tags",
    "owner",
    "consent",
    "topics",
    "first_touch",
    "last_touch",
    "paused_until",
    "stage_at",
    "owner_at",
    "customer",
    "lacks",
    "complete",
    "rfm",
    "segments",
    "created_at",
    "updated_at",
)
"""What every lead has besides the workspace's attributes."""


def _currency(code: str) -> str:
    if not is_currency(code):
        raise wrong("unknown-currency", f"there is no currency `{code}`", "write it like `AMD` (ISO 4217)")
    return code


def _region(code: str) -> str:
    if len(code) != 2 or not code.isascii() or not code.isupper():
        raise wrong("unknown-country", f"`{code}` is no country", "write it like `AM` (ISO 3166-1)")
    return code


def _own(attribute: str) -> str:
    if attribute in LEAD_FIELDS:
        raise wrong("built-in-attribute", f"every lead has `{attribute}` already", "remove it")
    return attribute


class SenderEntry(Written):
    """Who messages come from."""

    address: str = Field(description="E-mail address, or phone number like +37410000000, or a short name.")
    name: str | None = Field(None, description="The name that readers see beside the address.")
    daily_limit: int | None = Field(
        None, ge=1, description="Messages that leave in this name within 24 hours at most: for warming up."
    )


class ProviderEntry(Written):
    """How we treat a provider."""

    rate: Cap = Field(description="How fast it may be asked to send, like `100 per second`.")


class WebhooksEntry(Written):
    """Where steps may go that call other systems."""

    allow_private: bool | tuple[str, ...] = Field(
        False,
        description="Hosts within your own network that may be called: a list of names, or `true` for any.",
    )

    @field_validator("allow_private", mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return value == "true" if value in ("true", "false") else value


class TopicEntry(Written):
    """What a lead may leave on its own."""

    title: Spoken = Field(description="What readers see: one text, or one for each language.")


Topic = Annotated[
    TopicEntry, ShortForm(lambda value: {"title": value} if isinstance(value, str) else value, "title")
]


class SoftBounces(Written):
    """When an address counts as dead though each message was only refused for the moment."""

    times: int = Field(3, ge=1, le=100, description="So many messages in a row came back; without it, 3.")
    days: int = Field(
        14, ge=0, le=365, description="The first and the last of them so many days apart; without it, 14."
    )


class Workspace(Written):
    """What every journey of this folder shares."""

    timezone: ZoneName = Field(
        description="Time zone of leads of whom nothing better is known, like `Asia/Yerevan`."
    )
    locales: tuple[LanguageTag, ...] = Field(
        min_length=1, description="Languages that every template exists in; the first is the default."
    )
    default_region: Annotated[str, AfterValidator(_region)] | None = Field(
        None, description="Country whose phone numbers may be written without +, like `AM`."
    )
    currency: Annotated[str, AfterValidator(_currency)] | None = Field(
        None, description="Currency of amounts that name none, like `AMD`."
    )
    topics: dict[str, Topic] = Field(
        default_factory=dict, description="Subscription topics that a lead can leave, each with its title."
    )
    postal_address: Spoken | None = Field(
        None,
        description="Where you can be reached by post, as every marketing e-mail must show: one text, or one for each"
        " language.",
    )
    role_addresses: Literal["refuse", "send"] = Field(
        "refuse",
        description="Whether marketing goes to addresses of roles, such as `info@…`, behind which no one person has"
        " agreed.",
    )
    soft_bounces: SoftBounces = Field(
        default_factory=SoftBounces,
        description="When an address that takes nothing for the moment is given up.",
    )
    senders: dict[str, SenderEntry] = Field(
        default_factory=dict,
        description="Senders: `email` and `sms` are the defaults, others are for a step's `from`.",
    )
    declared: dict[str, dict[str, FieldType]] = Field(
        default_factory=dict, alias="events", description="Events, each with its properties and their types."
    )
    attributes: dict[Annotated[str, AfterValidator(_own)], FieldType] = Field(
        default_factory=dict, description="What you know of leads besides the built-in fields, with types."
    )
    quiet_hours: QuietHours | None = Field(
        None,
        description="When no marketing message goes, in the lead's zone, where no journey says other hours.",
    )
    sms_segments: int = Field(
        3, ge=1, le=10, description="An SMS of more segments than so many is warned of; without it, 3."
    )
    allow: tuple[str, ...] = Field(
        (),
        description="Who may be messaged outside production: addresses, domains (`example.com`, `.test`),"
        " numbers (`+12025550123`), beginnings of numbers (`+1202555*`).",
    )

    providers: dict[Literal["sendgrid", "twilio", "mailbox"], ProviderEntry] = Field(
        default_factory=dict, description="Providers that may not be asked as fast as we can."
    )

    people: dict[str, PersonEntry] = Field(
        default_factory=dict,
        description="Your colleagues, by the names that `notify` and a lead's owner use.",
    )
    teams: dict[JourneyId, TeamOf] = Field(
        default_factory=dict, description="Teams: pools of people, by the names that `assign` steps use."
    )
    cards: CardsEntry | None = Field(
        None,
        description="What is to be known of leads and of customers; without it, nobody is asked to fill in.",
    )
    default_owner: str | None = Field(
        None, description="Who of `people` is told about a lead that has no owner."
    )
    sms_cost: float | None = Field(
        None, ge=0, description="What one segment of an SMS costs, in the `currency`: for forecasts."
    )
    retention: Retention = Field(
        default_factory=Retention, description="For how long what is kept; without it, everything for good."
    )
    products: ProductRules | None = Field(
        None, description="By what leads say that products interest them, and what they are told of those."
    )
    orders: Orders | None = Field(
        None, description="Which event says that something was bought; without it, no orders are kept."
    )
    reports: ReportRules = Field(
        default_factory=ReportRules, description="How reports count where nobody says it."
    )
    discounts: DiscountRules = Field(
        default_factory=DiscountRules, description="What holds for every discount."
    )
    budgets: dict[str, BudgetEntry] = Field(
        default_factory=dict, description="Budgets, by the names that `discount` steps use."
    )
    pools: dict[str, PoolEntry] = Field(
        default_factory=dict, description="Pools of imported codes, by the names that `discount` steps use."
    )
    referrals: Referrals = Field(
        default_factory=dict, description="Programs by which leads bring friends, by their names."
    )
    shops: dict[str, ShopEntry] = Field(
        default_factory=dict,
        description="Shops that make codes of their own, by the names that `discount` steps use.",
    )
    webhooks: WebhooksEntry = Field(
        default_factory=WebhooksEntry, description="Where `webhook` steps may go."
    )
    forms: Forms = Field(
        default_factory=dict, description="Forms for web pages, by the ids that their addresses have."
    )

    scoring: ScoringEntry | None = Field(
        None,
        description="How leads are scored; without it, only what journeys and the API say is their score.",
    )

    surveys: dict[Key, SurveyEntry] = Field(
        default_factory=dict, description="What leads are asked, by the names that `survey` steps use."
    )

    tracking: TrackingEntry | None = Field(
        None, description="What is kept of what leads do with messages; without it, nothing."
    )

    segments: Segments = Field(
        default_factory=dict, description="Segments: leads of one kind, by the names that audiences use."
    )
    rfm: RfmEntry = Field(
        default_factory=RfmEntry, description="How leads are ranked by what they bought, as `lead.rfm`."
    )

    tracking_api: TrackingApi = Field(
        default_factory=TrackingApi, description="How calls of Segment's libraries are read."
    )

    @model_validator(mode="after")
    def _known_targets(self) -> Workspace:
        found = wrong_targets(self.tracking_api, self.events, BUILT_IN_EVENTS, self.attributes, self.topics)
        for code, message, hint in found:
            raise wrong(code, message, hint, key="tracking_api")
        return self

    _catalogue: Products | None = PrivateAttr(None)

    @property
    def catalogue(self) -> Products | None:
        """The products of `products.yaml`; None where there is no such file."""
        return self._catalogue

    @property
    def product_rules(self) -> ProductRules:
        """What holds of products, where nothing is said too."""
        return self.products or ProductRules()

    @model_validator(mode="after")
    def _known_interests(self) -> Workspace:
        for code, message, hint in wrong_interests(self.product_rules, self.events):
            raise wrong(code, message, hint, key="products")
        return self

    @model_validator(mode="after")
    def _known_owner(self) -> Workspace:
        if self.default_owner is not None and self.default_owner not in self.people:
            hint = did_you_mean(self.default_owner, self.people) or "declare the person under `people`"
            raise wrong("unknown-person", f"there is no `{self.default_owner}`", hint, key="default_owner")
        return self

    @cached_property
    def events(self) -> dict[str, dict[str, FieldType]]:
        """Every event that there can be, the built-in ones too, with its properties and their types."""
        names = {**BUILT_IN_EVENTS, **self.declared}
        return {name: {**BUILT_IN_EVENTS.get(name, {}), **self.declared.get(name, {})} for name in names}

    @cached_property
    def zone(self) -> ZoneInfo:
        """The workspace's time zone."""
        return ZoneInfo(self.timezone)

    def sender(self, name: str) -> Sender:
        """The sender of that name, as plans have it."""
        entry = self.senders[name]
        return Sender(address=entry.address, name=entry.name)

    def daily_limit(self, address: str) -> int | None:
        """How many messages may leave in that sender's name within 24 hours; None: any number."""
        limits = [entry.daily_limit for entry in self.senders.values() if entry.address == address]
        return min((limit for limit in limits if limit is not None), default=None)

    def rate(self, provider: str) -> float | None:
        """How many sends a second that provider may be asked for; None: any number."""
        entry = {str(name): entry for name, entry in self.providers.items()}.get(provider)
        if entry is None:
            return None
        per = entry.rate.per
        return entry.rate.count / ((per.months * 30 + per.days) * 86_400 + per.seconds)

    def coerce_event(self, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The properties as JSON of their declared types. Raises FieldErrors (field `name` for the event)."""
        if name not in self.events:
            hint = did_you_mean(name, self.events)
            raise FieldErrors([("name", f"is no declared event{', ' + hint if hint else ''}")])
        return coerce(properties, self.events[name], self.zone)

    def coerce_attributes(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes as JSON of their declared types. Raises FieldErrors."""
        return coerce(attributes, self.attributes, self.zone)

    def allows(self, address: str) -> bool:
        """Whether that e-mail address or number (E.164) may be messaged outside production."""
        address = address.lower()
        domain = address.rpartition("@")[2] if "@" in address else None
        return any(_allowed(entry.lower(), address, domain) for entry in self.allow)


def _allowed(entry: str, address: str, domain: str | None) -> bool:
    if domain is None:
        number = entry.startswith("+") and entry.endswith("*") and address.startswith(entry[:-1])
        return address.startswith("+") and (entry == address or number)
    return entry == address or domain == entry or (entry.startswith(".") and domain.endswith(entry))


def load_workspace(root: Path) -> tuple[Workspace | None, list[Problem]]:
    """The workspace in that folder; None, and why, where its file is missing or wrong."""
    try:
        content = (root / FILE).read_bytes()
    except OSError:
        problem = Problem(
            FILE, 1, 1, "no-workspace", "error", f"there is no {FILE} in this folder", "create it"
        )
        return None, [problem]
    document, problems = read_yaml(FILE, content)
    if document is None:
        return None, problems
    workspace, more = fit(document, Workspace)
    if workspace is not None:
        from dripline.language.check_segments import check_segments  # which reads this module's names

        more = more + check_forms(workspace, document) + check_orders(workspace, document)
        more += check_teams(workspace, document)
        more += check_segments(workspace, document)
        more = more + check_referrals(workspace, document)
        workspace._catalogue, wrong_ones = load_catalogue(root, workspace.currency)
        more += wrong_ones
    problems += more
    return (None if problems else workspace), problems


__all__ = ["BUILT_IN_EVENTS", "LEAD_FIELDS", "FieldErrors", "Workspace", "ZoneName", "load_workspace"]
