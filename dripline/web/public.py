"""What the public pages have in common: for whom they are, what they may load, and that nobody lists or keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse

from dripline.language.workspace import Workspace
from dripline.web.link_words import WORDS, language

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
ROBOTS = "noindex, nofollow, noarchive"
RETRY_AFTER = 30
"""Seconds after which a reader may try again while something of ours is not working."""


@dataclass(frozen=True)
class Reader:
    """For whom a page is."""

    language: str
    """Of the page's own words."""
    sender: str | None
    """Whom the reader knows us by."""


def accepted_languages(request: Request) -> list[str]:
    """The languages that a browser asks for, in its order, which is that of its wishes."""
    header = request.headers.get("accept-language", "")[:200]
    return [part.split(";")[0].strip() for part in header.split(",")]


def stranger(request: Request, workspace: Workspace) -> Reader:
    """A reader of whom nothing is known but what the browser says."""
    sender = workspace.senders.get("email")
    spoken = language([*accepted_languages(request), *workspace.locales])
    return Reader(spoken, sender.name if sender else None)


def link_page(
    templates: Environment,
    page: str,
    reader: Reader,
    status: int = 200,
    *,
    root: str = "",
    headers: Mapping[str, str] | None = None,
    asks: bool = False,
    sends_itself: bool = False,
) -> HTMLResponse:
    """A page of link_words whose files are below `root`, seen from its own address: a proxy may have put us deeper."""
    html = templates.get_template("link.html").render(
        said=WORDS[reader.language][page],
        page=page,
        language=reader.language,
        sender=reader.sender,
        robots=ROBOTS,
        asks=asks,
        sends_itself=sends_itself,
        root=root,
    )
    always = {"Content-Security-Policy": POLICY, "X-Robots-Tag": ROBOTS}
    return HTMLResponse(html, status, {**always, **(headers or {})})


def own_page(html: str, policy: str = POLICY) -> HTMLResponse:
    """A page of one lead alone, which no cache may keep."""
    headers = {"Content-Security-Policy": policy, "X-Robots-Tag": ROBOTS, "Cache-Control": "no-store"}
    return HTMLResponse(html, headers=headers)


__all__ = [
    "POLICY",
    "RETRY_AFTER",
    "ROBOTS",
    "Reader",
    "accepted_languages",
    "link_page",
    "own_page",
    "stranger",
]
