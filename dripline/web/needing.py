"""Which scope an address of the API needs: said at the route, held there, and told by the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.params import Security as Needed
from fastapi.security import HTTPBasic, HTTPBearer, SecurityScopes
from starlette.requests import HTTPConnection

from dripline.access.caller import Caller
from dripline.access.scopes import SCOPES, Scope
from dripline.ingest.refusal import Refused


class _Bearer(HTTPBearer):
    """Only tells the OpenAPI document: the guard has read the key, long before."""

    async def __call__(self, request: HTTPConnection) -> None:
        return None


class _Basic(HTTPBasic):
    """As above."""

    async def __call__(self, request: HTTPConnection) -> None:
        return None


_KEY = _Bearer(
    scheme_name="key",
    bearerFormat="dl_live_…",
    description="An API key (`dripline key create`) as `Authorization: Bearer KEY`.",
    auto_error=False,
)
_WRITE_KEY = _Basic(
    scheme_name="writeKey",
    description="An API key as user, with an empty password, as Segment's libraries send it: good for `track` alone.",
    auto_error=False,
)


def needs(scope: Scope) -> Needed:
    """For a route's `dependencies`: only callers with that scope are served; others get 403."""
    holds: Callable[..., Any] = _holds_track if scope == "track" else _holds
    return Security(holds, scopes=[scope])  # type: ignore[no-any-return]


def caller_of(request: Request) -> Caller:
    """Who sent the request. Only where the guard lets nobody in unnamed."""
    caller: Caller = request.state.caller
    return caller


def _holds(request: Request, needed: SecurityScopes, _key: Annotated[Any, Security(_KEY)]) -> None:
    _check(request, needed)


def _holds_track(
    request: Request,
    needed: SecurityScopes,
    _key: Annotated[Any, Security(_KEY)],
    _write_key: Annotated[Any, Security(_WRITE_KEY)],
) -> None:
    _check(request, needed)


def _check(request: Request, needed: SecurityScopes) -> None:
    caller = caller_of(request)
    for scope in needed.scopes:
        if not caller.may(scope):
            does: str = SCOPES[scope]  # type: ignore[index]
            raise Refused(403, "scope", f"This key lacks the scope `{scope}`: {does}.")
