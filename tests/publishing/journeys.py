"""Journeys compiled by the compiler, so that their steps have the ids that authors' steps have."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from dripline.language.compile import compile_journey
from dripline.language.model import Journey
from dripline.language.plan import Plan
from dripline.language.templates import Templates, find_templates
from dripline.language.workspace import Workspace, load_workspace
from tests.language.conftest import WORKSPACE

TEMPLATES = "abcdef"


@cache
def _workspace() -> tuple[Workspace, Templates]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "dripline.yaml").write_text(WORKSPACE)
        for name in TEMPLATES:
            text = "Hello {{ offer.code }}" if name == "f" else "Hello"
            (root / "templates" / f"{name}.en.md").parent.mkdir(exist_ok=True)
            (root / "templates" / f"{name}.en.md").write_text(f"---\nsubject: {name}\n---\n{text}\n")
        workspace, problems = load_workspace(root)
        assert workspace is not None, problems
        return workspace, find_templates(root)


def journey(*steps: dict[str, Any], **more: Any) -> Plan:
    """The plan of a journey with these steps, as they would stand in its file."""
    said = {
        "journey": "welcome",
        "trigger": {"event": "lead.created"},
        "messages": {"topic": "newsletter"},
        "exit": [{"event": "lead.unsubscribed"}],
        "steps": list(steps),
        **more,
    }
    return compile_journey(Journey.model_validate(said), *_workspace())


def email(template: str, **more: Any) -> dict[str, Any]:
    """A step that sends an e-mail."""
    beside: dict[str, Any] = {key: more.pop(key) for key in ("id", "if", "as") if key in more}
    return {"email": {"template": template, **more} if more else template, **beside}


def delay(length: str, **more: Any) -> dict[str, Any]:
    """A step that waits."""
    return {"delay": length, **more}


def wait(event: str = "demo.booked", timeout: str | None = "3 days", **more: Any) -> dict[str, Any]:
    """A step that waits for an event."""
    return {"wait_for": event, **({"timeout": timeout} if timeout else {}), **more}
