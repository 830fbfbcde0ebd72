"""The rules of the house: what the workspace file says that follows from events, as a store knows it.

Whoever records an event need not have the workspace at hand: the rules are kept in the store, as plans are, by
every process that starts with the workspace file, and by `dripline publish`.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from dripline.language.compile_scoring import compile_scoring
from dripline.language.membership import SegmentRules, compile_segments
from dripline.language.orders import OrderRules
from dripline.language.people import CardsEntry
from dripline.language.plan import Person, Team
from dripline.language.products import ProductRules
from dripline.language.scoring import Scoring
from dripline.language.surveys.answers import ANSWERED, COMMENTED
from dripline.language.surveys.questions import Survey
from dripline.language.terms import Program, compile_programs
from dripline.language.workspace import Workspace


class Rules(BaseModel):
    """Frozen. What a part of the product does not need is None or empty, and costs nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # a later release may have known more

    timezone: str = "UTC"
    """The workspace's zone."""
    currency: str | None = None
    """ISO 4217: of amounts that name none."""
    orders: OrderRules | None = None
    referrals: dict[str, Program] = {}
    """By the name of the program."""
    scoring: Scoring | None = None
    products: ProductRules = ProductRules()
    segments: SegmentRules | None = None
    surveys: dict[str, Survey] = {}
    """What may be answered though a lead was not asked by a message of ours."""
    people: dict[str, Person] = {}
    """Those who look after leads, by name."""
    teams: dict[str, Team] = {}
    cards: CardsEntry | None = None

    @cached_property
    def heard(self) -> frozenset[str]:
        """The events from which anything follows."""
        told_by = (name for program in self.referrals.values() for name in program.told_by)
        reactions = (name for team in self.teams.values() for name in team.reactions)
        parts = (self.orders, self.scoring, self.segments)
        heard = (part.heard for part in parts if part is not None)
        return frozenset({*told_by, *reactions, ANSWERED, COMMENTED}).union(self.of_products, *heard)

    @cached_property
    def of_products(self) -> frozenset[str]:
        """The events that say something of products."""
        return self.products.heard | ({self.orders.event} if self.orders else frozenset())

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) of what the rules say."""
        said = self.model_dump(mode="json", exclude_defaults=True)
        canonical = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def compile_rules(workspace: Workspace) -> Rules:
    """The rules that the workspace file says."""
    segments = compile_segments(workspace)
    return Rules(
        timezone=workspace.timezone,
        currency=workspace.currency,
        orders=workspace.orders,
        referrals=compile_programs(workspace),
        scoring=compile_scoring(workspace),
        products=workspace.product_rules,
        segments=segments if segments.segments or segments.rfm else None,
        surveys={name: entry.compiled() for name, entry in workspace.surveys.items()},
        people={name: person.compiled() for name, person in workspace.people.items()},
        teams={name: team.compiled() for name, team in workspace.teams.items()},
        cards=workspace.cards,
    )
