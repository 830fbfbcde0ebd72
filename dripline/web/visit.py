"""Somebody's look at a page: who it is, and the token that the page's forms send back.

It is found in a context variable, so that everything that makes pages can say who looks without each of them being
handed the request. The guard sets it for each request; FastAPI hands it on to the threads that endpoints run in.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field

from dripline.access.caller import Caller
from dripline.access.roles import Act, may

FIELD = "form_token"
"""The name of the field that every form of the pages has."""


@dataclass
class Visit:
    """A request for a page. `session` is the token of a living session."""

    caller: Caller | None = None
    session: str | None = None
    seed: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    """What the forms' token is made of while there is no session: a cookie of its own."""
    is_seed_new: bool = True
    is_seed_used: bool = False

    @property
    def form_token(self) -> str:
        """What a form sends back, to show that it is ours: only who can read the cookies, or our pages, knows it."""
        if self.session is None:
            self.is_seed_used = True
        return hashlib.sha256(f"form:{self.session or self.seed}".encode()).hexdigest()

    def sent_ours(self, token: str) -> bool:
        """Whether that is the token of this visitor's forms."""
        if self.session is None and self.is_seed_new:
            return False
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self.form_token.encode())

    def may(self, act: Act) -> bool:
        """Whether the visitor may do that."""
        return self.caller is not None and may(self.caller.role, act)

    @property
    def said(self) -> str:
        """How the audit log names the visitor."""
        return self.caller.said if self.caller else "nobody"


_VISIT: ContextVar[Visit | None] = ContextVar("visit", default=None)


def visit() -> Visit:
    """The visit that is going on."""
    return _VISIT.get() or Visit()


def begin_visit(one: Visit) -> None:
    """Let this be the visit of the request that is being answered."""
    _VISIT.set(one)
