"""Where Segment's libraries send their calls, and what a browser must be told of it."""

from __future__ import annotations

from dripline.ingest.segment.calls import KINDS

SHORT = {"identify": "i", "track": "t", "page": "p", "screen": "s", "group": "g", "alias": "a"}
"""The addresses that analytics.js uses."""
BATCHES = ("batch", "import", "b")
METRICS = "m"
"""Where analytics.js tells of itself: taken, and not looked at."""
TRACKING = frozenset(f"/v1/{name}" for name in (*KINDS, *SHORT.values(), *BATCHES, METRICS))
"""All of them. From a browser the write key comes in the body, and a question comes before (CORS)."""

MAX_TRACKED = 4_500_000
"""Bytes of a body, packed or not: what the most generous of the libraries sends at once."""

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Encoding, AnonymousId, X-Retry-Count",
    "Access-Control-Expose-Headers": "Retry-After",
    "Access-Control-Max-Age": "7200",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""For pages of any site: a write key may lie open in them, no cookie is looked at, and nothing can be read."""
