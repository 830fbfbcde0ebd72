"""Bodies as the libraries send them: JSON by whatever name, perhaps packed."""

from __future__ import annotations

import zlib
from itertools import count
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from dripline.web.problems import UnreadableBody
from dripline.web.segment.addresses import MAX_TRACKED
from dripline.web.strict_json import parse_json

_KINDS = (
    "",
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
)
"""`text/plain` is what sendBeacon says, the form's kind what curl says of JSON."""
_MOST_PARTS = 100
"""Packed pieces that a body may be made of: what follows is copied for each, so many empty ones take minutes."""
_GZIP = 31
"""zlib's number for gzip with its header and check."""


async def read_body(request: Request) -> Any:
    """The JSON of a body, not yet looked into. Raises UnreadableBody."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _KINDS and not kind.endswith("+json"):
        raise UnreadableBody(415, "The body must be JSON: send Content-Type: application/json.")
    packing = request.headers.get("content-encoding", "").strip().lower()
    if packing not in ("", "identity", "gzip", "x-gzip"):
        raise UnreadableBody(415, "The body may be packed by gzip, and in no other way.")
    body = await request.body()
    return await run_in_threadpool(_read, body, packing in ("gzip", "x-gzip"))


def _read(body: bytes, is_packed: bool) -> Any:
    return parse_json(_unpacked(body) if is_packed else body)


def _unpacked(body: bytes) -> bytes:
    """What gzip packed, and never more than may be, however small it came."""
    unpacked = bytearray()
    rest = body
    for part in count():
        if not rest:
            break
        if part == _MOST_PARTS:
            raise UnreadableBody(413, f"The body may be packed in {_MOST_PARTS} pieces.")
        unpacking = zlib.decompressobj(_GZIP)
        try:
            unpacked += unpacking.decompress(rest, MAX_TRACKED + 1 - len(unpacked))
        except zlib.error:
            raise UnreadableBody(400, "The body is not what gzip makes.") from None
        if len(unpacked) > MAX_TRACKED:
            raise UnreadableBody(413, f"The body may have {MAX_TRACKED:,} bytes when it is unpacked.")
        if not unpacking.eof:
            raise UnreadableBody(400, "The packed body ends too early.")
        rest = unpacking.unused_data.lstrip(b"\0")
    return bytes(unpacked)
