"""A provider set up from nothing, step by step: what is to be done, and what is done already, by looking."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from dripline.language.workspace import Workspace
from dripline.settings import Settings


@dataclass(frozen=True)
class Step:
    """One thing to do. `done` is None where it cannot be seen from here; `wanted` is false for what may be left out."""

    title: str
    done: bool | None
    how: tuple[str, ...]
    seen: str = ""
    wanted: bool = True


def reached(settings: Settings, provider: str) -> Step:
    """Where the provider's webhooks, and readers, reach us."""
    host = urlsplit(settings.public_url)
    local = host.hostname in ("localhost", "127.0.0.1", "::1", None)
    return Step(
        "Be reachable",
        not local and host.scheme == "https",
        (
            f"Let an https address lead to the web process: {provider} must reach /webhooks/,",
            "readers /l/, /c/, /o/ and /f/.",
            "Set DRIPLINE_PUBLIC_URL to it, without a path at its end.",
        ),
        f"DRIPLINE_PUBLIC_URL is {settings.public_url}",
    )


def hook(settings: Settings, path: str) -> str:
    """The address of a webhook of ours."""
    return settings.public_url.rstrip("/") + path


def senders(workspace: Workspace | None, *, of_mail: bool) -> list[str]:
    """The addresses, or the numbers, that the workspace sends from."""
    entries = workspace.senders.values() if workspace else ()
    return sorted({entry.address for entry in entries if ("@" in entry.address) == of_mail})


def production(settings: Settings) -> Step:
    """Whether everybody is written to."""
    return Step(
        "Write to everybody",
        settings.environment == "production",
        (
            "Try it with yourself first: `dripline try JOURNEY --as YOUR-ADDRESS --day 5s`. Outside production",
            "only addresses on the list in dripline.yaml are written to.",
            "Then set DRIPLINE_ENVIRONMENT=production, and start the worker and the web process again.",
        ),
        f"DRIPLINE_ENVIRONMENT is {settings.environment}",
    )
