"""The router as the web process has it, and a signer with the providers' keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from dripline.providers import DeliveryReport
from dripline.settings import Settings
from dripline.web.webhooks import build_router
from tests.sink import Signer

TOKEN = "twilio-token"
PUBLIC_URL = "https://mail.dripline.example/app"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass
class Ledger:
    """Keeps reports in memory; `away` makes it fail as the store does when its database is gone."""

    reports: list[DeliveryReport] = field(default_factory=list)
    away: bool = False

    def record(self, report: DeliveryReport) -> None:
        if self.away:
            raise OperationalError("UPDATE messages", {}, Exception("the database is gone"))
        self.reports.append(report)


@dataclass
class Remembered:
    """What is kept of requests, in memory."""

    taken: set[tuple[str, str]] = field(default_factory=set)
    counted: list[str] = field(default_factory=list)

    def is_copy(self, provider: str, request: str) -> bool:
        return (provider, request) in self.taken

    def took(self, provider: str, request: str) -> None:
        self.taken.add((provider, request))

    def count(self, provider: str, why: str) -> None:
        self.counted.append(f"{provider}.{why}")


@pytest.fixture
def signer() -> Signer:
    return Signer(TOKEN)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def settings(signer: Signer) -> Settings:
    return Settings(
        sendgrid_webhook_key=signer.sendgrid_key,
        twilio_auth_token=SecretStr(TOKEN),
        public_url=PUBLIC_URL,
    )


@pytest.fixture
def client(settings: Settings, ledger: Ledger) -> TestClient:
    return client_of(settings, ledger)


def client_of(settings: Settings, ledger: Ledger, notes: Remembered | None = None) -> TestClient:
    app = FastAPI()
    app.include_router(build_router(settings, ledger.record, notes or Remembered(), lambda: NOON))
    return TestClient(app, raise_server_exceptions=False)
