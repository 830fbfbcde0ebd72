"""Those who look after leads, as the workspace file names them: people, teams, and what they are to fill in."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field

from dripline.language.fields import FieldType
from dripline.language.kinds import Events, Flag, Length, Name, Text
from dripline.language.load import Written
from dripline.language.locales import LanguageTag, ZoneName
from dripline.language.plan import Person, Team
from dripline.language.short_forms import ShortForm
from dripline.language.step_keys import NamedResult, long_form
from dripline.language.times import Window

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+")
PHONE = re.compile(r"\+[1-9]\d{6,14}")

Rule = Literal["best-first", "round-robin", "load"]
"""By what one of a team is chosen."""

ENOUGH = 20
"""Leads that somebody must have had before their own conversion rate says anything."""


class PersonEntry(Written):
    """Somebody of yours who can be told things, and who looks after leads."""

    email: str | None = Field(None, description="E-mail address.", pattern=EMAIL.pattern)
    phone: str | None = Field(None, description="Phone number, like +37491123456.", pattern=PHONE.pattern)
    name: str | None = Field(None, description="The person's name.")
    languages: tuple[LanguageTag, ...] = Field(
        (), description="Languages that the person speaks, like `[hy, en]`; without it, every one."
    )
    hours: Window | None = Field(
        None, description="When the person works: `mon-fri 09:00-18:00`, or a list; without it, always."
    )
    timezone: ZoneName | None = Field(
        None, description="The time zone of those hours; without it, the workspace's."
    )
    most: int | None = Field(None, ge=1, description="Open leads that the person can look after at most.")

    def compiled(self) -> Person:
        """The person as plans and rules have them."""
        return Person(
            email=self.email,
            phone=self.phone,
            name=self.name,
            languages=self.languages,
            hours=self.hours if isinstance(self.hours, tuple) else (),
            timezone=self.timezone,
            most=self.most,
        )


class TeamEntry(Written):
    """A pool of people of whom one is given each lead."""

    people: Annotated[tuple[Text, ...], Field(min_length=1, max_length=200)] = Field(
        description="Names of `people`."
    )
    by: Rule = Field(
        "round-robin",
        description="Who is chosen of those who can: `best-first` (who converts most), `round-robin` (who waited"
        " longest), `load` (who has the fewest open leads).",
    )
    fallback: Text | None = Field(None, description="Who gets the lead where nobody else can.")
    react: Length | None = Field(
        None,
        description="Within how much working time the person must react; else another one gets the lead.",
    )
    reactions: Events = Field(
        (),
        description="Events that show that the person has reacted, like `call.made`: they do the hand-over's task.",
    )
    enough: int = Field(
        ENOUGH,
        ge=1,
        description="Leads after which somebody's own conversion rate counts; before, the team's. Without it, 20.",
    )

    def compiled(self) -> Team:
        """The team as plans and rules have it."""
        return Team(
            people=self.people,
            by=self.by,
            fallback=self.fallback,
            react=self.react,
            reactions=self.reactions,
            enough=self.enough,
        )


TeamOf = Annotated[
    TeamEntry, ShortForm(lambda value: {"people": value} if isinstance(value, list) else value, "people")
]


class CardsEntry(Written):
    """What is to be known of a lead, and of a customer: the two cards, and how well they are filled."""

    lead: Annotated[tuple[Name, ...], Field(min_length=3, max_length=5)] = Field(
        description="Three to five fields of a lead: attributes, `email`, `phone`, `country` and the like."
    )
    customer: Annotated[dict[Name, FieldType], Field(min_length=10, max_length=15)] = Field(
        description="Ten to fifteen fields of a customer, each with its type. What the lead's card says under the same"
        " name is taken over when it becomes a customer."
    )


class AssignArguments(Written):
    """Who gets the lead."""

    to: Text = Field(description="A team of dripline.yaml, or a person.")
    by: Rule | None = Field(None, description="Who is chosen of the team, instead of the team's own rule.")
    react: Length | None = Field(
        None,
        description="Within how much working time the person must react; else another one gets the lead.",
    )
    keep_owner: Flag = Field(
        True, description="Whether a lead that has an owner who is not away keeps them, where `to` is a team."
    )


class AssignStep(NamedResult):
    """Give the lead an owner: the best, or the next, of those who are at work and speak its language."""

    assign: Annotated[AssignArguments, long_form("to")] = Field(
        description="The team or the person, or `{to: sales, by: best-first, react: 2h}`."
    )


class TaskArguments(Written):
    """What is to be done, by whom, by when."""

    title: Text = Field(description="What is to be done; may hold `{{ … }}`.")
    for_: Text = Field("owner", alias="for", description="`owner`, or a name of `people` in dripline.yaml.")
    due: Length | None = Field(None, description="Within how much working time of that person, like `4h`.")
    escalate_to: Text | None = Field(
        None, description="Who has to do it once it is overdue: a name of `people`."
    )


def _titled(value: Any) -> Any:
    return {"title": value} if isinstance(value, str) else value


class TaskStep(NamedResult):
    """Give a colleague something to do for the lead."""

    task: Annotated[TaskArguments, ShortForm(_titled, "title")] = Field(
        description="What, or `{title: Call {{ lead.first_name }}, for: owner, due: 4h}`."
    )


ASSIGN_RESULT = frozenset({"person", "name", "email", "phone", "how", "skipped", "reason"})
"""What the result of an `assign` has."""
TASK_RESULT = frozenset({"id", "person", "title", "due_at", "skipped", "reason"})
"""What the result of a `task` has."""
