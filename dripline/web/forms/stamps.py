"""When a form was shown, signed: a stamp of one form is of no use for another, and nobody can make one."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

NAME = "_stamp"
"""The input that carries it. A form without it, which is plain HTML, is taken all the same."""
QUICKEST = timedelta(seconds=2)
"""No person fills in a form sooner than so."""
LASTS = timedelta(days=2)
"""So long a page may stay open."""
MOST_LETTERS = 200


class Stamps:
    """Makes and reads the stamps of an installation. `secret` is the house's; times are the machine's."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def make(self, form: str, now: datetime) -> str:
        """The stamp of a form that is shown now."""
        return str(self._of(form).dumps(int(now.timestamp() * 1_000)))

    def age(self, form: str, stamp: str, now: datetime) -> timedelta | None:
        """How long ago that form was shown; None for what is no stamp of it."""
        if len(stamp) > MOST_LETTERS:
            return None
        try:
            shown = self._of(form).loads(stamp)
        except BadData:
            return None
        if not isinstance(shown, int) or isinstance(shown, bool):
            return None
        return now - datetime.fromtimestamp(shown / 1_000, UTC)

    def _of(self, form: str) -> URLSafeSerializer:
        return URLSafeSerializer(
            self._secret,
            salt=f"dripline.forms.{form}",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
