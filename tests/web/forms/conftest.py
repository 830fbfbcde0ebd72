"""Forms on a store of the test's own, and visitors from far away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from dripline.ingest.incoming import LeadIn
from dripline.ingest.service import Ingest
from dripline.language.workspace import Workspace
from dripline.settings import Settings
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.tallies import tallied
from dripline.web.app import create_app
from tests.durable.house import Clock

AWAY = "https://www.shop.example"
WORDING = "Yes, send me news by e-mail."

WORKSPACE = Workspace.model_validate(
    {
        "timezone": "Asia/Yerevan",
        "locales": ["en", "hy"],
        "default_region": "AM",
        "topics": {"newsletter": "News"},
        "attributes": {"first_name": "text", "company": "text", "seats": "integer", "plan": "text"},
        "events": {"form.submitted": {"message": "text", "campaign": "text"}},
        "forms": {
            "news": {
                "title": {"en": "News", "hy": "Նորություններ"},
                "fields": {
                    "email": {"label": {"en": "E-mail", "hy": "Էլ. հասցե"}, "required": True},
                    "phone": {"label": "Phone"},
                    "name": {"label": "Name", "to": "first_name"},
                    "seats": {"label": "Seats"},
                    "plan": {"label": "Plan", "options": {"team": "Team", "solo": "Just me"}},
                    "message": {"label": "Message", "long": True},
                },
                "consent": {"wording": WORDING, "channels": ["email", "sms"], "topics": ["newsletter"]},
                "origins": [AWAY],
                "properties": {"campaign": "spring"},
            },
            "quick": {
                "title": "Quick",
                "fields": {"email": {"label": "E-mail", "required": True}},
                "consent": {"wording": WORDING, "topics": ["newsletter"], "required": True},
                "double_opt_in": False,
                "redirect": {"en": f"{AWAY}/thanks", "hy": f"{AWAY}/hy/thanks"},
            },
        },
    }
)


class Desk:
    """The web process, seen by visitors, and what the store knows then."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, Clock()
        self.app = create_app(
            Settings(_env_file=None, api_key="key", public_url="https://drip.example"),
            store,
            WORKSPACE,
            machine=self.clock,
        )
        self.ingest = Ingest(store, WORKSPACE)

    def visitor(self, address: str = "203.0.113.9") -> TestClient:
        return TestClient(
            self.app,
            base_url="https://drip.example",
            client=(address, 4_000),
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def send(self, form: str, inputs: Mapping[str, Any], **headers: str) -> Response:
        """A script's submission, which is answered by JSON."""
        more = {
            "Accept": "application/json",
            **{name.replace("_", "-"): one for name, one in headers.items()},
        }
        answer: Response = self.visitor().post(f"/f/{form}", data=dict(inputs), headers=more)
        return answer

    def knows(self, **said: Any) -> str:
        """A lead that is there before; its id."""
        return str(self.ingest.upsert_lead(LeadIn.model_validate(said)).body["id"])

    def later(self, **length: float) -> None:
        self.clock.offset += timedelta(**length)

    def rows(self, table: Any, *where: Any) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(select(table).where(*where)))

    def leads(self) -> list[Any]:
        return self.rows(schema.leads)

    def lead(self) -> Any:
        [only] = self.leads()
        return only

    def submitted(self) -> list[dict[str, Any]]:
        """The properties of what was submitted, in order."""
        return [row.properties for row in self.rows(schema.events, schema.events.c.name == "form.submitted")]

    def consents(self) -> list[tuple[str | None, str | None, str, str]]:
        return [(row.channel, row.topic, row.state, row.source) for row in self.rows(schema.consents)]

    def counted(self) -> dict[str, int]:
        with self.store.read() as connection:
            return tallied(connection, "form.", self.clock() - timedelta(days=2))


@pytest.fixture
def desk(store: Store) -> Desk:
    """Forms, and nobody who has sent one."""
    return Desk(store)
