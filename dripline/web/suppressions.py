"""The part of the API that knows who is not to be written to. Addresses come in bodies: those of URLs are logged."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints
from pydantic.config import JsonDict

from dripline.ingest.suppressing import Address, Entry, Suppressions, read_address
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.store.suppressions import counted_by_reason
from dripline.web.described import documented
from dripline.web.needing import caller_of, needs
from dripline.web.shapes import Answer
from dripline.web.strict_json import StrictRoute

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)]
_Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
_EXAMPLE: JsonDict = {"address": "ani@example.com", "why": "asked for it on the phone"}


class AddressIn(BaseModel):
    """An e-mail address, or a number."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"address": "ani@example.com"}]}
    )

    address: _Text = Field(description="An e-mail address, or a phone number, best in E.164.")
    channel: Literal["email", "sms"] | None = Field(None, description="Where it cannot be told by an `@`.")


class SuppressIn(AddressIn):
    """An address that is not to be written to."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    reason: Literal["bounced", "complained", "by hand", "unsubscribed", "soft-bounced"] = Field(
        "by hand", description="As another system knows it; `bounced` stops transactional messages too."
    )
    why: _Why | None = Field(None, description="For your colleagues: no names.")


class UnsuppressIn(AddressIn):
    """An address that may be written to again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    why: _Why = Field(description="For your colleagues: no names.")
    complaint: StrictBool = Field(False, description="True: also if a message was reported as spam.")


class SuppressionOut(Answer):
    """Whether an address is on the list."""

    suppressed: bool = Field(examples=[True])
    channel: str = Field(examples=["email"])
    reason: str | None = Field(None, examples=["by hand"])
    since: datetime | None = Field(None, examples=["2026-03-02T06:00:00+00:00"])
    by: str | None = Field(None, examples=["key crm"])
    why: str | None = Field(None, examples=["asked for it on the phone"])


class SuppressionCount(Answer):
    """How many addresses are on the list for one reason."""

    channel: str = Field(examples=["email"])
    reason: str = Field(examples=["bounced"])
    number: int = Field(examples=[12])


class SuppressionCounts(Answer):
    """How many addresses are on the list. Which they are nobody can tell: only keyed hashes are kept."""

    suppressions: list[SuppressionCount]


def build_suppressions(store: Store, workspace: Workspace, suppressions: Suppressions) -> APIRouter:
    """The router, under /v1 as well."""
    router = APIRouter(
        prefix="/v1", route_class=StrictRoute, responses=documented(415, 422), tags=["suppressions"]
    )

    def read(said: AddressIn) -> Address:
        return read_address(said.address, workspace.default_region, said.channel)

    @router.get(
        "/suppressions",
        dependencies=[needs("leads:read")],
        response_model=SuppressionCounts,
        response_description="How many",
        summary="How many addresses are suppressed, by channel and reason",
    )
    def count() -> JSONResponse:
        """Ask for one address with `POST /v1/suppressions/lookup`."""
        with store.read() as connection:
            rows = counted_by_reason(connection)
        return JSONResponse({"suppressions": [dict(row._mapping) for row in rows]})

    @router.post(
        "/suppressions/lookup",
        dependencies=[needs("leads:read")],
        response_model=SuppressionOut,
        response_description="Whether it is",
        summary="Whether an address is suppressed",
    )
    def look_up(said: AddressIn) -> JSONResponse:
        """With the reason, and since when."""
        address = read(said)
        return JSONResponse(_told(address, suppressions.look_up(address)))

    @router.put(
        "/suppressions",
        dependencies=[needs("leads:write")],
        response_model=SuppressionOut,
        responses={201: {"model": SuppressionOut, "description": "It is on the list now"}},
        response_description="It was on the list, for a reason that weighs as much or more",
        summary="Suppress an address",
    )
    def suppress(said: SuppressIn, request: Request) -> JSONResponse:
        """Whether a lead has it or not. A heavier reason takes the place of a lighter one."""
        address = read(said)
        entry, new = suppressions.put(address, said.reason, caller_of(request).said, said.why)
        return JSONResponse(_told(address, entry), 201 if new else 200)

    @router.delete(
        "/suppressions",
        dependencies=[needs("leads:write")],
        response_model=SuppressionOut,
        response_description="It is off the list",
        responses=documented(404, 409),
        summary="Lift a suppression",
    )
    def lift(said: UnsuppressIn, request: Request) -> JSONResponse:
        """What the lead agreed to stays as it is. A complaint is only lifted with `complaint: true` (409)."""
        address = read(said)
        suppressions.take_off(address, said.why, caller_of(request).said, complaint=said.complaint)
        return JSONResponse(_told(address, None))

    return router


def _told(address: Address, entry: Entry | None) -> dict[str, object]:
    if entry is None:
        nothing = dict.fromkeys(("reason", "since", "by", "why"))
        return {"suppressed": False, "channel": address.channel, **nothing}
    return {
        "suppressed": True,
        "channel": entry.channel,
        "reason": entry.reason,
        "since": entry.since.isoformat(),
        "by": entry.by,
        "why": entry.why,
    }
