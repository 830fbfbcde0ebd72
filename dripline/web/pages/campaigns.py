"""The pages of campaigns: all of them, one with how far it has come, and starting, pausing and cancelling one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from dripline.clock import MachineClock
from dripline.ingest.campaigns.starting import (
    Wanted,
    cancel_campaign,
    count_audience,
    pause_campaign,
    resume_campaign,
    start_campaign,
    unknown_campaign,
)
from dripline.ingest.campaigns.telling import Told, count_reasons, outcomes, tell_campaigns
from dripline.ingest.refusal import Refused
from dripline.store.campaigns import list_campaigns, load_campaign
from dripline.store.house import open_house
from dripline.store.plans import published
from dripline.web.allowing import allows
from dripline.web.pages.frame import Frame
from dripline.web.saying import link, number
from dripline.web.visit import visit

_Id = Annotated[str, Path(max_length=64)]
_Why = Annotated[str, Form(max_length=500)]
_Journey = Annotated[str, Form(max_length=128)]
_Audience = Annotated[str, Form(max_length=1_000)]
_STEER = allows("steer")

_STEPS = {
    "pause": (
        pause_campaign,
        "Pause {name}?",
        "Nobody is let in any more until somebody lets it go on. Who was let in goes on.",
        "Pause it",
    ),
    "resume": (
        resume_campaign,
        "Let {name} go on?",
        "{waiting} leads still wait, and are let in at its pace.",
        "Let it go on",
    ),
    "cancel": (
        cancel_campaign,
        "Give {name} up?",
        "The {waiting} leads who still wait are not let in any more. Who was let in goes on.",
        "Give it up",
    ),
}


def add_campaigns(router: APIRouter, frame: Frame, machine: MachineClock) -> None:
    """Add `/campaigns` and what is below it."""

    @router.get("/campaigns")
    def all_campaigns(
        journey: Annotated[str, Query(max_length=128)] = "",
        audience: Annotated[str, Query(max_length=1_000)] = "",
    ) -> HTMLResponse:
        """Every campaign, newest first, and a form to start one."""
        with frame.store.read() as connection:
            told = tell_campaigns(connection, list_campaigns(connection))
            journeys = [one.plan for one in published(connection)]
        return frame.page(
            "campaigns.html",
            here="campaigns",
            told=told,
            journeys=journeys,
            segments=sorted(frame.workspace.segments),
            chosen={"journey": journey, "audience": audience},
        )

    @router.get("/campaigns/start", dependencies=[_STEER])
    def ask_start(
        journey: Annotated[str, Query(max_length=128)],
        audience: Annotated[str, Query(max_length=1_000)],
        per_hour: Annotated[str, Query(max_length=12)] = "",
        test: Annotated[str, Query(max_length=9)] = "",
        holdout: Annotated[str, Query(max_length=6)] = "",
    ) -> HTMLResponse:
        """How many are they, and shall they be let in?"""
        says, barred = "", ""
        try:
            with frame.store.read() as connection:
                wanted = _wanted(journey, audience, per_hour, test, holdout)
                size = count_audience(connection, frame.workspace, wanted)
            are = "1 lead is" if size == 1 else f"{size:,} leads are"
            those = f"{are} in that audience. They enter {journey}, less those who have been in it and may not again."
            says = " ".join([those, *_terms(wanted)])
        except Refused as refusal:
            barred = " ".join(
                [
                    refusal.detail,
                    *(f"The {one.field.replace('_', ' ')} {one.detail}." for one in refusal.errors),
                ]
            )
        fields = {
            "journey": journey,
            "audience": audience,
            "per_hour": per_hour,
            "test": test,
            "holdout": holdout,
        }
        back = link("/campaigns", {}, journey=journey, audience=audience)
        return _confirm(
            frame,
            f"Let them into {journey}?",
            says,
            "Let them in",
            "/campaigns",
            back,
            fields=fields,
            barred=barred,
        )

    @router.post("/campaigns", dependencies=[_STEER])
    def start(
        journey: _Journey,
        audience: _Audience,
        per_hour: Annotated[str, Form(max_length=12)] = "",
        test: Annotated[str, Form(max_length=9)] = "",
        holdout: Annotated[str, Form(max_length=6)] = "",
    ) -> Response:
        """Let them in; the waker sees to it within a second."""
        wanted = _wanted(journey, audience, per_hour, test, holdout)
        with frame.store.write() as connection:
            id_ = start_campaign(connection, frame.workspace, wanted, machine(), visit().said)
        return RedirectResponse(f"/campaigns/{id_}", 303)

    @router.get("/campaigns/{campaign}")
    def one_campaign(campaign: _Id) -> HTMLResponse:
        """How far it has come, whom it refused, and what became of the others."""
        with frame.store.read() as connection:
            told = _told(connection, campaign)
            now = open_house(connection).clock.to_house(machine())
            context: dict[str, Any] = {
                "reasons": count_reasons(connection, campaign),
                "came": outcomes(connection, campaign),
                "left": told.left(now),
            }
        refresh = told.row.state == "running"
        return frame.page(
            "campaign.html",
            here="campaigns",
            told=told,
            currency=frame.workspace.currency,
            segments=frame.workspace.segments,
            refresh=refresh,
            **context,
        )

    for name in _STEPS:
        _add_step(router, frame, machine, name)


def _add_step(router: APIRouter, frame: Frame, machine: MachineClock, name: str) -> None:
    do, title, says, button = _STEPS[name]

    def ask(campaign: _Id) -> HTMLResponse:
        with frame.store.read() as connection:
            told = _told(connection, campaign)
        words = {"name": told.row.name, "waiting": f"{told.progress.waiting:,}"}
        at = f"/campaigns/{campaign}"
        return _confirm(
            frame,
            title.format(**words),
            says.format(**words),
            button,
            f"{at}/{name}",
            at,
            grave=name != "resume",
            why=True,
        )

    def step(campaign: _Id, why: _Why = "") -> Response:
        with frame.store.write() as connection:
            do(connection, campaign, machine(), visit().said, " ".join(why.split()) or None)
        return RedirectResponse(f"/campaigns/{campaign}", 303)

    router.get(f"/campaigns/{{campaign}}/{name}", dependencies=[_STEER])(ask)
    router.post(f"/campaigns/{{campaign}}/{name}", dependencies=[_STEER])(step)


def _confirm(
    frame: Frame, title: str, says: str, button: str, action: str, back: str, **more: Any
) -> HTMLResponse:
    context = {"grave": False, "why": False, "clock": False, "rows": [], "fields": {}, "doubling": 0}
    return frame.page(
        "confirm.html",
        here="campaigns",
        title=title,
        says=says,
        button=button,
        action=action,
        back=back,
        **{**context, **more},
    )


def _told(connection: Connection, campaign: str) -> Told:
    row = load_campaign(connection, campaign)
    if row is None:
        raise unknown_campaign()
    return tell_campaigns(connection, [row])[0]


def _terms(wanted: Wanted) -> Iterator[str]:
    """How they are let in, as far as it was said."""
    if wanted.test:
        yield f"{wanted.test:,} {'goes' if wanted.test == 1 else 'go'} first, the others when somebody says so."
    if wanted.per_hour:
        yield f"At most {number(wanted.per_hour)} are let in an hour."
    if wanted.holdout:
        yield f"{wanted.holdout:g}% are held out: they get nothing, for comparison."


def _wanted(journey: str, audience: str, per_hour: str, test: str, holdout: str) -> Wanted:
    return Wanted(
        journey,
        audience.strip() or "-",
        per_hour=_number(per_hour, "pace") if per_hour.strip() else None,
        test=int(_number(test, "test group")) if test.strip() else 0,
        holdout=_number(holdout, "holdout") if holdout.strip() else 0.0,
    )


def _number(text: str, what: str) -> float:
    try:
        return float(text.strip().removesuffix("%"))
    except ValueError:
        raise Refused(422, "invalid", f"The {what} is no number.") from None
