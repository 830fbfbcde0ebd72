"""Who comes in: to the API callers with a key, to the pages people who have logged in.

Outside production, whoever sits at this very machine needs neither. What a request says of itself decides: a key that
is wrong is refused, from wherever it comes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from dripline.access.caller import HERE, Caller
from dripline.access.scopes import TRACK_ALONE
from dripline.store.database import UNAVAILABLE
from dripline.web.access import Given, given_key, is_here
from dripline.web.keyring import KeyRing, Known
from dripline.web.pace import Pace
from dripline.web.problems import RETRY_AFTER, problem
from dripline.web.segment.addresses import TRACKING
from dripline.web.visit import Visit
from dripline.web.visitors import Visitors

API = "/v1/"


@dataclass(frozen=True)
class Answer:
    """What becomes of a request: it is refused, or let in. `headers` are for the answer, whoever gives it."""

    refusal: Response | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    visit: Visit | None = None


class Entrance:
    """Finds out who asks, and puts the Caller on the request's state."""

    def __init__(self, keys: KeyRing, visitors: Visitors, *, in_production: bool) -> None:
        self.visitors = visitors
        self._keys = keys
        self._pace = Pace()
        self._in_production = in_production

    def looks_into_the_body(self, scope: Scope) -> bool:
        """Whether a key, or the token of a form, may be in the body."""
        if scope["path"].startswith(API):
            return scope["method"] == "POST" and scope["path"] in TRACKING and given_key(scope) is None
        return scope["method"] not in ("GET", "HEAD")

    async def admit(self, scope: Scope, body: bytes) -> Answer:
        """Who it is, or the refusal."""
        try:
            if scope["path"].startswith(API):
                return await self._to_api(scope, body)
            return await self._to_pages(scope, body)
        except UNAVAILABLE:
            detail = "The database cannot be reached or is too busy. Try again."
            return Answer(problem(503, "store-away", detail, headers={"Retry-After": str(RETRY_AFTER)}))

    async def _to_api(self, scope: Scope, body: bytes) -> Answer:
        if scope["method"] == "OPTIONS" and scope["path"] in TRACKING:
            _name(
                scope, Caller("key", None, "nobody")
            )  # a browser asks whether it may ask, and never with a key
            return Answer()
        given = given_key(scope) or _written_in(body)
        if given is not None:
            return self._with_key(scope, given, await self._find(given.secret))
        if self._in_production or not is_here(scope):
            return Answer(_no_key(scope))
        _name(scope, HERE)
        return Answer()

    async def _to_pages(self, scope: Scope, body: bytes) -> Answer:
        given = given_key(scope)
        if given is not None:
            answer = self._with_key(scope, given, await self._find(given.secret))
            if answer.refusal is not None or scope["method"] in ("GET", "HEAD"):
                return answer
            return Answer(problem(403, "scope", "A key is for /v1; on the pages it may only look."))
        visit = await self.visitors.receive(scope)
        if isinstance(visit, Response):
            return Answer(visit)
        if visit.caller is not None:
            _name(scope, visit.caller)
        return Answer(self.visitors.refusal_of_form(scope, visit, body), visit=visit)

    async def _find(self, secret: str) -> Known | None:
        return self._keys.remembered(secret) or await run_in_threadpool(self._keys.look_up, secret)

    def _with_key(self, scope: Scope, given: Given, known: Known | None) -> Answer:
        caller = known.caller if known else None
        if given.how == "user" and caller is not None:
            caller = _only_tracking(caller)
        if given.how == "password" and scope["method"] not in ("GET", "HEAD"):
            caller = None  # browsers send it of themselves, whoever made them ask
        if known is None or caller is None:
            return Answer(_no_key(scope))
        if known.per_minute is None:
            _name(scope, caller)
            return Answer(visit=Visit(caller))
        turn = self._pace.turn(known.per_minute, str(caller.id))
        if turn.wait:
            detail = f"This key is good for {turn.per_minute:,} requests a minute. Wait {turn.wait} seconds."
            return Answer(problem(429, "too-many", detail), turn.headers)
        _name(scope, caller)
        return Answer(None, turn.headers, Visit(caller))


def _only_tracking(caller: Caller) -> Caller | None:
    """What a key is good for that may lie open in an app: tracking, or nothing."""
    if not caller.may("track"):
        return None
    return Caller(caller.kind, caller.id, caller.name, TRACK_ALONE)


def _written_in(body: bytes) -> Given | None:
    """The write key in a body, as Segment's libraries for browsers send it."""
    try:
        said = json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None
    key = said.get("writeKey") if isinstance(said, dict) else None
    return Given(key, "user") if isinstance(key, str) else None


def _name(scope: Scope, caller: Caller) -> None:
    scope.setdefault("state", {})["caller"] = caller


def _no_key(scope: Scope) -> Response:
    detail = (
        "Send an API key as Authorization: Bearer. `dripline key create` makes one."
        if "authorization" not in Headers(scope=scope)
        else "This key opens nothing: it is not one of ours, was revoked, has expired, or was sent in a way that is"
        " not for it."
    )
    return problem(401, "no-key", detail, headers={"WWW-Authenticate": "Bearer"})
