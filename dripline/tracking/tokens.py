"""The tokens of tracked links and of pixels: sealed, so that nobody can make, change or read one.

A token of a link holds the message's id and the whole address that it leads to. So it can be followed when
nothing but the key is there, and it leads nowhere that a message of ours did not lead.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dripline.tracking.addresses import LONGEST, may_lead_to

CLICK_PATH = "/c/"
OPEN_PATH = "/o/"
"""Where the web process answers them."""

MAX_TOKEN = 2_900
"""Characters: what the longest address comes to, and a little more."""

_CLICK, _OPEN = b"click", b"open"
_PLAIN, _SHORTENED = b"\x00", b"\x01"
# What addresses are full of: it makes those of ordinary length a third shorter. Never change it: links live for years.
_OFTEN = (
    b".amp.html.pdf?id=&ref=&source=newsletter&utm_term=&utm_content=&utm_campaign=welcome?utm_source=dripline"
    b"&utm_medium=email/product/products/blog/pricing/account/login/en/hy/ru/.org/.net/.am/.com/http://https://www."
)


@dataclass(frozen=True)
class Click:
    """A genuine link: the message that it stood in, and where it leads."""

    message: str
    address: str


class Tokens:
    """Makes and reads the tokens of an installation. `secret` is the house's."""

    def __init__(self, secret: str) -> None:
        key = HKDF(SHA256(), 64, salt=None, info=b"dripline.tracking").derive(secret.encode())
        # RFC 5297: the same token for the same link on every try, with nothing to be drawn and nothing to be kept.
        self._seal = AESSIV(key)

    def click(self, message: str, address: str) -> str:
        """The token of a link. `address` is one that `may_lead_to` has let through, `message` a ledger's id."""
        plain = address.encode()
        squeezer = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=_OFTEN)
        shorter = squeezer.compress(plain) + squeezer.flush()
        body = _SHORTENED + shorter if len(shorter) < len(plain) else _PLAIN + plain
        return _text(self._seal.encrypt(bytes.fromhex(message) + body, [_CLICK]))

    def open(self, message: str) -> str:
        """The token of a message's pixel."""
        return _text(self._seal.encrypt(bytes.fromhex(message), [_OPEN]))

    def read_click(self, token: str) -> Click | None:
        """What the token of a link says; None unless this installation has made it, just as it stands."""
        plain = self._opened(token, _CLICK)
        if plain is None or len(plain) < 17:
            return None
        address = _address(plain[16:17], plain[17:])
        return Click(plain[:16].hex(), address) if address is not None and may_lead_to(address) else None

    def read_open(self, token: str) -> str | None:
        """The id of the message whose pixel it is; None unless this installation has made it."""
        plain = self._opened(token, _OPEN)
        return plain.hex() if plain is not None and len(plain) == 16 else None

    def _opened(self, token: str, kind: bytes) -> bytes | None:
        if len(token) > MAX_TOKEN:
            return None
        try:
            sealed = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
            # Base64 writes one text in several ways: no letter of ours may be another.
            return self._seal.decrypt(sealed, [kind]) if _text(sealed) == token else None
        except (InvalidTag, ValueError, binascii.Error):
            return None


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def _address(form: bytes, body: bytes) -> str | None:
    if form == _PLAIN:
        return body.decode()
    if form != _SHORTENED:
        return None  # of a later release
    filler = zlib.decompressobj(-15, zdict=_OFTEN)
    try:
        address = filler.decompress(body, LONGEST + 1).decode()
        return address if filler.eof else None
    except (zlib.error, UnicodeDecodeError):
        return None


__all__ = ["CLICK_PATH", "MAX_TOKEN", "OPEN_PATH", "Click", "Tokens"]
