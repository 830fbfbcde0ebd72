"""The sink's own calls: signed delivery webhooks, prompt or late, once or twice, in any order or not at all."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.sink.signing import Signer
from tests.sink.taken import Taken


@dataclass(frozen=True)
class Webhooks:
    """What the sink calls back, and how. May be swapped while the sink runs."""

    on: bool = True
    sendgrid_url: str | None = None
    """Where SendGrid's events go, as set up in an account; None: nowhere. Twilio's go to each message's callback."""
    sendgrid_events: Sequence[str] = ("processed", "delivered")
    twilio_statuses: Sequence[str] = ("sent", "delivered")
    delay: tuple[float, float] = (0.0, 0.2)
    """Seconds before each call, drawn evenly."""
    doubled: bool = False
    shuffled: bool = False
    retry_every: float = 1.0
    tries: int = 60
    """A call is tried again until it is answered by 2xx, this often at most (SendGrid: for 24 hours)."""
    seed: int = 0


@dataclass(frozen=True)
class Called:
    """A call that ended: the last status (None: nobody answered) after so many tries."""

    provider: str
    key: str
    what: str
    status: int | None
    tries: int


class Caller:
    """Makes the calls on the sink's event loop."""

    def __init__(self, signer: Signer, account_sid: str, settings: Webhooks) -> None:
        self.settings = settings
        self._signer, self._account_sid = signer, account_sid
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(16)
        self._lock = threading.Lock()
        self._called: list[Called] = []
        self._under_way = 0

    def called(self) -> list[Called]:
        with self._lock:
            return list(self._called)

    def under_way(self) -> int:
        with self._lock:
            return self._under_way

    def clear(self) -> None:
        with self._lock:
            self._called.clear()

    def stop_calling(self) -> None:
        """Give up every call under way. On the loop's thread only."""
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        self.stop_calling()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def tell(self, taken: Taken) -> None:
        """Call back all that becomes of a message. On the loop's thread only."""
        how = self.settings
        sendgrid = taken.posted.provider == "sendgrid"
        url = how.sendgrid_url if sendgrid else taken.posted.callback
        if not how.on or not url:
            return
        news = list(how.sendgrid_events if sendgrid else how.twilio_statuses) * (2 if how.doubled else 1)
        chance = random.Random(f"{how.seed} {taken.key}")
        if how.shuffled:
            chance.shuffle(news)
            for what in news:
                self._spawn(self._one_after_another(taken, url, [what], how, chance.uniform(*how.delay)))
        else:
            self._spawn(self._one_after_another(taken, url, news, how, chance.uniform(*how.delay)))

    def _spawn(self, calls: Any) -> None:
        with self._lock:
            self._under_way += 1
        task = asyncio.get_running_loop().create_task(calls)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        with self._lock:
            self._under_way -= 1

    async def _one_after_another(
        self, taken: Taken, url: str, news: Sequence[str], how: Webhooks, delay: float
    ) -> None:
        for what in news:
            await asyncio.sleep(delay)
            await self.call(taken, url, what, {}, how)

    async def call(self, taken: Taken, url: str, what: str, more: dict[str, Any], how: Webhooks) -> Called:
        """One piece of news, tried until it is heard."""
        status, tries = None, 0
        for tries in range(1, max(how.tries, 1) + 1):
            status = await self._post(taken, url, what, more)
            if status is not None and 200 <= status < 300:
                break
            if tries < how.tries:
                await asyncio.sleep(how.retry_every)
        called = Called(taken.posted.provider, taken.key, what, status, tries)
        with self._lock:
            self._called.append(called)
        return called

    async def _post(self, taken: Taken, url: str, what: str, more: dict[str, Any]) -> int | None:
        if self._session is None:
            # Connections are not kept: the web process is killed and restarted under them.
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        if taken.posted.provider == "sendgrid":
            body, headers = self._sendgrid(taken, what, more)
        else:
            body, headers = self._twilio(taken, url, what, more)
        try:
            async with (
                self._slots,
                self._session.post(
                    url, data=body, headers=headers, timeout=aiohttp.ClientTimeout(total=10)
                ) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None

    def _sendgrid(self, taken: Taken, what: str, more: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        event = {
            "email": taken.to,
            "timestamp": int(time.time()),
            "event": what,
            "sg_event_id": uuid.uuid4().hex,
            "sg_message_id": f"{taken.id}.recvd-5f54b5d587-pczjm-1-67BADEEA-6.0",
            "dripline_key": taken.key,
            **more,
        }
        body = json.dumps([event]).encode()
        return body, self._signer.sendgrid(body)

    def _twilio(
        self, taken: Taken, url: str, what: str, more: dict[str, Any]
    ) -> tuple[bytes, dict[str, str]]:
        form = {
            "AccountSid": self._account_sid,
            "ApiVersion": "2010-04-01",
            "From": taken.posted.sender,
            "MessageSid": taken.id,
            "MessageStatus": what,
            "SmsSid": taken.id,
            "SmsStatus": what,
            "To": taken.to,
            **more,
        }
        content = {"Content-Type": "application/x-www-form-urlencoded"}
        return urlencode(form).encode(), content | self._signer.twilio(url, form)
