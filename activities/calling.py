"""Calls to other systems over the web: one try, bounded in time and size, never to where it must not go."""

from __future__ import annotations

import ipaddress
import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook

from activities.storable import storable
from dripline import __version__

MAX_ANSWER = 256 * 1024
"""Bytes of an answer that are read; a longer one is cut off there, and then it is no JSON."""

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which a call is tried again."""

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as texts. Raises OSError."""


class TryAgain(Exception):
    """Not answered, or not now. `code` is stable and says nothing of the data; `after` is in seconds."""

    def __init__(self, code: str, status: int | None = None, after: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.after = after


class Refused(Exception):
    """A call that may not or cannot be made, however often it is tried."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host by the system's own means."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


class Caller:
    """Makes calls. `allow_private` says which hosts may have addresses that are not of the public Internet.

    `signing_secret` may be several, the newest first: each signs, so that who is called may change to the new one.
    """

    def __init__(
        self,
        timeout: float = 10.0,
        allow_private: bool | Sequence[str] = False,
        secrets: Mapping[str, str] | None = None,
        signing_secret: str | None = None,
        lookup: Resolve = resolve,
    ) -> None:
        self._timeout = timeout
        self._allow_private = allow_private
        self._secrets = secrets or {}
        self._signers = [Webhook(secret) for secret in (signing_secret or "").replace(",", " ").split()]
        self._resolve = lookup
        # Neither proxies nor logins from the environment: the address that was looked at is the one that is called.
        self._client = httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False)

    def call(self, key: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one call: `ok`, `status`, `json` or `text`. Raises TryAgain or Refused."""
        url, pinned, host = self._pinned(request["url"])
        content, kind = _content(request["body"])
        headers = httpx.Headers({"User-Agent": f"dripline/{__version__}", "Accept": "application/json"})
        if kind:
            headers["Content-Type"] = kind
        headers.update({name: self._header(pieces) for name, pieces in request["headers"].items()})
        headers["Host"] = url.netloc.decode("ascii")
        headers["Idempotency-Key"] = key
        if self._signers:
            headers.update(self._signed(key, content))
        outgoing = self._client.build_request(
            request["method"],
            pinned,
            content=content or None,
            headers=headers,
            extensions={"sni_hostname": host},
        )
        return self._sent(outgoing)

    def _pinned(self, text: str) -> tuple[httpx.URL, httpx.URL, str]:
        """The URL, the same with the address that it was found to have, and its host."""
        try:
            url = httpx.URL(text.strip())
            host, port = url.host, url.port or (443 if url.scheme == "https" else 80)
        except (httpx.InvalidURL, ValueError):
            raise Refused("bad-url") from None
        if url.scheme not in ("http", "https") or not host or url.userinfo:
            raise Refused("bad-url")
        try:
            addresses = self._resolve(url.raw_host.decode("ascii"), port)
        except (OSError, UnicodeError):
            raise TryAgain("unknown-host") from None
        if not addresses:
            raise TryAgain("unknown-host")
        if not self._may_be_private(host) and not all(map(is_public, addresses)):
            raise Refused("private-address")
        return url, url.copy_with(host=addresses[0]), url.raw_host.decode("ascii")

    def _may_be_private(self, host: str) -> bool:
        allowed = self._allow_private
        return allowed if isinstance(allowed, bool) else host.lower() in {one.lower() for one in allowed}

    def _header(self, pieces: Sequence[Sequence[str]]) -> str:
        text = ""
        for kind, piece in pieces:
            if kind == "secret" and piece not in self._secrets:
                raise Refused(f"no-secret: {piece}")
            text += self._secrets[piece] if kind == "secret" else piece
        if not text.isprintable():
            raise Refused("bad-header")
        try:
            text.encode("latin-1")
        except UnicodeEncodeError:
            raise Refused("bad-header") from None
        return text

    def _signed(self, key: str, content: bytes) -> dict[str, str]:
        """The three headers of Standard Webhooks (standardwebhooks.com)."""
        now = datetime.now(UTC)
        text = content.decode("utf-8")
        return {
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signer.sign(key, now, text) for signer in self._signers),
        }

    def _sent(self, outgoing: httpx.Request) -> dict[str, Any]:
        give_up = time.monotonic() + 2 * self._timeout
        body = b""
        try:
            response = self._client.send(outgoing, stream=True)
            try:
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > MAX_ANSWER:
                        break
                    if time.monotonic() > give_up:
                        raise TryAgain("timeout")
            finally:
                response.close()
        except httpx.TimeoutException:
            raise TryAgain("timeout") from None
        except (httpx.HTTPError, httpx.StreamError):
            raise TryAgain("no-connection") from None
        if response.status_code in AGAIN:
            after = _retry_after(response.headers.get("Retry-After"))
            raise TryAgain(f"status-{response.status_code}", response.status_code, after)
        return _answer(response, body)


def is_public(address: str) -> bool:
    """Whether an address is of the public Internet, whatever it is wrapped in."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
        inner = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
        if any(one is not None and not is_public(str(one)) for one in inner):
            return False
        if found.ipv4_mapped is None and (found not in _UNICAST or found in _FOR_DOCUMENTS):
            return False
    return found.is_global and not found.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network(
    "2000::/3"
)  # all that the Internet has of IPv6; Python knows less of the rest
_FOR_DOCUMENTS = ipaddress.IPv6Network("3fff::/20")


def _content(body: Any) -> tuple[bytes, str | None]:
    if body is None:
        return b"", None
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=utf-8"
    return json.dumps(body, ensure_ascii=False).encode(), "application/json"


def _answer(response: httpx.Response, body: bytes) -> dict[str, Any]:
    said: dict[str, Any] = {"ok": response.is_success, "status": response.status_code, "skipped": False}
    whole = len(body) <= MAX_ANSWER
    if not response.is_success:
        said["reason"] = f"status-{response.status_code}"
    try:
        if whole and body:
            said["json"] = storable(json.loads(body))
    except (ValueError, RecursionError):
        pass
    if "json" not in said:
        said["text"] = storable(body[:MAX_ANSWER].decode("utf-8", "replace"))
    return said


def _retry_after(value: str | None) -> float | None:
    return float(value) if value and value.isascii() and value.isdigit() and len(value) < 6 else None
