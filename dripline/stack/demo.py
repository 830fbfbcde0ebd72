"""A few leads to look at, created over HTTP as any other system would."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import structlog
from pydantic import SecretStr

log = structlog.get_logger("dripline.demo")

LEADS: list[dict[str, Any]] = [
    {
        "external_id": "demo-1",
        "email": "ani@example.com",
        "phone": "+37491123456",
        "locale": "hy-AM",
        "timezone": "Asia/Yerevan",
        "country": "AM",
        "consent": {"email": True, "sms": True},
        "attributes": {"first_name": "Անի"},
    },
    {
        "external_id": "demo-2",
        "email": "dmitri@example.com",
        "phone": "+79161234567",
        "locale": "ru-RU",
        "timezone": "Europe/Moscow",
        "country": "RU",
        "consent": {"email": True, "sms": False},
        "attributes": {"first_name": "Дмитрий"},
    },
    {
        "external_id": "demo-3",
        "email": "grace@example.com",
        "phone": "+12025550123",
        "locale": "en-US",
        "timezone": "America/New_York",
        "country": "US",
        "consent": {"email": True, "sms": True},
        "attributes": {"first_name": "Grace"},
    },
]
BOOKING: dict[str, Any] = {
    "id": "demo-booking-1",
    "name": "demo.booked",
    "lead": {"external_id": "demo-1"},
    "properties": {"seats": 8, "starts_at": "2027-03-01T10:00:00+04:00"},
}
BOOKED_AFTER = 3
"""Days of journey time: while the welcome journey waits for a booking."""


async def create(url: str, api_key: SecretStr | None, day: timedelta | None) -> None:
    """Post the demo's leads, and later a booking. What is there already stays; a refusal is told, not raised."""
    headers = {"Authorization": f"Bearer {api_key.get_secret_value()}"} if api_key else {}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        try:
            for lead in LEADS:
                (await client.put("/v1/leads", json=lead)).raise_for_status()
            log.info("created the demo's leads", leads=len(LEADS))
            if day is not None:
                await asyncio.sleep((BOOKED_AFTER * day).total_seconds())
                (await client.post("/v1/events", json=BOOKING)).raise_for_status()
                log.info("one of them booked a demo", lead=BOOKING["lead"]["external_id"])
        except httpx.HTTPStatusError as refusal:
            log.warning("the demo was refused", status=refusal.response.status_code)
        except httpx.HTTPError as problem:
            log.warning("the demo could not be created", error=type(problem).__name__)
