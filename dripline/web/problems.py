"""Every error as a problem document (RFC 9457), whatever went wrong, without the values that came in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError, StatementError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Match

from dripline.ingest.refusal import FieldError, Refused
from dripline.ingest.words import field_errors
from dripline.store.database import UNAVAILABLE
from dripline.web.pages.frame import PLAIN_POLICY, build_templates

RETRY_AFTER = 5
"""Seconds after which a caller may try again while the database is away."""

_log = structlog.get_logger(__name__)

_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
}


_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
"""What RFC 9110 calls them; the standard library's words change with Python's version."""


class UnreadableBody(HTTPException):
    """A body that is no JSON that we can keep; says where and why."""

    def __init__(self, status: int, detail: str, errors: Iterable[FieldError] = ()) -> None:
        super().__init__(status, detail)
        self.errors = tuple(errors)


def problem(
    status: int,
    code: str,
    detail: str,
    errors: Iterable[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem document. `errors` has each field, dotted and as a JSON pointer, with what is wrong with it."""
    body: dict[str, Any] = {
        "type": f"urn:dripline:problem:{code}",
        "title": _title(status),
        "status": status,
        "code": code,
        "detail": detail,
    }
    told = [{"field": one.field, "pointer": _pointer(one.field), "detail": one.detail} for one in errors]
    if told:
        body["errors"] = told
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def answer_with_problems(app: FastAPI) -> None:
    """Let the app answer every error with a problem document."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DataError, _not_keepable)
    app.add_exception_handler(StatementError, _not_keepable)
    for kind in UNAVAILABLE:
        app.add_exception_handler(kind, _away)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(Exception, _ours)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return answer(request, error.status, error.code, error.detail, error.errors)


def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = list(error.errors())
    if any(one["type"] == "json_invalid" for one in found):
        return answer(request, 400, "malformed", "The body is not JSON.")
    if all(one["loc"] == ("body",) and one["type"] == "missing" for one in found):
        return answer(request, 422, "invalid", "The request needs a JSON body.")
    errors = field_errors(found, skip=1)
    return answer(request, 422, "invalid", "Some fields do not hold what they must.", errors)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    errors = error.errors if isinstance(error, UnreadableBody) else ()
    code = _title(error.status_code).lower().replace(" ", "-")
    detail = _DETAILS.get(error.status_code, str(error.detail))
    headers = error.headers
    if error.status_code == 405:
        headers = {**(headers or {}), "Allow": ", ".join(_methods_of(request))}
    return answer(request, error.status_code, code, detail, errors, headers)


def _methods_of(request: Request) -> Iterator[str]:
    """What the address takes, by all of its routes: Starlette names the methods of the first one alone."""
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            yield method


def _away(request: Request, error: Exception) -> Response:
    _log.warning("store-away", path=_path(request), error=type(error).__name__)
    detail = "The database cannot be reached or is too busy. Try again."
    return answer(request, 503, "store-away", detail, headers={"Retry-After": str(RETRY_AFTER)})


def _database(request: Request, error: Exception) -> Response:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return _away(request, error)
    return _ours(request, error)


def _not_keepable(request: Request, error: Exception) -> Response:
    _log.warning("not-keepable", path=_path(request), error=type(error).__name__)
    return answer(request, 422, "invalid", "The database cannot keep such values.")


def _ours(request: Request, error: Exception) -> Response:
    _log.error("request-failed", path=_path(request), error=type(error).__name__)
    return answer(request, 500, "our-fault", "Something of ours is wrong. It was logged.")


def answer(
    request: Request,
    status: int,
    code: str,
    detail: str,
    errors: Iterable[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document; for somebody who looks at pages, a page."""
    if request.url.path.startswith("/v1/") or "text/html" not in request.headers.get("accept", ""):
        return problem(status, code, detail, errors, headers)
    page = build_templates().get_template("error.html")
    html = page.render(title=_title(status), detail=detail)
    return HTMLResponse(html, status, {**(headers or {}), "Content-Security-Policy": PLAIN_POLICY})


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase


def _path(request: Request) -> str:
    """The route, not the address: addresses hold ids of leads."""
    route = request.scope.get("route")
    return getattr(route, "path", "?")


def _pointer(field: str) -> str:
    """A dotted path as a JSON pointer (RFC 6901), in the form of a URI fragment."""
    if not field:
        return "#"
    return "#/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in field.split("."))
