"""What the workspace file says of scores: which events and facts give points, how they age, and what is warm."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from dripline.language.durations import parse_limit, say_duration
from dripline.language.kinds import LENGTH, Condition, Events, Text, read_length
from dripline.language.load import Written, wrong
from dripline.language.plan import Duration, Limit

Warmth = Literal["cold", "warm", "hot"]
"""How near a lead is to buying, by its score."""
WARMTHS: tuple[Warmth, ...] = ("cold", "warm", "hot")
"""From the farthest to the nearest."""
OWN_EVENTS = ("lead.warmed", "lead.cooled")
"""What scoring itself tells: it gives no points."""
CHANGING = ("lead.created", "lead.updated", "lead.merged")
"""After these, conditions on the lead may hold that did not."""
OWN_FIELDS = ("score", "grade", "warmth")
"""What scoring itself says of a lead: no rule may read it."""
GIVEN_BY = ("api", "import", "form", "segment", "before", "scenario")
"""Who gives points besides rules and journeys, as explanations call it."""
DAY = 86_400.0
LOWEST_GRADE = "D"
"""The grade of who reaches none that the file names."""


def _half_life(value: Any) -> Any:
    length = "never" if value == "never" else read_length(value)
    if length == Duration():
        raise wrong(
            "bad-duration", "points cannot be worth half at once", "write it like `30 days`, or `never`"
        )
    return length


def _most(value: Any) -> Any:
    """`3 per day`, or a bare number: ever."""
    if isinstance(value, str) and value.strip().isdigit() and int(value) > 0:
        return Limit(count=int(value), per=Duration(months=1_200))
    if isinstance(value, Limit):
        return value
    if not isinstance(value, str):
        raise wrong("wrong-type", "a limit stands here as a text", "write it like `3 per day`")
    try:
        return parse_limit(value)
    except ValueError as error:
        raise wrong(
            "bad-limit", str(error), "write it like `3 per day`, or `1` for once and never again"
        ) from None


HalfLife = Annotated[
    Duration | Literal["never"],
    BeforeValidator(_half_life),
    WithJsonSchema({"anyOf": [{"const": "never"}, LENGTH]}),
]
"""After how long points are worth half: `30 days`; `never`: they do not age."""
Most = Annotated[
    Limit,
    BeforeValidator(_most),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[1-9][0-9]{0,8}(\s+per\s+\S.*)?$"}),
]
"""How often a rule gives points: `3 per day`; `1`: once and never again."""
Points = Annotated[float, Field(ge=-10_000, le=10_000, allow_inf_nan=False)]


class ScoreRuleEntry(Written):
    """Points for an event each time that it comes, or for a condition as long as it holds."""

    name: Annotated[Text, Field(max_length=100)] | None = Field(
        None, description="What explanations and reports call it; without it, the event or the condition."
    )
    event: Events | None = Field(
        None,
        description="The event that gives the points, or a list; without it, they stand while `when` holds.",
    )
    when: Condition | None = Field(
        None, description="Condition on `event` and `lead`; without an event, on `lead` alone."
    )
    points: Points = Field(description="How many; below zero they are taken away.")
    half_life: HalfLife | None = Field(
        None,
        description="After how long an event's points are worth half, or `never`; without it, as for all.",
    )
    most: Most | None = Field(
        None,
        description="How often the event gives points, like `3 per day`, or `1` for once and never again.",
    )

    @model_validator(mode="after")
    def _whole(self) -> ScoreRuleEntry:
        if self.event is None and self.when is None:
            raise wrong("missing-key", "it is not said what the points are for", "add `event` or `when`")
        if self.points == 0:
            raise wrong("out-of-range", "a rule of no points changes nothing", "say how many", key="points")
        for key in ("half_life", "most"):
            if self.event is None and getattr(self, key) is not None:
                message = f"points that stand while a condition holds have no `{key}`"
                raise wrong("wrong-value", message, "remove it, or add `event`", key=key)
        return self

    @property
    def title(self) -> str:
        """What it is called."""
        if self.name is not None:
            return self.name
        said = ", ".join(self.event or ())
        whole = f"{said} if {self.when}" if said and self.when else said or str(self.when)
        return whole if len(whole) <= 120 else f"{whole[:119]}…"


class ScoringEntry(Written):
    """How leads are scored: what gives points, how fast they age, and from how many a lead is warm or hot."""

    rules: tuple[ScoreRuleEntry, ...] = Field(
        min_length=1, max_length=200, description="What gives points, and how many."
    )
    half_life: HalfLife = Field(
        Duration(days=30),
        description="After how long the points of events are worth half, where a rule does not say; without it,"
        " 30 days.",
    )
    warm: float = Field(gt=0, le=1e6, description="From how many points a lead is warm.")
    hot: float = Field(gt=0, le=1e6, description="From how many points a lead is hot.")
    margin: float | None = Field(
        None,
        ge=0,
        description="How far below a threshold the score must fall before the lead cools; without it, a tenth of"
        " the threshold.",
    )
    grades: dict[Literal["A", "B", "C"], Points] = Field(
        default_factory=dict,
        description="How well a lead fits: from how many points of rules without an event it is an A, a B, a C."
        " Who has fewer is a D.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> ScoringEntry:
        if self.hot <= self.warm:
            raise wrong("out-of-range", "`hot` must be more than `warm`", "write a larger number", key="hot")
        if self.margin is not None and self.margin >= min(self.warm, self.hot - self.warm):
            message = "`margin` is larger than `warm`, or than the way from `warm` to `hot`"
            raise wrong("out-of-range", message, "write a smaller number", key="margin")
        bounds = [self.grades[grade] for grade in ("A", "B", "C") if grade in self.grades]
        if bounds != sorted(set(bounds), reverse=True):
            raise wrong(
                "out-of-range", "an A needs more points than a B, and a B more than a C", key="grades"
            )
        return self


class ScoreRule(BaseModel):
    """A rule as scoring follows it. Times are seconds."""

    model_config = ConfigDict(frozen=True)

    name: str
    events: tuple[str, ...] = ()
    """Which events give the points; none: they stand while the condition holds."""
    when: str | None = None
    points: float
    half_life: float | None = None
    """None: the points do not age."""
    most: int | None = None
    per: float | None = None


class Scoring(BaseModel):
    """All that scores are made by, as the rules of the house keep it."""

    model_config = ConfigDict(frozen=True)

    rules: tuple[ScoreRule, ...]
    warm: float
    hot: float
    margin: float | None = None
    grades: tuple[tuple[str, float], ...] = ()
    """The best first, each with the points from which it is given."""
    timezone: str
    attribute_times: dict[str, Literal["date", "datetime"]] = {}
    event_times: dict[str, dict[str, Literal["date", "datetime"]]] = {}

    @cached_property
    def by_event(self) -> dict[str, tuple[ScoreRule, ...]]:
        """Which rules an event concerns."""
        found: dict[str, tuple[ScoreRule, ...]] = {}
        for rule in self.rules:
            for event in rule.events:
                found[event] = (*found.get(event, ()), rule)
        return found

    @cached_property
    def heard(self) -> frozenset[str]:
        """The events at which a score may change."""
        return frozenset({*self.by_event, *CHANGING})

    @cached_property
    def standing(self) -> tuple[ScoreRule, ...]:
        """The rules that give points while a condition holds."""
        return tuple(rule for rule in self.rules if not rule.events)

    def threshold(self, warmth: Warmth) -> float:
        """From how many points a lead is warm, or hot."""
        return self.hot if warmth == "hot" else self.warm

    def floor(self, warmth: Warmth) -> float:
        """How far a lead's score must fall before it is no longer warm, or hot."""
        threshold = self.threshold(warmth)
        return threshold - (threshold / 10 if self.margin is None else self.margin)


def seconds(length: Duration) -> float:
    """The length in seconds; a month counts as 30 days."""
    return (length.months * 30 + length.days) * DAY + length.seconds


def compiled_rule(entry: ScoreRuleEntry, usual: Duration | Literal["never"]) -> ScoreRule:
    """The rule as scoring follows it; `usual` is the half-life where it names none."""
    half_life = entry.half_life or usual
    ages = entry.event is not None and half_life != "never"
    return ScoreRule(
        name=entry.title,
        events=entry.event or (),
        when=entry.when,
        points=entry.points,
        half_life=seconds(half_life) if ages and isinstance(half_life, Duration) else None,
        most=entry.most.count if entry.most else None,
        per=seconds(entry.most.per) if entry.most else None,
    )


def say_seconds(length: float) -> str:
    """A length of time as people write it: `30 days`."""
    days, rest = divmod(int(length), int(DAY))
    return say_duration(Duration(days=days, seconds=rest))


__all__ = ["OWN_EVENTS", "OWN_FIELDS", "WARMTHS", "ScoreRule", "Scoring", "ScoringEntry", "Warmth"]
