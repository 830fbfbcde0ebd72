"""A house with the repository's journeys, whose leads write back by both providers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response
from pydantic import SecretStr
from sqlalchemy import select, update

from activities.content import answers_to
from dripline.clock import machine_clock
from dripline.ingest.agreeing import Agreement, replayed
from dripline.ingest.incoming import LeadIn
from dripline.ingest.service import Ingest
from dripline.language.project import load_project
from dripline.settings import Settings
from dripline.store import schema
from dripline.store.consents import consent_history
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.web.app import create_app
from tests.durable.house import NOW, House
from tests.house.test_docs import ROOT
from tests.sink import Signer
from tests.sink.writing import a_mail, an_sms

PUBLIC = "https://drip.example.com"
DOMAIN = "reply.example.com"
PHONE, EMAIL = "+37491123456", "ani@example.com"
PROJECT = load_project(ROOT)


class Replies:
    """The web process as the providers reach it, and what the store knows then."""

    def __init__(self, store: Store, **settings: Any) -> None:
        assert PROJECT.workspace is not None
        self.house, self.store = House(store, *PROJECT.plans.values()), store
        self.house.clock.offset = NOW - machine_clock()
        self.signer = Signer("twilio-token")
        workspace = PROJECT.workspace
        known = {
            "twilio_auth_token": SecretStr("twilio-token"),
            "sendgrid_inbound_key": self.signer.sendgrid_key,
            "reply_domain": DOMAIN,
        }
        self.app = create_app(
            Settings(_env_file=None, public_url=PUBLIC, **{**known, **settings}),
            store,
            workspace,
            machine=self.house.clock,
        )
        self.ingest = Ingest(store, workspace, machine=self.house.clock)
        self.client = TestClient(self.app, base_url="http://10.0.0.5", raise_server_exceptions=False)

    def sms(self, text: str, sender: str = PHONE, **more: str) -> Response:
        handed = an_sms(self.signer, f"{PUBLIC}/webhooks/twilio/inbound", sender, text, **more)
        answer: Response = self.client.post(
            "/webhooks/twilio/inbound", content=handed.body, headers=dict(handed.headers)
        )
        return answer

    def mail(self, text: str, to: str = f"hello@{DOMAIN}", sender: str = EMAIL, **more: Any) -> Response:
        handed = a_mail(self.signer, sender, to, text, at=self.house.clock().timestamp(), **more)
        answer: Response = self.client.post(
            "/webhooks/sendgrid/inbound", content=handed.body, headers=dict(handed.headers)
        )
        return answer

    def sent(self, event: str = "lead.created") -> Any:
        """Let a journey send its first message; its row."""
        [run, *_] = self.house.happens(event)
        [due] = self.house.advance(run, NOW).deliver
        self.house.deliveries.attempt(due.message)
        return next(row for row in self.house.messages() if row.id == due.message)

    def address(self, message: Any, purpose: str = "reply_to") -> str:
        """Where replies to the message go."""
        with self.store.read() as connection:
            return answers_to(message, open_house(connection), DOMAIN)[purpose]

    def lead(self) -> Any:
        with self.store.read() as connection:
            return connection.execute(select(schema.leads).where(schema.leads.c.id == "lead-1")).one()

    def change(self, **values: Any) -> None:
        with self.store.write() as connection:
            connection.execute(update(schema.leads).where(schema.leads.c.id == "lead-1").values(**values))

    def identify(self) -> None:
        """The lead of the house, found by its addresses."""
        self.ingest.upsert_lead(LeadIn(id="lead-1", external_id="one", email=EMAIL, phone=PHONE))
        with self.store.write() as connection:
            for kind, value in (("email", EMAIL), ("phone", PHONE)):
                row = {"kind": kind, "value": value, "lead_id": "lead-1", "created_at": NOW}
                connection.execute(schema.identities.insert().values(row))

    def kept(self) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(select(schema.inbound).order_by(schema.inbound.c.at)))

    def events(self, *names: str) -> list[tuple[str, dict[str, Any]]]:
        wanted = names or ("lead.replied", "lead.unsubscribed", "lead.resubscribed")
        query = select(schema.events).where(schema.events.c.name.in_(wanted)).order_by(schema.events.c.seq)
        with self.store.read() as connection:
            return [(row.name, row.properties) for row in connection.execute(query)]

    def suppressed(self) -> list[tuple[str, str]]:
        with self.store.read() as connection:
            rows = connection.execute(select(schema.suppressions.c.channel, schema.suppressions.c.reason))
            return [(row.channel, row.reason) for row in rows]

    def agreed(self) -> Agreement:
        """What the log of consent alone says."""
        with self.store.read() as connection:
            return replayed(consent_history(connection, "lead-1"))

    def story(self) -> list[str]:
        """The lead's story, line by line."""
        here = TestClient(self.app, base_url="http://127.0.0.1:8080", client=("127.0.0.1", 5_000))
        return [entry["text"] for entry in here.get("/v1/leads/lead-1/timeline").json()["entries"]]

    def later(self, **length: float) -> None:
        self.house.clock.offset += timedelta(**length)
