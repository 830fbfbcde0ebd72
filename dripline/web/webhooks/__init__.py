"""What providers tell us of our messages, once it is certain that they are the ones who tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from dripline.clock import MachineClock, machine_clock
from dripline.providers import DeliveryReport
from dripline.settings import Settings
from dripline.store.database import UNAVAILABLE
from dripline.web.described import documented
from dripline.web.problems import problem
from dripline.web.webhooks import sendgrid, twilio
from dripline.web.webhooks.inbound import add_inbound
from dripline.web.webhooks.signed import Noted, away, refuse, twilio_form

Record = Callable[[DeliveryReport], None]
"""Writes a report down, and returns when it is kept. No message for the key is no error."""


def build_router(
    settings: Settings, record: Record, notes: Noted, clock: MachineClock = machine_clock
) -> APIRouter:
    """`POST /webhooks/sendgrid` and `POST /webhooks/twilio`.

    204: every report is kept, or nothing was to keep. 400: signed and yet unreadable. 403: not signed by the
    provider, too old, or somebody's copy. 404: this provider is not set up. 503: the store is away, so the provider
    tries again.
    """
    router = APIRouter(prefix="/webhooks", tags=["webhooks"])
    desk = _Desk(settings, record, notes, clock)

    problems = documented(400, 403, 404, 413)

    @router.post(
        "/sendgrid",
        status_code=204,
        response_description="Every report is kept",
        responses=problems,
        summary="SendGrid's event webhook",
        response_class=Response,
    )
    async def from_sendgrid(request: Request) -> Response:
        # Verifying costs CPU and recording waits for the disk: both on a thread of their own.
        return await run_in_threadpool(desk.sendgrid, request.headers, await request.body())

    @router.post(
        "/twilio",
        status_code=204,
        response_description="Every report is kept",
        responses=problems,
        summary="Twilio's status callback",
        response_class=Response,
    )
    async def from_twilio(request: Request) -> Response:
        return await run_in_threadpool(desk.twilio, request, await request.body())

    return router


class _Desk:
    """Receives the two webhooks, on any thread."""

    def __init__(self, settings: Settings, record: Record, notes: Noted, clock: MachineClock) -> None:
        self._settings, self._record, self._notes, self._clock = settings, record, notes, clock

    def sendgrid(self, headers: Mapping[str, str], body: bytes) -> Response:
        key = self._settings.sendgrid_webhook_key
        if not key:
            return problem(404, "not-set-up", "SendGrid's webhook is not set up here.")
        now = self._clock()
        signature, timestamp = headers.get(sendgrid.SIGNATURE), headers.get(sendgrid.TIMESTAMP)
        fault = sendgrid.fault(key, signature, timestamp, body, now)
        if fault is not None:
            return refuse(self._notes, "sendgrid", fault)
        request = sendgrid.request_of(timestamp or "", body)
        try:
            if self._notes.is_copy("sendgrid", request):
                return refuse(self._notes, "sendgrid", "replayed")
        except UNAVAILABLE:
            return away("sendgrid")
        try:
            reports = sendgrid.translate(body, now)
        except sendgrid.Unreadable:
            return problem(400, "malformed", "The body is not a list of events.")
        return self._keep("sendgrid", request, reports)

    def twilio(self, request: Request, body: bytes) -> Response:
        form = twilio_form(self._settings, self._notes, request, body)
        if isinstance(form, Response):
            return form
        signature = request.headers[twilio.SIGNATURE]
        try:
            if self._notes.is_copy("twilio", signature):
                self._notes.count("twilio", "repeated")
                return Response(status_code=204)
        except UNAVAILABLE:
            return away("twilio")
        reports = twilio.translate(request.query_params, form, self._clock())
        return self._keep("twilio", signature, reports)

    def _keep(self, provider: str, request: str, reports: list[DeliveryReport]) -> Response:
        """Keep what was told, and only then that it was: what fails half-way is told again, and that must count."""
        try:
            for report in reports:
                self._record(report)
            self._notes.took(provider, request)
        except UNAVAILABLE:
            return away(provider)
        return Response(status_code=204)


__all__ = ["Record", "add_inbound", "build_router"]
