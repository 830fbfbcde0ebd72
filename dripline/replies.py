"""The addresses that replies go to: each names the message that it answers, signed, so that nobody can make one up.

`reply+TOKEN@domain` is in an e-mail's Reply-To, `unsubscribe+TOKEN@domain` in its List-Unsubscribe. Mail programs
keep neither case nor more than 64 characters before the @ (RFC 5321, 4.5.3.1.1), hence a short token in hexadecimal.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Literal

Purpose = Literal["reply", "unsubscribe"]

_SIGNATURE = 20
"""Characters of the signature: 80 bits, which nobody guesses by mail."""
_ADDRESS = re.compile(r"(reply|unsubscribe)\+([0-9a-f]{32})([0-9a-f]{20})")


@dataclass(frozen=True)
class Addressed:
    """What a genuine address says."""

    purpose: Purpose
    message: str


class ReplyAddresses:
    """Makes and reads the addresses of an installation. `secret` is the house's; mail to `domain` comes to us."""

    def __init__(self, secret: str, domain: str) -> None:
        self._secret, self._domain = secret, domain.lower()

    def of(self, message: str, purpose: Purpose = "reply") -> str:
        """The address of a message of ours (its id is 32 hexadecimal digits)."""
        return f"{purpose}+{message}{self._sign(purpose, message)}@{self._domain}"

    def read(self, address: str) -> Addressed | None:
        """What the address says; None unless this installation has made it."""
        local, _, domain = address.strip().strip("<>").lower().rpartition("@")
        found = _ADDRESS.fullmatch(local)
        if found is None or domain != self._domain:
            return None
        purpose: Purpose = "reply" if found[1] == "reply" else "unsubscribe"
        if not hmac.compare_digest(found[3], self._sign(purpose, found[2])):
            return None
        return Addressed(purpose, found[2])

    def _sign(self, purpose: str, message: str) -> str:
        key = hashlib.sha256(b"dripline.replies:" + self._secret.encode()).digest()
        return hmac.new(key, f"{purpose}:{message}".encode(), hashlib.sha256).hexdigest()[:_SIGNATURE]
