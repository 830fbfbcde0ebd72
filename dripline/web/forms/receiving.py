"""What a browser, or a script, sends to a form: inputs by name, and who and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from dripline.ingest.touches import Touch, touch_of
from dripline.web.problems import UnreadableBody
from dripline.web.strict_json import read_json

MOST_INPUTS = 200
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

Inputs = Mapping[str, Sequence[Any]]


async def read_inputs(request: Request) -> Inputs:
    """The inputs, whichever of the three ways they come. Raises UnreadableBody, or HTTPException from a bad body."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        said = read_json(await request.body())
        if not isinstance(said, dict):
            raise UnreadableBody(422, "The body must be a JSON object: the inputs by their names.")
        return {name: value if isinstance(value, list) else [value] for name, value in said.items()}
    if kind not in _FORMS:
        raise UnreadableBody(415, f"Send {', '.join(_FORMS)} or application/json.")
    form = await request.form(max_files=0, max_fields=MOST_INPUTS)
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    if len(pairs) > MOST_INPUTS:
        raise UnreadableBody(422, f"A form has at most {MOST_INPUTS} inputs.")
    inputs: dict[str, list[Any]] = {}
    for name, value in pairs:
        inputs.setdefault(name, []).append(value)
    return inputs


def wants_json(request: Request) -> bool:
    """Whether a script asks, and not somebody who looks at pages."""
    accept = request.headers.get("accept", "")
    sent = request.headers.get("content-type", "").startswith("application/json")
    return "text/html" not in accept and ("application/json" in accept or sent)


def page_of(request: Request, inputs: Inputs) -> str | None:
    """The page that the form stands on, without its query: what the script says, else what the browser tells."""
    said = next((one for one in inputs.get("_page", ()) if isinstance(one, str)), None)
    for text in (said, request.headers.get("referer")):
        try:
            parts = urlsplit(text or "")
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and parts.netloc and "@" not in parts.netloc:
            return "".join(
                one for one in f"{parts.scheme}://{parts.netloc}{parts.path}" if one.isprintable()
            )[:500]
    return None


def touch_from(request: Request, inputs: Inputs) -> Touch:
    """Where the visitor came from: by the tags of the page's address, or by inputs of that name."""
    said = {
        tag: first(inputs, f"utm_{tag}") or None
        for tag in ("source", "medium", "campaign", "term", "content")
    }
    page = first(inputs, "_page") or request.headers.get("referer")
    return touch_of(page, first(inputs, "_referrer") or None, said)


def first(inputs: Inputs, name: str) -> str:
    """The first text of that name; empty where there is none."""
    return next((one for one in inputs.get(name, ()) if isinstance(one, str)), "")
