"""The cookies of the pages: of who is logged in, before that of whose forms these are, and of whose friend it is."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope


class Cookies:
    """Names and sets them. Over https they are `Secure`, and bound to this host by their names (`__Host-`)."""

    def __init__(self, public_url: str) -> None:
        self._is_public_secure = urlsplit(public_url).scheme == "https"

    def session(self, scope: Scope) -> str | None:
        """The token of the session that the browser says it has."""
        return _read(scope, self._name("dripline", scope))

    def seed(self, scope: Scope) -> str | None:
        """What the tokens of the forms are made of that it was shown before it logged in."""
        return _read(scope, self._name("dripline-form", scope))

    def keep_session(self, response: Response, scope: Scope, token: str) -> None:
        """Let the browser be logged in until it is closed, or the session is over."""
        self._set(response, scope, "dripline", token)

    def drop_session(self, response: Response, scope: Scope) -> None:
        """Let it be logged out."""
        name = self._name("dripline", scope)
        response.delete_cookie(name, path="/", secure=self._is_secure(scope), httponly=True, samesite="lax")

    def seed_header(self, scope: Scope, seed: str) -> str:
        """The header that sets the seed."""
        response = Response()
        self._set(response, scope, "dripline-form", seed)
        return response.headers["set-cookie"]

    def friend(self, scope: Scope) -> str | None:
        """By whose code the browser came, and what tells it from others."""
        return _read(scope, self._name("dripline-friend", scope))

    def remember_friend(self, response: Response, scope: Scope, value: str, seconds: int) -> None:
        """Let the browser know for so long by whose code it came."""
        self._set(response, scope, "dripline-friend", value, seconds)

    def _set(
        self, response: Response, scope: Scope, name: str, value: str, seconds: int | None = None
    ) -> None:
        response.set_cookie(
            self._name(name, scope),
            value,
            max_age=seconds,
            path="/",
            secure=self._is_secure(scope),
            httponly=True,
            samesite="lax",
        )

    def _is_secure(self, scope: Scope) -> bool:
        return self._is_public_secure or scope.get("scheme") == "https"

    def _name(self, name: str, scope: Scope) -> str:
        return f"__Host-{name}" if self._is_secure(scope) else name


def _read(scope: Scope, name: str) -> str | None:
    jar = SimpleCookie()
    for header in Headers(scope=scope).getlist("cookie"):
        try:
            jar.load(header[:8_192])
        except CookieError:
            return None
    found = jar.get(name)
    return found.value if found and 0 < len(found.value) <= 256 else None
