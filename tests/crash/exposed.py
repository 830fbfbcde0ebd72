"""What a server or a log tells of people: everything on Temporal made readable, and a grep for the leads in it."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict
from temporalio.client import Client

from tests.crash.guests import Guest


@dataclass(frozen=True)
class OnTemporal:
    events: int
    text: str


def everything_on_temporal(address: str) -> dict[tuple[str, str], OnTemporal]:
    """All that the server tells of every workflow execution, readable, by workflow id and run id."""

    async def read() -> dict[tuple[str, str], OnTemporal]:
        client = await Client.connect(address)
        listed = [one async for one in client.list_workflows()]
        handles = [client.get_workflow_handle(one.id, run_id=one.run_id) for one in listed]
        histories = await asyncio.gather(*(handle.fetch_history() for handle in handles))
        described = await asyncio.gather(*(handle.describe() for handle in handles))
        found = {}
        for one, history, more in zip(listed, histories, described, strict=True):
            told = [
                *map(MessageToDict, history.events),
                MessageToDict(one.raw_info),
                MessageToDict(more.raw_description),
            ]
            found[one.id, one.run_id] = OnTemporal(len(history.events), readable(told))
        return found

    return asyncio.run(read())


def readable(told: Any) -> str:
    """Every text in it, and what those say that are base64, JSON in them with its escapes undone."""
    if isinstance(told, dict):
        return "\n".join(f"{name}\n{readable(value)}" for name, value in told.items())
    if isinstance(told, list):
        return "\n".join(map(readable, told))
    if not isinstance(told, str):
        return str(told)
    try:
        decoded = base64.b64decode(told, validate=True).decode()
    except ValueError:
        return told
    try:
        return f"{told}\n{decoded}\n{_texts(json.loads(decoded))}"
    except ValueError:
        return f"{told}\n{decoded}"


def _texts(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def personal_data_in(text: str, everyone: list[Guest], written: Iterable[str]) -> list[str]:
    """What of the leads, and of what was written to them, stands in the text; names as whole words."""
    known = {one for guest in everyone for one in (*guest.personal(), guest.greeting())} | {*written}
    text = text.casefold()
    present = [one for one in sorted(known) if one.casefold() in text]
    return [one for one in present if re.search(rf"(?<!\w){re.escape(one.casefold())}(?!\w)", text)]


def addresses_in(content: bytes, everyone: list[Guest]) -> set[bytes]:
    """The ends of what looks like a lead's address, and the leads' numbers, with + or without."""
    numbers = {guest.phone[1:].encode() for guest in everyone if guest.phone}
    found = set(re.findall(rb"(?:@|%40)example\.(?:com|org|net)", content.lower()))
    return found | {number for number in re.findall(rb"\d{11,}", content) if number in numbers}
