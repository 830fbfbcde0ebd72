"""The part of the API by which leads bring friends: their codes, who came by them, and what became of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row

from dripline.ingest.identity import read_reference
from dripline.ingest.incoming import LeadRef, Moment, Text
from dripline.ingest.referring.guards import told_to_referrer
from dripline.ingest.referring.joining import Arrival
from dripline.ingest.referring.service import Referring
from dripline.ingest.refusal import Refused
from dripline.language.workspace import Workspace
from dripline.links import friends_link
from dripline.store import referrals
from dripline.store.database import Store
from dripline.web.described import documented
from dripline.web.needing import caller_of, needs
from dripline.web.shapes import Answer
from dripline.web.strict_json import StrictRoute

_LEAD, _FRIEND = "01a203d7-0ddb-7142-b744-1e0efdae44b7", "01a203d7-1c52-70b1-9a0e-2f1c0f1d9b55"
_ID, _AT = "3f0c2c6e0d5b5b0e9a9d3c1f7f1f2b6a", "2026-03-02T06:00:00+00:00"
_CODE, _LINK = "K7RWM-2PXQ4", "https://www.example.com/r/K7RWM-2PXQ4"
_Program = Annotated[
    str, Path(min_length=1, max_length=128, description="As `referrals` in dripline.yaml calls it.")
]
_Id = Annotated[str, Path(min_length=1, max_length=64)]
_State = Literal["joined", "purchased", "returned", "rewarded", "refused"]
_Who = Annotated[
    LeadRef | Text,
    Field(description="Who: an object with any identity, or one text, as in an event."),
]


class CodeIn(BaseModel):
    """Whose code is asked for."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"lead": "crm-1042"}]})

    lead: _Who


class CodeOut(Answer):
    """How a lead brings friends."""

    program: str = Field(examples=["friends"])
    lead: str = Field(examples=[_LEAD])
    code: str = Field(description="To be typed, however.", examples=[_CODE])
    link: str = Field(description="The same as an address.", examples=[_LINK])
    qr: str = Field(
        description="The same as a picture to scan (`.svg` is there, too).", examples=[f"{_LINK}.png"]
    )
    visits: int = Field(description="How many people followed the link.", examples=[12])


class ReferralIn(BaseModel):
    """Somebody who came by another's code."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"code": _CODE, "lead": {"email": "nare@example.com"}}]},
    )

    code: Text = Field(description="The referrer's code, however it was typed.")
    lead: _Who
    device: Text | None = Field(
        None,
        description="What tells the friend's device from others, such as the anonymous id of a tracking library. Only"
        " a keyed hash of it is kept.",
    )
    network: Text | None = Field(
        None,
        description="The IP address (or network) that the friend came from. Only a keyed hash of it is kept.",
    )


class RefusalIn(BaseModel):
    """Why nobody is to be rewarded."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"why": "the same household"}]})

    why: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="For your colleagues: no names. The referrer is not told.",
        ),
    ]


class ReferralOut(Answer):
    """Who brought whom, and what became of it."""

    id: str = Field(examples=[_ID])
    program: str = Field(examples=["friends"])
    referrer: str = Field(examples=[_LEAD])
    friend: str = Field(examples=[_FRIEND])
    at: datetime = Field(examples=[_AT])
    via: str = Field(description="`form`, `event`, `api` or `command`.", examples=["form"])
    state: _State = Field(examples=["purchased"])
    refused: str | None = Field(
        description="Why it does not count, for your colleagues: it may tell something of the friend.",
        examples=[None],
    )
    told: str | None = Field(
        description="The same as the referrer may read it: `self`, `limit`, or `rules` for everything else.",
        examples=[None],
    )
    purchased_at: datetime | None = Field(examples=["2026-03-05T09:30:00+00:00"])
    hold_until: datetime | None = Field(
        description="No reward before: the end of the return period.", examples=["2026-03-19T09:30:00+00:00"]
    )
    rewarded_at: datetime | None = Field(examples=[None])
    reward: dict[str, Any] | None = Field(
        description="What the referrer got; `waits` while a budget or a pool has nothing left.",
        examples=[None],
    )


class JoinedOut(ReferralOut):
    """A friend who came, and what it got for that."""

    welcome: dict[str, Any] = Field(
        description="The friend's discount; empty where it gets none.",
        examples=[{"code": "7QWRM-3KXP2", "percent": 15}],
    )


class ReferralList(Answer):
    """The newest first."""

    referrals: list[ReferralOut]


class StandingOut(Answer):
    """How a program stands."""

    program: str = Field(examples=["friends"])
    codes: int = Field(examples=[240])
    visits: int = Field(examples=[1_312])
    states: dict[str, int] = Field(examples=[{"joined": 80, "purchased": 12, "rewarded": 31, "refused": 9}])
    refused: dict[str, int] = Field(description="By reason.", examples=[{"customer": 6, "device": 3}])


class Standings(Answer):
    """Every program by which anybody brings friends."""

    programs: list[StandingOut]


class LeaderOut(Answer):
    """What a referrer brought."""

    lead: str = Field(examples=[_LEAD])
    email: str | None = Field(examples=["ani@example.com"])
    visits: int = Field(examples=[40])
    joined: int = Field(description="Friends who came and were not refused.", examples=[9])
    purchased: int = Field(description="Those who bought, and did not give it back.", examples=[5])
    rewarded: int = Field(examples=[4])


class Leaders(Answer):
    """Who brought most stands first: by rewards, then by purchases, then by friends."""

    leaders: list[LeaderOut]


def build_referrals(store: Store, workspace: Workspace, referring: Referring, public_url: str) -> APIRouter:
    """The router, under /v1 as well."""
    router = APIRouter(
        prefix="/v1", route_class=StrictRoute, responses=documented(415, 422), tags=["referrals"]
    )
    _add_programs(router, store, workspace, referring, public_url)
    _add_referrals(router, store, workspace, referring)
    return router


def _add_programs(
    router: APIRouter, store: Store, workspace: Workspace, referring: Referring, public_url: str
) -> None:
    @router.get(
        "/referral-programs",
        dependencies=[needs("leads:read")],
        response_model=Standings,
        response_description="All of them",
        summary="How the referral programs stand",
    )
    def programs() -> JSONResponse:
        """Codes, visits, and how many friends are where."""
        with store.read() as connection:
            found = referrals.standings(connection)
        return JSONResponse({"programs": [asdict(one) for one in found]})

    @router.post(
        "/referral-programs/{program}/codes",
        dependencies=[needs("leads:write")],
        response_model=CodeOut,
        response_description="It has had it, or has it now",
        responses=documented(404, 409, 410),
        summary="A lead's code and link for bringing friends",
    )
    def code(program: _Program, said: CodeIn) -> JSONResponse:
        """The same whenever it is asked for."""
        row = referring.code(read_reference(said.lead, workspace.default_region), program)
        link = friends_link(public_url, row.code)
        return JSONResponse(
            {
                "program": row.program,
                "lead": row.lead_id,
                "code": row.code,
                "link": link,
                "qr": f"{link}.png",
                "visits": row.visits,
            }
        )

    @router.get(
        "/referral-programs/{program}/leaders",
        dependencies=[needs("leads:read")],
        response_model=Leaders,
        response_description="The best first",
        summary="Who brought most friends",
    )
    def leaders(
        program: _Program,
        since: Annotated[Moment | None, Query(description="Only friends who came since (ISO 8601).")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 20,
    ) -> JSONResponse:
        """By friends who came since then, or ever."""
        with store.read() as connection:
            found = referrals.leaders(connection, program, since, limit)
        return JSONResponse({"leaders": [asdict(one) for one in found]})


def _add_referrals(router: APIRouter, store: Store, workspace: Workspace, referring: Referring) -> None:
    @router.post(
        "/referrals",
        dependencies=[needs("leads:write")],
        response_model=JoinedOut,
        response_description="Known before: as it was",
        responses={
            201: {"model": JoinedOut, "description": "The friend has come"},
            **documented(404, 409, 410),
        },
        summary="A friend came by a lead's code",
    )
    def join(said: ReferralIn) -> JSONResponse:
        """201, also where it does not count (`refused` says why); 200 for a friend who was brought before; 404 for a
        code that nobody has, 409 for the friend's own, 410 for a program that is over."""
        came = Arrival(said.code, "api", said.device, said.network)
        done = referring.join(read_reference(said.lead, workspace.default_region), came)
        body = {**told(done.row), "welcome": done.welcome}
        return JSONResponse(body, 201 if done.new else 200)

    @router.get(
        "/referrals",
        dependencies=[needs("leads:read")],
        response_model=ReferralList,
        response_description="The newest first",
        summary="Who brought whom",
    )
    def listed(
        program: Annotated[str | None, Query(max_length=128)] = None,
        lead: Annotated[
            str | None, Query(max_length=64, description="Either of the two, by Dripline's id.")
        ] = None,
        state: _State | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> JSONResponse:
        """All, or those of a program, a lead, a state."""
        with store.read() as connection:
            rows = referrals.list_referrals(connection, program, lead, state, limit)
        return JSONResponse({"referrals": [told(row) for row in rows]})

    @router.get(
        "/referrals/{referral}",
        dependencies=[needs("leads:read")],
        response_model=ReferralOut,
        response_description="What became of it",
        responses=documented(404),
        summary="A referral",
    )
    def show(referral: _Id) -> JSONResponse:
        """By its id."""
        with store.read() as connection:
            row = referrals.find_referral(connection, referral)
        if row is None:
            raise Refused(404, "unknown-referral", "There is no referral of that id.")
        return JSONResponse(told(row))

    @router.post(
        "/referrals/{referral}/refuse",
        dependencies=[needs("leads:write")],
        response_model=ReferralOut,
        response_description="Nobody is rewarded for it",
        responses=documented(404, 409, 410),
        summary="Let nobody be rewarded for a friend",
    )
    def refuse(referral: _Id, said: RefusalIn, request: Request) -> JSONResponse:
        """409 where the referrer was rewarded already. The friend keeps its welcome."""
        return JSONResponse(told(referring.refuse(referral, said.why, caller_of(request).said)))


def told(row: Row[Any]) -> dict[str, Any]:
    """A referral as programs read it."""
    times = {name: getattr(row, name) for name in ("at", "purchased_at", "hold_until", "rewarded_at")}
    return {
        "id": row.id,
        "program": row.program,
        "referrer": row.referrer_id,
        "friend": row.friend_id,
        "via": row.via,
        "state": row.state,
        "refused": row.refused,
        "told": told_to_referrer(row.refused),
        "reward": row.reward,
        **{name: at.isoformat() if at is not None else None for name, at in times.items()},
    }


__all__ = ["build_referrals", "told"]
