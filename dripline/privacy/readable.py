"""An export as a person reads it: a page, the messages as they left, and the same as JSON, in one zip file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_TITLES = {
    "story": "What happened, and why",
    "leads": "Profile",
    "identities": "Names and addresses",
    "consents": "What was agreed to and taken back",
    "suppressed": "Addresses that are not written to",
    "events": "Events",
    "runs": "Journeys",
    "messages": "Messages",
    "opens_and_clicks": "Opens and clicks",
    "replies": "Answers",
    "discounts": "Discounts",
    "orders": "Orders",
    "codes_for_friends": "Codes for friends",
    "friends_brought": "Friends who were brought",
    "interests": "Products looked at, asked for and bought",
    "campaigns": "Campaigns",
    "surveys": "Surveys",
    "touches": "Where it came from",
    "stages": "Stages",
    "customer_cards": "Customer card",
    "owners": "Who looked after it",
    "tasks": "Tasks of our people",
    "groups": "Companies and groups",
    "segments": "Segments",
    "told_to_other_systems": "What other systems were told",
    "waiting_to_be_looked_at": "What waits to be looked at",
    "steps": "Steps of the journeys",
    "merges": "Merges with other entries",
    "imports": "Imports from files",
    "copies": "Copies in the local mailbox",
    "soft_bounces": "Messages that could not be taken for the moment",
    "points": "What counted for the score",
    "scores": "How the score went",
}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Everything kept of {lead}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  overflow-wrap: anywhere }}
table {{ border-collapse: collapse; width: 100%; margin: 0 0 1rem }}
th, td {{ text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid #8884 }}
th {{ font-weight: 500; opacity: .7; width: 11rem }}
@media (max-width: 30rem) {{ th, td {{ display: block; width: auto; border: 0 }} }}
</style></head><body>
<h1>Everything kept of {lead}</h1>
<p>As of {at}. The same for programs is in <code>lead.json</code>.</p>
{sections}
</body></html>
"""


def as_json(found: Mapping[str, Any]) -> bytes:
    """The export as JSON, in UTF-8."""
    return (json.dumps(found, ensure_ascii=False, indent=2) + "\n").encode()


def as_zip(found: Mapping[str, Any]) -> bytes:
    """The export as a zip file: index.html, lead.json, and each message as it left."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("index.html", as_page(found))
        file.writestr("lead.json", as_json(found))
        for number, message in enumerate(found["messages"], 1):
            for name, text in _parts(number, message):
                file.writestr(name, text)
    return written.getvalue()


def as_page(found: Mapping[str, Any]) -> str:
    """The export as one page of HTML, without anything that is fetched or run."""
    sections = "\n".join(
        f"<h2>{title} ({len(found[name])})</h2>\n{_section(name, found[name])}"
        for name, title in _TITLES.items()
    )
    return _PAGE.format(lead=escape(str(found["lead"])), at=escape(found["exported_at"]), sections=sections)


def _section(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return "<p>Nothing.</p>"
    if name == "story":
        return _table((entry["at"][:19].replace("T", " "), entry["text"]) for entry in rows)
    told = []
    for number, row in enumerate(rows, 1):
        links = [part for part, _ in _parts(number, row)] if name == "messages" else []
        texts = {key: value for key, value in row.items() if value not in (None, "", [], {})}
        if links:
            texts = {key: value for key, value in texts.items() if key not in ("html", "body")}
        told.append(
            _table((key.replace("_", " "), _said(value)) for key, value in texts.items())
            + "".join(f'<p><a href="{link}">{link}</a></p>' for link in links)
        )
    return "\n".join(told)


def _table(pairs: Any) -> str:
    lines = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in pairs)
    return f"<table>{lines}</table>"


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parts(number: int, message: Mapping[str, Any]) -> list[tuple[str, str]]:
    parts = (("html", message.get("html")), ("txt", message.get("body")))
    return [(f"messages/{number:04}.{end}", text) for end, text in parts if text]


__all__ = ["as_json", "as_page", "as_zip"]
