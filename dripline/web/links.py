"""The public pages behind links of messages: to look changes nothing, to send is what counts.

Mail scanners, link previews and prefetching follow every link by GET. So that only asks, and a small script sends the
page's form as soon as a person is looking; where no scripts run, there is the button. Whoever has the link needs no
login.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from typing import Any
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from dripline.clock import MachineClock
from dripline.ingest.deferring import Deferral
from dripline.ingest.preferring import Wish
from dripline.ingest.service import Ingest
from dripline.language.links import AnswerLink, ConfirmLink, LaterLink, PreferencesLink, SurveyLink
from dripline.language.workspace import Workspace
from dripline.links import EXAMPLE, PATH, Claim, Links
from dripline.settings import Settings
from dripline.store.database import UNAVAILABLE, Store
from dripline.store.house import open_house
from dripline.store.schema import messages
from dripline.tracking.machines import machine
from dripline.web.later import chosen, render_later
from dripline.web.link_words import language
from dripline.web.pages.frame import build_templates
from dripline.web.preferences import read_wish, render_preferences
from dripline.web.public import RETRY_AFTER, Reader, link_page, own_page, stranger
from dripline.web.surveys import POLICY as SURVEY_POLICY
from dripline.web.surveys import is_pick, picked, read_said, render_survey

_FILES = {
    "page.css": ("link.css", "text/css"),
    "send.js": ("link.js", "text/javascript"),
    "survey.js": ("survey.js", "text/javascript"),
}
_FROM = select(messages.c.locale, messages.c.sender_name, messages.c.topic)

_log = structlog.get_logger(__name__)


def build_links(
    settings: Settings, store: Store, ingest: Ingest, workspace: Workspace, machine: MachineClock
) -> APIRouter:
    """The router of the public pages."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    pages = _Pages(settings, store, ingest, workspace, machine)
    router.get(f"{PATH}static/{{name}}")(pages.file)
    router.api_route(f"{PATH}{EXAMPLE}/{{rest:path}}", methods=["GET", "HEAD", "POST"])(pages.example)
    router.api_route(f"{PATH}{{token}}", methods=["GET", "HEAD"])(pages.ask)
    router.post(f"{PATH}{{token}}")(pages.do)
    router.api_route(f"{PATH}{{rest:path}}", methods=["GET", "HEAD", "POST"])(pages.lost)
    return router


@dataclass(frozen=True)
class _Letter(Reader):
    """What the page takes over from the message: its language, whom it was from, and whether it had a topic."""

    has_topic: bool = False


class _Pages:
    def __init__(
        self, settings: Settings, store: Store, ingest: Ingest, workspace: Workspace, machine: MachineClock
    ) -> None:
        self._store, self._ingest, self._workspace, self._machine = store, ingest, workspace, machine
        self._secret = settings.secret.get_secret_value() if settings.secret else None
        self._lasts = timedelta(days=settings.link_days)
        self._templates = build_templates()

    def ask(self, token: str, request: Request) -> Response:
        """What the link does, asked. Changes nothing."""
        try:
            claim, letter = self._read(token, request)
        except UNAVAILABLE as trouble:
            return self._later(request, trouble)
        if claim is None:
            return self._page("unknown", letter, 404)
        if self._is_too_old(claim):
            return self._page("outlived", letter, 410)
        if isinstance(claim.link, PreferencesLink):
            return self._preferences(claim, letter, request)
        if isinstance(claim.link, SurveyLink):
            return self._survey(claim, claim.link, letter, request, None)
        if isinstance(claim.link, LaterLink):
            return self._name_a_day(claim, letter, request, None)
        # A scanner with a browser of its own can look like a person: consent and farewells want a hand.
        kind = _kind(claim)
        return self._page(f"ask-{kind}", letter, asks=True, sends_itself=kind == "answer")

    async def do(self, token: str, request: Request) -> Response:
        """What the link does, done: once, however often it is sent. Also RFC 8058's one click."""
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        return await run_in_threadpool(self._do, token, request, form)

    def _do(self, token: str, request: Request, form: dict[str, list[str]]) -> Response:
        everything = form.get("everything") == ["yes"]
        try:
            claim, letter = self._read(token, request)
            if claim is None:
                return self._page("unknown", letter, 404)
            if isinstance(claim.link, PreferencesLink):
                return self._preferences(claim, letter, request, read_wish(form))
            if isinstance(claim.link, SurveyLink) and not self._is_too_old(claim):
                return self._survey(claim, claim.link, letter, request, form)
            if isinstance(claim.link, LaterLink) and not self._is_too_old(claim):
                return self._name_a_day(claim, letter, request, chosen(form))
            if self._is_too_old(claim) or not self._ingest.follow(claim, everything):
                return self._page("outlived", letter, 410)
        except UNAVAILABLE as trouble:
            return self._later(request, trouble)
        kind = _kind(claim)
        if kind == "unsubscribe" and (everything or not letter.has_topic):
            return self._page("did-everything", letter)
        return self._page(f"did-{kind}", letter)

    def _preferences(
        self, claim: Claim, letter: _Letter, request: Request, wish: Wish | None = None
    ) -> Response:
        """The lead's own page, after what was pressed has been done."""
        try:
            found = self._ingest.prefer(claim, wish) if wish else self._ingest.preferences(claim)
        except UNAVAILABLE as trouble:
            return self._later(request, trouble)
        if found is None:
            return self._page("outlived", letter, 410)
        html = render_preferences(
            self._templates,
            self._workspace,
            found,
            letter,
            wish.do if wish else None,
        )
        return own_page(html)

    def _name_a_day(
        self,
        claim: Claim,
        letter: _Letter,
        request: Request,
        choose: Callable[[Deferral], date | None] | None,
    ) -> Response:
        """The page on which the lead names a day, after one that was sent has been kept."""
        try:
            found = self._ingest.defer(claim, choose) if choose else self._ingest.deferral(claim)
        except UNAVAILABLE as trouble:
            return self._later(request, trouble)
        if found is None:
            return self._page("outlived", letter, 410)
        html = render_later(self._templates, found, letter, said=choose is not None)
        return own_page(html)

    def _survey(
        self,
        claim: Claim,
        link: SurveyLink,
        letter: _Letter,
        request: Request,
        form: dict[str, list[str]] | None,
    ) -> Response:
        """What is asked, with the link's answer chosen; with a form, after what it says has been done."""
        try:
            asked, said = self._ingest.asked(claim), None
            if asked is not None and form is not None and is_pick(form):
                headers = {name.lower(): value for name, value in request.headers.items()}
                if machine("click", "GET", headers) is None:
                    self._ingest.pick(claim, picked(asked, form))
                return Response(status_code=204)
            if asked is not None and form is not None:
                said = read_said(asked, form)
                asked = self._ingest.say(claim, said)
        except UNAVAILABLE as trouble:
            return self._later(request, trouble)
        if asked is None:
            return self._page("outlived", letter, 410)
        html = render_survey(self._templates, asked, letter, link.answer, said)
        return own_page(html, SURVEY_POLICY)

    def example(self, rest: str, request: Request) -> Response:
        """What stands for a link where there is no lead."""
        return self._page("example", self._stranger(request), root="../" * (rest.count("/") + 1))

    def lost(self, rest: str, request: Request) -> Response:
        """What no link of ours looks like, such as one that a mail program broke."""
        return self._page("unknown", self._stranger(request), 404, root="../" * rest.count("/"))

    def file(self, name: str) -> Response:
        """The style sheet, and the script that sends the form."""
        if name not in _FILES:
            return Response(status_code=404)
        file, kind = _FILES[name]
        content = resources.files("dripline.web").joinpath("templates", file).read_text("utf-8")
        return Response(content, media_type=kind, headers={"Cache-Control": "public, max-age=3600"})

    def _read(self, token: str, request: Request) -> tuple[Claim | None, _Letter]:
        """What the token says, and of the message that it came in; the message may be gone."""
        with self._store.read() as connection:
            claim = Links(open_house(connection, self._secret).secret).read(token)
            if claim is None:
                return None, self._stranger(request)
            row: Any = connection.execute(_FROM.where(messages.c.id == claim.message)).one_or_none()
        if row is None:
            return claim, self._stranger(request)
        tags = [row.locale, *self._workspace.locales]
        return claim, _Letter(language(tags), row.sender_name, bool(row.topic))

    def _is_too_old(self, claim: Claim) -> bool:
        return claim.made_at is not None and self._machine() - claim.made_at > self._lasts

    def _stranger(self, request: Request) -> _Letter:
        known = stranger(request, self._workspace)
        return _Letter(known.language, known.sender)

    def _later(self, request: Request, trouble: SQLAlchemyError) -> Response:
        _log.warning("store-away", path=f"{PATH}{{token}}", error=type(trouble).__name__)
        response = self._page("later", self._stranger(request), 503)
        response.headers["Retry-After"] = str(RETRY_AFTER)
        return response

    def _page(
        self,
        page: str,
        letter: _Letter,
        status: int = 200,
        *,
        asks: bool = False,
        sends_itself: bool = False,
        root: str = "",
    ) -> Response:
        return link_page(
            self._templates, page, letter, status, root=root, asks=asks, sends_itself=sends_itself
        )


def _kind(claim: Claim) -> str:
    if isinstance(claim.link, AnswerLink):
        return "answer"
    return "confirm" if isinstance(claim.link, ConfirmLink) else "unsubscribe"
