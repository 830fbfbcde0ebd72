"""Calls the app as a server does, without a client in between that would spend more time than the app."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, unquote_to_bytes

from fastapi import FastAPI

_SAFE = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True)
class Answer:
    """What the app has answered."""

    status_code: int
    content: bytes

    @property
    def text(self) -> str:
        """Whatever it is, readable."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """What the JSON says."""
        return json.loads(self.content)


class Caller:
    """Somebody at this machine who calls the app, one call after the other in one event loop."""

    def __init__(self, app: FastAPI, host: str) -> None:
        self._app, self._host = app, host.encode()
        self._loop = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.close()

    def call(self, method: str, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """One call; what cannot stand in an address is quoted."""
        path, _, query = url.partition("?")
        raw = quote(path, safe=_SAFE)
        named = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote_to_bytes(raw).decode("utf-8", "replace"),
            "raw_path": raw.encode(),
            "query_string": quote(query, safe=_SAFE + "?").encode(),
            "root_path": "",
            "headers": [
                (b"host", self._host),
                (b"content-length", str(len(body)).encode()),
                *named,
            ],
            "client": ("127.0.0.1", 5),
            "server": ("127.0.0.1", 8080),
            "state": {},
        }
        return self._loop.run(self._answer(scope, body))

    async def _answer(self, scope: MutableMapping[str, Any], body: bytes) -> Answer:
        said: list[MutableMapping[str, Any]] = []
        told = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> MutableMapping[str, Any]:
            return next(told, {"type": "http.disconnect"})

        async def send(message: MutableMapping[str, Any]) -> None:
            said.append(message)

        try:
            await self._app(scope, receive, send)
        except Exception:
            if not said:  # what it could not answer, it has answered by 500 before it raises
                raise
        status = next(one["status"] for one in said if one["type"] == "http.response.start")
        return Answer(status, b"".join(one.get("body", b"") for one in said))


__all__ = ["Answer", "Caller"]
