"""Passwords: what they must be, and their hashes (argon2id, with argon2-cffi's parameters, which follow RFC 9106)."""

from __future__ import annotations

import secrets
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 200
_FEWEST = 5
"""Different characters: `aaaaaaaaaaaa` and `121212121212` are guessed first."""

_FEW = BoundedSemaphore(2)
"""Each hash takes 64 MB for a moment: many at once must not take all that the machine has."""


class TooWeak(ValueError):
    """Not a password that is taken. The message says what it must be."""


def check_password(password: str, email: str) -> None:
    """Refuse what is guessed first. Raises TooWeak."""
    if len(password) < SHORTEST:
        raise TooWeak(
            f"A password has at least {SHORTEST} characters; a few words together are easy to keep."
        )
    if len(password) > LONGEST:
        raise TooWeak(f"A password has at most {LONGEST} characters.")
    said, address = password.casefold(), email.casefold()
    if address in said or said in address:
        raise TooWeak("A password is not the e-mail address.")
    if len(set(said)) < _FEWEST:
        raise TooWeak(f"A password has at least {_FEWEST} different characters.")


def hash_password(password: str) -> str:
    """What is kept of a password."""
    with _FEW:
        return _hasher().hash(_bytes(password))


def is_right(kept: str | None, password: str) -> bool:
    """Whether that is the password. The work is the same where there is none to compare with."""
    with _FEW:
        try:
            right = _hasher().verify(kept or _nobodys(), _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
    return right and kept is not None


def is_outdated(kept: str) -> bool:
    """Whether the parameters have changed since: then the password is hashed anew at the next login."""
    return _hasher().check_needs_rehash(kept)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
