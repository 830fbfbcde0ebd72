"""Languages and time zones as the workspace file and scenarios name them."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator

from dripline.language.load import wrong


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise wrong(
            "unknown-timezone", f"there is no time zone `{name}`", "write it like `Asia/Yerevan`"
        ) from None
    return name


def _locale(tag: str) -> str:
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        raise wrong(
            "unknown-locale", f"`{tag}` is no language tag", "write it like `hy` or `hy-AM`"
        ) from None
    return tag


ZoneName = Annotated[str, AfterValidator(_zone)]
"""A zone of the tz database."""
LanguageTag = Annotated[str, AfterValidator(_locale)]
"""A language, or one as it is written in a country (BCP 47)."""
