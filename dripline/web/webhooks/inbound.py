"""What leads write back, as the two providers bring it: verified, put into our words, kept.

200: kept, or nothing was to keep. 400: from the provider, and yet unreadable. 403: not from the provider. 404: not
set up. 503: the store is away, so the provider tries again.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from dripline.clock import MachineClock
from dripline.ingest.inbound import Came, Intent, Taken, intent_of, language_of, twilio_answers
from dripline.language.workspace import Workspace
from dripline.replies import ReplyAddresses
from dripline.settings import Settings
from dripline.store.database import UNAVAILABLE
from dripline.web.described import documented
from dripline.web.link_words import language
from dripline.web.problems import problem
from dripline.web.webhooks import parse, sendgrid, twilio
from dripline.web.webhooks.signed import Noted, away, refuse, twilio_form
from dripline.web.webhooks.sms_words import WORDS, twiml

TakeIn = Callable[[Came], Taken]
"""Keeps a message and does what it says; returns when that is done."""
Secret = Callable[[], str]
"""The house's secret."""

_OPT_OUTS: dict[str, Intent] = {"STOP": "stop", "START": "start", "HELP": "help"}
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SID = re.compile(r"[A-Za-z0-9]{2,64}")


def add_inbound(
    router: APIRouter,
    settings: Settings,
    workspace: Workspace,
    take: TakeIn,
    secret: Secret,
    notes: Noted,
    clock: MachineClock,
) -> None:
    """Add `POST /webhooks/twilio/inbound` and `POST /webhooks/sendgrid/inbound`."""
    desk = _Desk(settings, workspace, take, secret, notes, clock)
    problems = documented(400, 403, 404, 413)

    @router.post(
        "/twilio/inbound",
        responses={200: {"content": {"text/xml": {}}}, **problems},
        response_description="It is kept; what is sent back at once, as TwiML",
        summary="Twilio's incoming messages",
        response_class=Response,
    )
    async def from_twilio(request: Request) -> Response:
        return await run_in_threadpool(desk.sms, request, await request.body())

    @router.post(
        "/sendgrid/inbound",
        responses=problems,
        response_description="It is kept",
        summary="SendGrid's Inbound Parse",
        response_class=Response,
    )
    async def from_sendgrid(request: Request) -> Response:
        return await run_in_threadpool(desk.mail, request, await request.body(), None)

    @router.post(
        "/sendgrid/inbound/{token}",
        responses=problems,
        response_description="It is kept",
        summary="SendGrid's Inbound Parse, by an address that nobody else knows",
        response_class=Response,
    )
    async def from_sendgrid_by_token(
        request: Request, token: Annotated[str, Path(min_length=1, max_length=256)]
    ) -> Response:
        return await run_in_threadpool(desk.mail, request, await request.body(), token)


class _Desk:
    def __init__(
        self,
        settings: Settings,
        workspace: Workspace,
        take: TakeIn,
        secret: Secret,
        notes: Noted,
        clock: MachineClock,
    ) -> None:
        self._settings, self._workspace, self._take = settings, workspace, take
        self._secret, self._notes, self._clock = secret, notes, clock

    def sms(self, request: Request, body: bytes) -> Response:
        form = twilio_form(self._settings, self._notes, request, body)
        if isinstance(form, Response):
            return form
        came = _sms(form)
        if came is None:  # from a short code, or by another way than SMS: nobody whom we could know
            return _xml(None)
        try:
            taken = self._take(came)
        except UNAVAILABLE:
            return away("twilio")
        answered = form.get("OptOutType") in _OPT_OUTS
        return _xml(None if answered or not taken.new else self._answer(came, taken))

    def mail(self, request: Request, body: bytes, token: str | None) -> Response:
        key, secret = self._settings.sendgrid_inbound_key, self._settings.sendgrid_inbound_token
        if (key is None and token is None) or (secret is None and token is not None):
            return problem(404, "not-set-up", "SendGrid's Inbound Parse is not set up here.")
        if key is not None:
            signature, at = request.headers.get(sendgrid.SIGNATURE), request.headers.get(sendgrid.TIMESTAMP)
            fault = sendgrid.fault(key, signature, at, body, self._clock())
            if fault is not None:
                return refuse(self._notes, "sendgrid", fault)
        if token is not None and secret is not None and not _same(token, secret.get_secret_value()):
            return refuse(self._notes, "sendgrid", "bad-signature")
        try:
            parsed = parse.parse(request.headers.get("content-type", ""), body)
        except parse.Unreadable:
            return problem(400, "malformed", "The body is not a form with an e-mail.")
        try:
            domain = self._settings.reply_domain
            came = parse.translate(parsed, ReplyAddresses(self._secret(), domain) if domain else None)
            if came is not None:
                self._take(came)
        except UNAVAILABLE:
            return away("sendgrid")
        return Response(status_code=200)

    def _answer(self, came: Came, taken: Taken) -> str | None:
        """What we answer: nothing to what Twilio answers by itself."""
        if taken.intent not in ("stop", "start", "help") or twilio_answers(came.text):
            return None
        sender = self._workspace.senders.get("sms")
        name = (sender.name or sender.address) if sender else self._settings.public_url
        spoken = language([language_of(came.text), taken.locale, *self._workspace.locales])
        return WORDS[spoken][taken.intent].format(sender=name)


def _sms(form: twilio.Form) -> Came | None:
    sid = form.get("MessageSid", "")
    if not _SID.fullmatch(sid):
        return None
    sender = form.get("From", "")
    if not _NUMBER.fullmatch(sender):
        return None
    text = form.get("Body", "").replace("\x00", "")
    intent = _OPT_OUTS.get(form.get("OptOutType", "")) or intent_of(text) or "reply"
    return Came(sid, "sms", sender, text, intent, recipient=form.get("To") or None)


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())


def _xml(text: str | None) -> Response:
    return Response(twiml(text), media_type="text/xml")
