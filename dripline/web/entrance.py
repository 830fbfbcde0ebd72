"""Who comes in: callers with a key; without one, only somebody at this very machine.

What a request says of itself decides: a key that is wrong is refused, from wherever it comes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

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

TRACKING = frozenset(
    f"/v1/{name}" for name in ("identify", "track", "page", "screen", "group", "alias", "batch", "import")
)
"""Segment's addresses. From a browser the write key comes in the body, and a question comes before (CORS)."""

_Answer = tuple[Response | None, Mapping[str, str]]


class Entrance:
    """Finds out who asks, and puts the Caller on the request's state."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._pace = Pace()

    def looks_into_the_body(self, scope: Scope) -> bool:
        """Whether a key may be in the body."""
        return scope["method"] == "POST" and scope["path"] in TRACKING and given_key(scope) is None

    async def admit(self, scope: Scope, body: bytes | None) -> _Answer:
        """The refusal, or None; and headers for the answer, whichever it is."""
        if scope["method"] == "OPTIONS" and scope["path"] in TRACKING:
            _name(
                scope, Caller("key", None, "nobody")
            )  # a browser asks whether it may ask, and never with a key
            return None, {}
        given = given_key(scope) or _written_in(body)
        if given is None:
            if not is_here(scope):
                return _no_key(scope), {}
            _name(scope, HERE)
            return None, {}
        try:
            known = self._keys.remembered(given.secret) or await run_in_threadpool(
                self._keys.look_up, given.secret
            )
        except UNAVAILABLE:
            return _away(), {}
        return self._with_key(scope, given, known)

    def _with_key(self, scope: Scope, given: Given, known: Known | None) -> _Answer:
        caller = known.caller if known else None
        if given.how == "user" and caller is not None:
            caller = _only_tracking(caller)
        if given.how == "password" and scope["method"] not in ("GET", "HEAD"):
            caller = None  # browsers send it of themselves, whoever made them ask
        if known is None or caller is None:
            return _no_key(scope), {}
        if known.per_minute is None:
            _name(scope, caller)
            return None, {}
        turn = self._pace.turn(known.per_minute, str(caller.id))
        if turn.wait:
            detail = f"This key is good for {turn.per_minute:,} requests a minute. Wait {turn.wait} seconds."
            return problem(429, "too-many", detail), turn.headers
        _name(scope, caller)
        return None, turn.headers


def _only_tracking(caller: Caller) -> Caller | None:
    """What a key is good for that may lie open in an app: tracking, or nothing."""
    if not caller.may("track"):
        return None
    return Caller(caller.kind, caller.id, caller.name, TRACK_ALONE)


def _written_in(body: bytes | None) -> Given | None:
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
    scheme = "Bearer" if scope["path"].startswith("/v1/") else 'Basic realm="Dripline"'
    detail = (
        "Send an API key as Authorization: Bearer. `dripline key create` makes one."
        if "authorization" not in Headers(scope=scope)
        else "This key opens nothing: it is not one of ours, was revoked, has expired, or was sent in a way that is"
        " not for it."
    )
    return problem(401, "no-key", detail, headers={"WWW-Authenticate": scheme})


def _away() -> Response:
    detail = "The database cannot be reached or is too busy. Try again."
    return problem(503, "store-away", detail, headers={"Retry-After": str(RETRY_AFTER)})
