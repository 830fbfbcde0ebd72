"""A few leads to look at, created over HTTP as any other system would."""

from __future__ import annotations

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
EVENTS: list[dict[str, Any]] = [
    {
        "id": "demo-booking-1",
        "name": "demo.booked",
        "lead": {"external_id": "demo-1"},
        "properties": {"seats": 8, "starts_at": "2026-12-01T10:00:00+04:00"},
    },
]


async def create(url: str, api_key: SecretStr | None) -> None:
    """Post the demo's leads and events. What is there already is left as it is; a refusal is told, not raised."""
    headers = {"Authorization": f"Bearer {api_key.get_secret_value()}"} if api_key else {}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        for path, bodies in (("/v1/leads", LEADS), ("/v1/events", EVENTS)):
            for body in bodies:
                answer = await client.post(path, json=body)
                if answer.is_error:
                    log.warning("the demo was refused", path=path, status=answer.status_code)
                    return
    log.info("created the demo's leads", leads=len(LEADS))
