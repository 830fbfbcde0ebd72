"""Forms: `/f/ID` takes what visitors send, from pages of one's own or from the form's own page.

They stand open to the whole internet: nobody is told who is known, what looks like a program's is thanked for and left,
and where a visitor goes afterwards is what the workspace says and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from urllib.parse import urlencode, urlsplit

import structlog
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from dripline.clock import MachineClock
from dripline.ingest.forms import NotAnswered, Visitor, read_submission
from dripline.ingest.refusal import FieldError, Refused
from dripline.ingest.service import Ingest
from dripline.language.forms import FormEntry
from dripline.language.workspace import Workspace
from dripline.settings import Settings
from dripline.store.database import UNAVAILABLE, Store
from dripline.store.house import open_house
from dripline.store.tallies import tally
from dripline.web.access import network_of, visitor_address
from dripline.web.cookies import Cookies
from dripline.web.forms import stamps
from dripline.web.forms.friends import INPUT, friend_from
from dripline.web.forms.receiving import (
    Inputs,
    first,
    page_of,
    read_inputs,
    touch_from,
    wants_json,
)
from dripline.web.forms.showing import PATH, Showing
from dripline.web.forms.stamps import Stamps
from dripline.web.forms.words import words_of
from dripline.web.friends import REF
from dripline.web.pace import Pace
from dripline.web.pages.frame import build_templates
from dripline.web.problems import problem
from dripline.web.public import accepted_languages

PER_FORM = 600
"""Submissions of one form a minute, of all visitors together."""
HONEYPOT = "_homepage"
"""An input that no person sees. Who fills it in is a program."""

_FILES = {
    "page.css": ("link.css", "text/css"),
    "form.css": ("form.css", "text/css"),
    "embed.js": ("form.js", "text/javascript"),
}
_POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none';"
_log = structlog.get_logger(__name__)


def build_forms(
    settings: Settings, store: Store, ingest: Ingest, workspace: Workspace, machine: MachineClock
) -> APIRouter:
    """The router of the forms."""
    router = APIRouter(prefix="/f", include_in_schema=False)
    desk = _Desk(settings, store, ingest, workspace, machine)
    router.get("/static/{name}")(desk.file)
    router.api_route("/{form}", methods=["GET", "HEAD"])(desk.show)
    router.post("/{form}")(desk.take)
    router.options("/{form}")(desk.preflight)
    router.get("/{form}/start")(desk.start)
    router.options("/{form}/start")(desk.preflight)
    router.api_route("/{form}/thanks", methods=["GET", "HEAD"])(desk.thank)
    return router


class _Desk:
    def __init__(
        self, settings: Settings, store: Store, ingest: Ingest, workspace: Workspace, machine: MachineClock
    ) -> None:
        self._store, self._ingest, self._workspace, self._machine = store, ingest, workspace, machine
        self._secret = settings.secret.get_secret_value() if settings.secret else None
        self._per_visitor = settings.forms_per_minute
        self._showing = Showing(workspace, settings.public_url, build_templates())
        self._home = _origin(settings.public_url)
        self._cookies = Cookies(settings.public_url)
        self._pace = Pace()

    def file(self, name: str) -> Response:
        """The style sheets, and the script for pages of one's own."""
        if name not in _FILES:
            return Response(status_code=404)
        file, kind = _FILES[name]
        content = resources.files("dripline.web").joinpath("templates", file).read_text("utf-8")
        headers = {"Cache-Control": "public, max-age=3600", "Cross-Origin-Resource-Policy": "cross-origin"}
        return Response(content, media_type=kind, headers=headers)

    def show(self, form: str, request: Request) -> Response:
        """The form's own page."""
        self._entry(form)
        locale = self._locale(form, request, "")
        stamp = self._stamps().make(form, self._machine())
        given = {INPUT: [request.query_params.get(REF, "")]}
        return self._html(form, self._showing.page(form, locale, stamp, given))

    def thank(self, form: str, request: Request) -> Response:
        """Where a visitor without scripts comes to."""
        entry = self._entry(form)
        locale = self._locale(form, request, "")
        title = self._showing.says(entry.title, locale)
        return self._html(form, self._showing.note(form, locale, title, self._showing.thanks(form, locale)))

    def start(self, form: str, request: Request) -> Response:
        """The stamp of a form that a page of one's own shows."""
        entry = self._entry(form)
        if self._pace.wait(self._per_visitor * 6, "start", network_of(visitor_address(request.scope))):
            return self._shared(entry, request, self._later(form, request, 60, ""))
        stamp = self._stamps().make(form, self._machine())
        return self._shared(entry, request, JSONResponse({"stamp": stamp}))

    def preflight(self, form: str, request: Request) -> Response:
        """What a browser asks before a script of another site may send JSON."""
        entry = self._entry(form)
        if not self._is_allowed(entry, request):
            return problem(403, "foreign-origin", "This form is not for pages of that site.")
        headers = {
            "Access-Control-Allow-Methods": "POST, GET",
            "Access-Control-Allow-Headers": "Content-Type, Accept",
            "Access-Control-Max-Age": "600",
        }
        return self._shared(entry, request, Response(status_code=204, headers=headers))

    async def take(self, form: str, request: Request) -> Response:
        """What a visitor sends."""
        entry = self._entry(form)
        if not self._is_allowed(entry, request):
            return problem(403, "foreign-origin", "This form is not for pages of that site.")
        waits = self._pace.wait(self._per_visitor, form, network_of(visitor_address(request.scope)))
        waits = waits or self._pace.wait(PER_FORM, form)
        if waits:
            return self._shared(entry, request, self._later(form, request, waits, ""))
        try:
            inputs = await read_inputs(request)
        except HTTPException as error:
            return self._shared(entry, request, problem(error.status_code, "malformed", str(error.detail)))
        return self._shared(
            entry, request, await run_in_threadpool(self._taken, form, entry, request, inputs)
        )

    def _taken(self, form: str, entry: FormEntry, request: Request, inputs: Inputs) -> Response:
        locale = self._locale(form, request, first(inputs, "_locale"))
        if first(inputs, HONEYPOT).strip():
            return self._left(form, entry, request, locale, "honeypot")
        stamp = first(inputs, stamps.NAME)
        if stamp:
            age = self._stamps().age(form, stamp, self._machine())
            if age is None:
                self._count(form, "bad-stamp")
                return self._refused(form, request, locale, inputs, {}, "stale")
            if age < stamps.QUICKEST:
                return self._left(form, entry, request, locale, "too-quick")
        try:
            page = page_of(request, inputs)
            submission = read_submission(form, entry, inputs, locale, page, self._workspace)
            came = friend_from(request, inputs, self._cookies.friend(request.scope))
            submission = replace(submission, touch=touch_from(request, inputs), came=came)
        except NotAnswered as wrong:
            faults = {fault.field: words_of(locale)[fault.what] for fault in wrong.faults}
            return self._refused(form, request, locale, inputs, faults, "faults")
        try:
            if self._ingest.submit(submission, Visitor(visitor_address(request.scope))).too_often:
                self._count(form, "too-often")
        except Refused as refusal:  # of a lead that was erased; whoever sent this is not told
            _log.info("form-left", form=form, code=refusal.code)
            self._count(form, "refused")
        except UNAVAILABLE as trouble:
            _log.warning("store-away", path=f"{PATH}{{form}}", error=type(trouble).__name__)
            return self._later(form, request, 30, locale, 503)
        return self._done(form, entry, request, locale)

    def _left(self, form: str, entry: FormEntry, request: Request, locale: str, why: str) -> Response:
        """The answer that everybody gets, for what is not kept: a program learns nothing of how it was known."""
        self._count(form, why)
        return self._done(form, entry, request, locale)

    def _done(self, form: str, entry: FormEntry, request: Request, locale: str) -> Response:
        goes_to = self._showing.says(entry.redirect, locale)
        if wants_json(request):
            return JSONResponse({"message": self._showing.thanks(form, locale), "redirect": goes_to})
        return RedirectResponse(goes_to or f"{form}/thanks?{urlencode({'locale': locale})}", 303)

    def _refused(
        self,
        form: str,
        request: Request,
        locale: str,
        inputs: Inputs,
        faults: Mapping[str, str],
        what: str,
    ) -> Response:
        said = words_of(locale)[what]
        if wants_json(request):
            errors = [FieldError(field, words) for field, words in faults.items()]
            return problem(422, "invalid" if faults else what, said, errors)
        # Who mends a word is as quick as no stranger to the form is: the stamp stays that of the first look.
        stamp = first(inputs, stamps.NAME) if faults else ""
        stamp = stamp or self._stamps().make(form, self._machine())
        return self._html(form, self._showing.page(form, locale, stamp, inputs, faults, said), 422)

    def _later(self, form: str, request: Request, seconds: int, locale: str, status: int = 429) -> Response:
        locale = locale or self._locale(form, request, "")
        said, headers = words_of(locale)["later"], {"Retry-After": str(seconds)}
        if wants_json(request):
            return problem(status, "too-many" if status == 429 else "store-away", said, headers=headers)
        response = self._html(form, self._showing.note(None, locale, None, said), status)
        response.headers.update(headers)
        return response

    def _entry(self, form: str) -> FormEntry:
        entry = self._workspace.forms.get(form)
        if entry is None:
            raise HTTPException(404)
        return entry

    def _locale(self, form: str, request: Request, said: str) -> str:
        """The language that it is read in: as its page says, else the browser's first wish that it speaks."""
        spoken = self._showing.locales(form)
        asked = (said, request.query_params.get("locale", ""))
        for wish in (*(one.strip() for one in asked), *accepted_languages(request)):
            for tag in (wish, wish.split("-")[0]):
                if tag in spoken:
                    return tag
        return spoken[0]

    def _is_allowed(self, entry: FormEntry, request: Request) -> bool:
        """Whether pages of the site that sends may do so. A browser that keeps the site to itself may."""
        origin = request.headers.get("origin")
        if origin is None or origin == "null":
            return True
        return (
            origin in entry.origins
            or origin == self._home
            or urlsplit(origin).netloc == request.headers.get("host")
        )

    def _shared(self, entry: FormEntry, request: Request, response: Response) -> Response:
        """The answer, readable for scripts of the sites that the form is for."""
        response.headers.append("Vary", "Origin")
        origin = request.headers.get("origin")
        if origin in entry.origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    def _html(self, form: str, html: str, status: int = 200) -> Response:
        """A page. It may send to itself, and be led from there to where the form leads (browsers look at both)."""
        leads = sorted({_origin(text) for text in (self._workspace.forms[form].redirect or {}).values()})
        policy = f"{_POLICY} form-action 'self' {' '.join(leads)}".strip()
        headers = {"Content-Security-Policy": policy, "X-Robots-Tag": "noindex, nofollow"}
        return HTMLResponse(html, status, {**headers, "Referrer-Policy": "strict-origin"})

    def _stamps(self) -> Stamps:
        with self._store.read() as connection:
            return Stamps(open_house(connection, self._secret).secret)

    def _count(self, form: str, why: str) -> None:
        with self._store.write() as connection:
            tally(connection, f"form.{form[:40]}.{why}", self._machine())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


__all__ = ["PATH", "build_forms"]
