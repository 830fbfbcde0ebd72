"""A loopback sink: one server that behaves like SendGrid's and Twilio's APIs, and misbehaves as it is told.

with Sink(behaviour=Behaviour(script=[throttle(2), accept_and_drop()])) as sink:
    provider = SendGrid(sink.api_key, timeout=1.0, base_url=sink.url)
    ...
    assert [taken.key for taken in sink.accepted] == ["m1"]
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from aiohttp import web

from tests.sink.apis import Apis
from tests.sink.behaviour import (
    NAMED,
    Behaviour,
    Do,
    accept,
    accept_and_drop,
    drop,
    fail,
    garble,
    refuse,
    slow,
    throttle,
    trickle,
)
from tests.sink.setup import Setup
from tests.sink.signing import Signer
from tests.sink.taken import Book, Posted, Taken
from tests.sink.webhooks import Called, Caller, Webhooks

_T = TypeVar("_T")

ACCOUNT_SID = "AC" + "5" * 32


class Sink:
    """The server, on a thread of its own. `behaviour` and `webhooks` may be swapped at any time."""

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        webhooks: Webhooks | None = None,
        *,
        port: int = 0,
        api_key: str = "SG.sink",
        account_sid: str = ACCOUNT_SID,
        auth_token: str = "twilio-token-of-the-sink",
    ) -> None:
        self.api_key, self.account_sid, self.auth_token = api_key, account_sid, auth_token
        self.signer = Signer(auth_token)
        self._book = Book()
        self._caller = Caller(self.signer, account_sid, webhooks or Webhooks())
        self._apis = Apis(
            self._book, self._caller, behaviour or Behaviour(), api_key, account_sid, auth_token
        )
        self._port = port
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    # What a test asks.

    @property
    def url(self) -> str:
        """The base address of both APIs."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def sendgrid_webhook_key(self) -> str:
        """The public key of SendGrid's event webhook, as its pages show it."""
        return self.signer.sendgrid_key

    @property
    def accepted(self) -> list[Taken]:
        """Every message taken so far, in order."""
        return self._book.taken()

    @property
    def asked(self) -> list[Posted]:
        """Every well-formed request to send so far, in order, taken or not."""
        return self._book.asked()

    def doubled(self) -> dict[str, int]:
        """How often each key was taken that was taken more than once."""
        return self._book.doubled()

    @property
    def called(self) -> list[Called]:
        """Every webhook call that ended."""
        return self._caller.called()

    @property
    def behaviour(self) -> Behaviour:
        return self._apis.behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self._apis.behaviour = behaviour

    @property
    def setup(self) -> Setup:
        """How the accounts are set up; to be changed in place."""
        return self._apis.setup

    @property
    def webhooks(self) -> Webhooks:
        return self._caller.settings

    @webhooks.setter
    def webhooks(self, webhooks: Webhooks) -> None:
        self._caller.settings = webhooks

    def settle(self, timeout: float = 30.0) -> None:
        """Wait until every webhook has been delivered or given up."""
        deadline = time.monotonic() + timeout
        while self._caller.under_way():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._caller.under_way()} webhooks are still under way")
            time.sleep(0.02)

    def report(self, taken: Taken, what: str, **more: Any) -> Called:
        """Call one more piece of news back now, say an `open` or a `bounce`, with more fields, and wait for it."""
        how = self.webhooks
        url = how.sendgrid_url if taken.posted.provider == "sendgrid" else taken.posted.callback
        if not url:
            raise ValueError("no address to call back")
        return self._on_loop(self._caller.call(taken, url, what, more, how))

    def reset(self) -> None:
        """Forget all messages and calls; calls under way are given up. The behaviour stays as it is."""
        self._loop.call_soon_threadsafe(self._caller.stop_calling)
        self._book.clear()
        self._caller.clear()

    # The server.

    def start(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="sink", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        self._on_loop(self._tear_down())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def close_listener(self) -> None:
        """Refuse connections, as a provider that is down does, until `reopen`."""
        self._on_loop(self._close())

    def reopen(self) -> None:
        """Listen again, on the same port."""
        self._on_loop(self._listen())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _on_loop(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run(self) -> None:
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._set_up())
        except BaseException as failure:  # raised by `start`, in the thread that waits
            self._failure = failure
            return
        finally:
            self._ready.set()
        self._loop.run_forever()
        self._loop.close()

    async def _set_up(self) -> None:
        self._runner = web.AppRunner(self._apis.application(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await self._listen()

    async def _listen(self) -> None:
        assert self._runner.server is not None
        self._listener = await self._loop.create_server(
            self._runner.server, "127.0.0.1", self._port, reuse_address=True, backlog=512
        )
        self._port = self._listener.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._listener.close()

    async def _tear_down(self) -> None:
        self._listener.close()
        await self._caller.close()
        await self._runner.cleanup()
        slow = asyncio.all_tasks() - {asyncio.current_task()}
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


__all__ = [
    "NAMED",
    "Behaviour",
    "Called",
    "Do",
    "Posted",
    "Signer",
    "Sink",
    "Taken",
    "Webhooks",
    "accept",
    "accept_and_drop",
    "drop",
    "fail",
    "garble",
    "refuse",
    "slow",
    "throttle",
    "trickle",
]
