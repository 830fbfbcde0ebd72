"""The web process over a store of the test's own, asked from this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dripline.language.workspace import Workspace
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.web.app import create_app

HERE = "http://127.0.0.1:8080"

WORKSPACE = Workspace.model_validate(
    {
        "timezone": "Asia/Yerevan",
        "locales": ["hy"],
        "default_region": "AM",
        "topics": {"newsletter": "News"},
        "events": {"demo.booked": {"seats": "integer", "note": "any"}, "order.paid": {"total": "number"}},
        "attributes": {"company": "text", "interests": "list"},
    }
)

Opened = Callable[..., TestClient]


@pytest.fixture
def open_app(store: Store, tmp_path: Path) -> Opened:
    """Opens a client of the app; by default one that comes from the loopback interface, without a key."""

    def opened(
        client: tuple[str, int] = ("127.0.0.1", 50_000),
        base_url: str = HERE,
        store: Store = store,
        **more: Any,
    ) -> TestClient:
        said = {
            name: more.pop(name)
            for name in ("api_key", "environment", "public_url", "trying")
            if name in more
        }
        settings = Settings(_env_file=None, data=tmp_path / "data", **said)
        app = create_app(settings, store, WORKSPACE, **more)
        return TestClient(app, base_url=base_url, client=client, raise_server_exceptions=False)

    return opened


@pytest.fixture
def client(open_app: Opened) -> TestClient:
    """Somebody at this very machine."""
    return open_app()
