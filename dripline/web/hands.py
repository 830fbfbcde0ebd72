"""The part of the API that is about people: who has which lead and why, tasks, stages, customer cards, absences."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import Row

from dripline.clock import MachineClock
from dripline.ingest.hands import Hands
from dripline.ingest.incoming import Moment
from dripline.ingest.living import living
from dripline.ingest.refusal import Refused
from dripline.language.durations import DurationError, parse_duration
from dripline.language.people import Rule
from dripline.language.stages import still_empty
from dripline.language.workspace import Workspace
from dripline.store import assignments, tasks
from dripline.store.customers import customer_of
from dripline.store.database import Store
from dripline.store.filling import colleagues
from dripline.store.house import open_house
from dripline.store.stages import stage_history
from dripline.web.described import documented
from dripline.web.needing import caller_of, needs

_LEAD, _AT = "0198c7a2-5b1e-7c3a-9d2f-1a2b3c4d5e6f", "2026-03-02T09:00:00+00:00"
_Lead = Annotated[str, Path(min_length=1, max_length=128)]
_Task = Annotated[str, Path(min_length=1, max_length=64)]
_Person = Annotated[str, Path(min_length=1, max_length=128)]
_Name = Annotated[str, Field(min_length=1, max_length=128)]


def _length(text: str) -> str:
    try:
        parse_duration(text)
    except DurationError as error:
        raise ValueError(str(error)) from None
    return text


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Handover(_Said):
    """Who gets a lead."""

    to: _Name = Field(description="A team of the workspace, or a person.", examples=["sales"])
    by: Rule | None = Field(None, description="Instead of the team's own rule.", examples=["load"])


class Looked(_Shown):
    """Somebody who was looked at, and why they were taken or passed over."""

    person: str = Field(examples=["anna"])
    taken: bool = Field(examples=[True])
    why: str = Field(examples=["won 12 of 60 leads (20%)"])


class Chosen(BaseModel):
    """Who got the lead."""

    person: str | None = Field(description="Null: nobody could be had.", examples=["anna"])
    how: str = Field(examples=["by-hand"])
    looked: list[Looked]


class OwnerOut(_Shown):
    """Who was given a lead, and what became of it."""

    person: str | None = Field(examples=["anna"])
    team: str | None = Field(examples=["sales"])
    at: datetime = Field(examples=[_AT])
    how: str = Field(examples=["best-first"])
    why: list[Looked]
    journey: str | None = Field(examples=["hot-lead"])
    react_by: datetime | None = Field(examples=["2026-03-02T11:00:00+00:00"])
    reacted_at: datetime | None = Field(examples=[None])
    ended_at: datetime | None = Field(examples=[None])
    ended: str | None = Field(examples=[None])


class Reaction(BaseModel):
    """Whether somebody was waited for."""

    new: bool = Field(examples=[True])


class StageIn(_Said):
    """Where a lead is now."""

    stage: Annotated[str, Field(min_length=1, max_length=32)] = Field(examples=["lost"])
    reason: Annotated[str, Field(max_length=256)] | None = Field(None, examples=["too expensive"])


class StageOut(_Shown):
    """A change of a lead's stage."""

    at: datetime = Field(examples=[_AT])
    before: str | None = Field(examples=["lead"])
    after: str | None = Field(examples=["lost"])
    reason: str | None = Field(examples=["too expensive"])
    owner: str | None = Field(examples=["anna"])
    source: str = Field(examples=["api"])
    journey: str | None = Field(examples=[None])


class CardIn(_Said):
    """What is known of a customer: only what is named changes, null empties."""

    fields: dict[str, Any] = Field(examples=[{"contract": "A-7", "signed_on": "2026-03-02"}])


class CardOut(BaseModel):
    """A customer's card, and the way that led there."""

    converted_at: datetime = Field(examples=[_AT])
    owner: str | None = Field(description="Who had the lead then.", examples=["anna"])
    order: str | None = Field(examples=["A-1001"])
    card: dict[str, Any] = Field(examples=[{"contract": "A-7"}])
    lacks: list[str] = Field(description="Fields that are still empty.", examples=[["vat_number"]])
    path: list[dict[str, Any]] = Field(
        description="Touches, journeys, messages and events, oldest first.",
        examples=[[{"what": "event", "at": _AT, "name": "demo.booked"}]],
    )


class ReactionIn(_Said):
    """Nothing needs to be said: `{}`."""


class TaskIn(_Said):
    """Something to be done."""

    title: Annotated[str, Field(min_length=1, max_length=1_000)] = Field(examples=["Call Ani"])
    person: _Name = Field(
        "owner", alias="for", description="A person, or who has the lead.", examples=["anna"]
    )
    due: Annotated[str, Field(max_length=64), AfterValidator(_length)] | None = Field(
        None, description="Within how much of their working time.", examples=["4h"]
    )
    escalate_to: _Name | None = Field(None, description="Whose it is once it is overdue.", examples=["boss"])


class Done(_Said):
    """What came of a task."""

    result: Annotated[str, Field(max_length=1_000)] | None = Field(None, examples=["wants an offer"])


class AbsencesOut(BaseModel):
    """What became of somebody's absences."""

    ended: int = Field(description="How many were taken back.", examples=[1])


class TaskOut(_Shown):
    """What somebody has to do for a lead."""

    id: str = Field(examples=["0198c7a2-1111-7c3a-9d2f-1a2b3c4d5e6f"])
    lead: str = Field(validation_alias="lead_id", examples=[_LEAD])
    person: str | None = Field(examples=["anna"])
    title: str = Field(examples=["Call Ani"])
    journey: str | None = Field(examples=["hot-lead"])
    created_at: datetime = Field(examples=[_AT])
    due_at: datetime | None = Field(examples=["2026-03-02T13:00:00+00:00"])
    done_at: datetime | None = Field(examples=[None])
    done_by: str | None = Field(examples=[None])
    result: str | None = Field(examples=[None])
    cancelled_at: datetime | None = Field(examples=[None])
    overdue_at: datetime | None = Field(examples=[None])
    escalated_from: str | None = Field(examples=[None])


class PersonOut(BaseModel):
    """How somebody stands."""

    person: str = Field(examples=["anna"])
    open: int = Field(description="Leads.", examples=[12])
    given: int = Field(description="Leads of the last 12 months that are decided.", examples=[60])
    won: int = Field(examples=[12])
    tasks: int = Field(description="Open ones.", examples=[3])
    overdue: int = Field(description="Of these.", examples=[1])
    away_until: datetime | None = Field(examples=[None])


class Absence(_Said):
    """When somebody is away."""

    until: Moment = Field(examples=["2026-08-15T00:00:00+04:00"])
    since: Moment | None = Field(None, description="Without it, now.", examples=[None])


def add_hands(
    router: APIRouter, hands: Hands, store: Store, workspace: Workspace, machine: MachineClock
) -> None:
    """Add people, owners, tasks, stages and customer cards to the API."""
    _add_owners(router, hands, store)
    _add_stages(router, hands, store, workspace)
    _add_tasks(router, hands, store)
    _add_people(router, hands, store, workspace, machine)


_READ: dict[str, Any] = {"dependencies": [needs("leads:read")], "tags": ["people"]}
_WRITE: dict[str, Any] = {"dependencies": [needs("leads:write")], "tags": ["people"]}


def _add_owners(router: APIRouter, hands: Hands, store: Store) -> None:
    problems = documented(404, 410)

    @router.post(
        "/leads/{lead}/owner", **_WRITE, responses=problems, summary="Give a lead to somebody",
        response_description="Who got it, and why",
    )  # fmt: skip
    def give(lead: _Lead, said: Handover) -> Chosen:
        """To a person, or to one of a team by its rule. Told as `lead.assigned`."""
        choice = hands.assign(lead, said.to, said.by)
        looked = [Looked.model_validate(one) for one in choice.looked]
        return Chosen(person=choice.person, how=choice.how, looked=looked)

    @router.get(
        "/leads/{lead}/owners", **_READ, responses=problems, summary="Who was given a lead, and why",
        response_description="Everybody, the first first",
    )  # fmt: skip
    def owners(lead: _Lead) -> list[OwnerOut]:
        """With everybody who was looked at each time."""
        with store.read() as connection:
            rows = assignments.assignments_of(connection, living(connection, lead).id)
        return [OwnerOut.model_validate(row) for row in rows]

    @router.post(
        "/leads/{lead}/reaction", **_WRITE, responses=problems,
        summary="Say that whoever has a lead has reacted", response_description="It is kept",
    )  # fmt: skip
    def react(lead: _Lead, said: ReactionIn) -> Reaction:
        """Nobody else gets the lead then. Again, it changes nothing."""
        return Reaction(new=hands.reacted(lead))


def _add_stages(router: APIRouter, hands: Hands, store: Store, workspace: Workspace) -> None:
    problems = documented(404, 409, 410)

    @router.post(
        "/leads/{lead}/stage", **_WRITE, responses=problems, summary="Change a lead's stage",
        response_description="How its stages went",
    )  # fmt: skip
    def change(lead: _Lead, said: StageIn) -> list[StageOut]:
        """With the reason. Told as `lead.stage_changed`; see also `stage` of PUT /v1/leads."""
        hands.set_stage(lead, said.stage, said.reason, "api")
        return stages(lead)

    @router.get(
        "/leads/{lead}/stages", **_READ, responses=problems, summary="How a lead's stages went",
        response_description="Every change, oldest first",
    )  # fmt: skip
    def stages(lead: _Lead) -> list[StageOut]:
        """When, why, by whom, and who had the lead then."""
        with store.read() as connection:
            rows = stage_history(connection, living(connection, lead).id)
        return [StageOut.model_validate(row) for row in rows]

    @router.get(
        "/leads/{lead}/customer", **_READ, responses=problems, summary="A customer's card",
        response_description="The card, and the way there",
    )  # fmt: skip
    def card(lead: _Lead) -> CardOut:
        """404 for a lead that is no customer."""
        with store.read() as connection:
            row = customer_of(connection, living(connection, lead).id)
        if row is None:
            raise Refused(404, "no-customer", "This lead is no customer yet.")
        wanted = workspace.cards.customer if workspace.cards else ()
        return CardOut(
            converted_at=row.converted_at,
            owner=row.owner,
            order=row.order_id,
            card=row.card,
            lacks=still_empty(wanted, row.card),
            path=row.path,
        )

    @router.put(
        "/leads/{lead}/customer", **_WRITE, responses=problems, summary="Fill a customer's card in",
        response_description="The card, and the way there",
    )  # fmt: skip
    def fill(lead: _Lead, said: CardIn) -> CardOut:
        """Fields of `cards` in dripline.yaml. The lead's own card stays as it is."""
        hands.fill_card(lead, said.fields)
        return card(lead)


def _add_tasks(router: APIRouter, hands: Hands, store: Store) -> None:
    problems = documented(404, 409, 410)

    @router.get(
        "/tasks", **_READ, responses=documented(404, 410), summary="Tasks",
        response_description="The first that is due first",
    )  # fmt: skip
    def listed(
        person: Annotated[str | None, Query(max_length=128)] = None,
        lead: Annotated[str | None, Query(max_length=128, description="Dripline's id of a lead.")] = None,
        everything: Annotated[bool, Query(alias="all", description="Those that are over, too.")] = False,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
    ) -> list[TaskOut]:
        """What is still to be done, of everybody or of one person or lead."""
        with store.read() as connection:
            whose = living(connection, lead).id if lead else None
            rows = tasks.list_tasks(
                connection, person=person, lead_id=whose, everything=everything, limit=limit
            )
        return [_task(row) for row in rows]

    @router.post(
        "/leads/{lead}/tasks", **_WRITE, status_code=201, responses=problems,
        summary="Give somebody something to do", response_description="The task",
    )  # fmt: skip
    def add(lead: _Lead, said: TaskIn, request: Request) -> TaskOut:
        """For a person, or whoever has the lead."""
        due = parse_duration(said.due) if said.due else None
        return _task(
            hands.set_task(lead, said.title, said.person, due, said.escalate_to, by=caller_of(request).said)
        )

    @router.post(
        "/tasks/{task}/done", **_WRITE, responses=problems, summary="Say that a task is done",
        response_description="The task",
    )  # fmt: skip
    def done(task: _Task, said: Done, request: Request) -> TaskOut:
        """Told as `task.done`. Again, it changes nothing; 409 for one that was cancelled."""
        return _task(hands.finish_task(task, caller_of(request).said, said.result))

    @router.delete(
        "/tasks/{task}",
        **_WRITE,
        responses=problems,
        summary="Cancel a task",
        response_description="The task",
    )
    def cancel(task: _Task) -> TaskOut:
        """It need not be done; one that is done stays so."""
        return _task(hands.cancel_task(task))


def _add_people(
    router: APIRouter, hands: Hands, store: Store, workspace: Workspace, machine: MachineClock
) -> None:
    @router.get("/people", **_READ, summary="How everybody stands", response_description="All of `people`")
    def people() -> list[PersonOut]:
        """Open leads, leads won, tasks, and who is away."""
        with store.read() as connection:
            now = open_house(connection).clock.to_house(machine())
            rows = colleagues(connection, list(workspace.people), now)
        return [
            PersonOut(
                person=row.name,
                open=row.record.open,
                given=row.record.given,
                won=row.record.won,
                tasks=row.tasks,
                overdue=row.overdue,
                away_until=row.away_until,
            )
            for row in rows
        ]

    @router.post(
        "/people/{person}/absences", **_WRITE, status_code=201, responses=documented(404),
        summary="Say that somebody is away", response_description="It is kept",
    )  # fmt: skip
    def away(person: _Person, said: Absence, request: Request) -> Absence:
        """They are given no leads meanwhile."""
        with store.read() as connection:
            now = open_house(connection).clock.to_house(machine())
        since = said.since or now
        hands.away(person, since, said.until, caller_of(request).said)
        return Absence(since=since, until=said.until)

    @router.delete(
        "/people/{person}/absences", **_WRITE, responses=documented(404),
        summary="Say that somebody is back", response_description="How many absences that ended",
    )  # fmt: skip
    def back(person: _Person) -> AbsencesOut:
        """And not away later either."""
        return AbsencesOut(ended=hands.back(person))


def _task(row: Row[Any]) -> TaskOut:
    return TaskOut.model_validate(cast(Any, row))


__all__ = ["add_hands"]
