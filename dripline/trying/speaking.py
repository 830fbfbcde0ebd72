"""Saying what happens, over HTTP as any other system would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from dripline.language.workspace import Workspace
from dripline.trying.acts import UPDATED, Act, lead_body


class NotTaken(Exception):
    """It was refused, with the reason."""


class Speaking:
    """Speaks of one lead to a web process on this machine."""

    def __init__(self, url: str, workspace: Workspace) -> None:
        # Neither proxies nor logins from the environment: it is our own process.
        self._http = httpx.AsyncClient(base_url=url, timeout=30, trust_env=False)
        self._workspace = workspace
        self.lead_id = ""

    async def introduce(self, email: str, lead: Mapping[str, Any], historical: bool) -> None:
        """Make the lead."""
        body = {**lead_body(lead, self._workspace), "email": email, "historical": historical}
        answer = await self._say("PUT", "/v1/leads", body)
        self.lead_id = answer["id"]

    async def enrol(self, journey: str) -> None:
        """Put the lead into the journey by hand."""
        await self._say("POST", f"/v1/journeys/{journey}/enrol", {"lead": {"id": self.lead_id}})

    async def act(self, act: Act) -> None:
        """Let the lead do that, or become different."""
        if act.event != UPDATED:
            body = {"name": act.event, "lead": {"id": self.lead_id}, "properties": dict(act.values)}
            await self._say("POST", "/v1/events", body)
            return
        body = {**lead_body(act.values, self._workspace), "id": self.lead_id}
        if not (await self._say("PUT", "/v1/leads", body))["changed"]:
            raise NotTaken("The lead is like that already: nothing changes.")

    async def nudge(self) -> None:
        """Let the web process look whether a run wants waking: what changes nothing does."""
        await self._say("PUT", "/v1/leads", {"id": self.lead_id})

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()

    async def _say(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, path, json=body)
            said: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError):
            raise NotTaken("The web process did not answer.") from None
        if answer.status_code >= 400:
            lines = [str(said.get("detail", "It was refused."))]
            lines += [
                f"  {error.get('field') or 'request'} {error['detail']}" for error in said.get("errors", [])
            ]
            raise NotTaken("\n".join(lines))
        return said


__all__ = ["NotTaken", "Speaking"]
