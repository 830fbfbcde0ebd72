"""By whose code the visitor of a form came: as the form says, its page's address, or the browser's cookie."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

from dripline.ingest.referring.joining import Arrival
from dripline.store.discounts import is_code
from dripline.web.access import network_of, visitor_address
from dripline.web.forms.receiving import Inputs, first
from dripline.web.friends import REF, read_cookie

INPUT = "_ref"
"""The input that carries the code."""


def friend_from(request: Request, inputs: Inputs, cookie: str | None) -> Arrival | None:
    """By whose code the visitor came, and from where; None where nobody sent it."""
    known = read_cookie(cookie)
    said = (first(inputs, INPUT), _of_page(first(inputs, "_page")), known[0] if known else "")
    code = next((one.strip() for one in said if is_code(one)), None)
    if code is None:
        return None
    network = network_of(visitor_address(request.scope)) or None
    return Arrival(code, "form", known[1] if known else None, network)


def _of_page(address: str) -> str:
    try:
        return parse_qs(urlsplit(address).query, max_num_fields=50).get(REF, [""])[0]
    except ValueError:
        return ""
