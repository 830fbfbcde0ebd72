"""The sink's routes: the two providers' own, and a few of the sink's for when it is a process of its own."""

from __future__ import annotations

import asyncio

from aiohttp import encode_basic_auth as encode
from aiohttp import web

from tests.sink import sendgrid, setup, twilio
from tests.sink.behaviour import NAMED, Behaviour, Do
from tests.sink.taken import Book, Posted, Taken
from tests.sink.webhooks import Caller


class Apis:
    """Both APIs, doing with each request what `behaviour` says."""

    def __init__(
        self, book: Book, caller: Caller, behaviour: Behaviour, api_key: str, account_sid: str, token: str
    ) -> None:
        self.behaviour = behaviour
        self.setup = setup.Setup()
        self._book, self._caller = book, caller
        self._api_key, self._account_sid, self._token = api_key, account_sid, token

    def application(self) -> web.Application:
        app = web.Application(client_max_size=32 * 1024 * 1024)
        messages = "/2010-04-01/Accounts/{account}/Messages.json"
        app.router.add_post("/v3/mail/send", self._mail_send)
        app.router.add_post(messages, self._create_message)
        app.router.add_get(messages, self._list_messages)
        for path in setup.SENDGRID:
            app.router.add_get(path, self._tell_sendgrid)
        app.router.add_get("/2010-04-01/Accounts/{account}.json", self._tell_twilio)
        app.router.add_get("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json", self._tell_twilio)
        app.router.add_get("/_sink/accepted", self._show_accepted)
        app.router.add_post("/_sink/reset", self._do_reset)
        app.router.add_post("/_sink/behaviour", self._set_behaviour)
        return app

    async def _tell_sendgrid(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {self._api_key}":
            return web.json_response({"errors": [{"message": "authorization required"}]}, status=401)
        said = self.setup.sendgrid.get(request.path)
        return web.json_response(said if said is not None else {}, status=403 if said is None else 200)

    async def _tell_twilio(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != encode(self._account_sid, self._token):
            return web.json_response({"code": 20003}, status=401)
        if request.path.endswith("IncomingPhoneNumbers.json"):
            wanted = request.query.get("PhoneNumber")
            rows = [one for one in self.setup.numbers if wanted in (None, one["phone_number"])]
            return web.json_response({"incoming_phone_numbers": rows})
        return web.json_response(self.setup.account)

    async def _mail_send(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            posted = self._book.ask(sendgrid.read(request, body, self._api_key))
        except sendgrid.Refused as refused:
            return refused.answer
        do = self.behaviour.decide(posted)
        taken = await self._consider(do, posted)
        if do.status == 0 and taken is not None:
            return await _speak(request, do, sendgrid.success(taken))
        return await _speak(request, do, None if do.status is None else sendgrid.answer(do))

    async def _create_message(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            posted = self._book.ask(twilio.read(request, body, self._account_sid, self._token))
        except sendgrid.Refused as refused:
            return refused.answer
        do = self.behaviour.decide(posted)
        taken = await self._consider(do, posted)
        if do.status == 0 and taken is not None:
            return await _speak(request, do, twilio.success(taken, self._account_sid))
        return await _speak(request, do, None if do.status is None else twilio.answer(do))

    async def _list_messages(self, request: web.Request) -> web.StreamResponse:
        try:
            twilio.check_account(request, self._account_sid, self._token)
        except sendgrid.Refused as refused:
            return refused.answer
        return twilio.page(request, self._book.taken(), self._account_sid)

    async def _consider(self, do: Do, posted: Posted) -> Taken | None:
        if do.wait:
            await asyncio.sleep(do.wait)
        if not do.take:
            return None
        taken = self._book.take(posted)
        self._caller.tell(taken)
        return taken

    # For a sink in a process of its own.

    async def _show_accepted(self, _: web.Request) -> web.Response:
        shown = [
            {**taken.posted.__dict__, "id": taken.id, "at": taken.at.isoformat()}
            for taken in self._book.taken()
        ]
        return web.json_response(shown)

    async def _do_reset(self, _: web.Request) -> web.Response:
        self._caller.stop_calling()
        self._book.clear()
        self._caller.clear()
        return web.Response(status=204)

    async def _set_behaviour(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        mix = [(float(share), NAMED[name]) for name, share in wanted.get("mix", {}).items()]
        self.behaviour = Behaviour(mix=mix, seed=int(wanted.get("seed", 0)))
        return web.Response(status=204)


async def _speak(request: web.Request, do: Do, answer: web.Response | None) -> web.StreamResponse:
    if answer is None:
        if request.transport is not None:
            request.transport.close()
        return web.Response()
    if do.body is not None:
        answer.body = do.body
    answer.headers.extend(do.headers)
    if not do.drip:
        return answer
    dripping = web.StreamResponse(status=answer.status, headers=answer.headers)
    await dripping.prepare(request)
    for position in range(len(do.body or b"")):
        await asyncio.sleep(do.drip)
        await dripping.write((do.body or b"")[position : position + 1])
    return dripping
