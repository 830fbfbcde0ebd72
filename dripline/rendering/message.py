"""One message, rendered in the lead's language: the only thing that the rest of the house asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale

from dripline.language.links import LINKS, MakeLink, stand_in
from dripline.language.plan import Plan
from dripline.language.template_grammar import TemplateError
from dripline.language.templates import locale_for
from dripline.language.values import EvaluationError
from dripline.rendering.filling import Filling
from dripline.rendering.footer import with_footer
from dripline.rendering.formats import Reader, locale_of
from dripline.rendering.html import html_of, text_of, with_preheader

_CACHE: dict[tuple[str, str, str, str | None], Filling] = {}
_CACHE_SIZE = 512
_NARROW = re.compile("[\u00a0\u2007\u202f]")
"""Spaces that dates and numbers are written with; one of them makes an SMS twice as long (GSM 03.38)."""


@dataclass(frozen=True)
class Rendered:
    """A message as it leaves: `html` and `subject` are of e-mails only."""

    locale: str
    """The language of the template that was used."""
    subject: str | None
    html: str | None
    text: str


class RenderError(Exception):
    """A message that cannot be rendered, to be held for a person. `code` is stable and says nothing of the lead.

    `lacking` are the names in the template that have no value; the error's text has them too.
    """

    def __init__(self, code: str, lacking: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {', '.join(lacking)}" if lacking else code)
        self.code = code
        self.lacking = lacking


def render(
    plan: Plan,
    channel: str,
    template: str,
    lead_locale: str | None,
    scope: Mapping[str, Any],
    subject: str | None = None,
    links: MakeLink = stand_in,
    *,
    marketing: bool = False,
) -> Rendered:
    """The message of that template, in the lead's language, else the same without region, else the default.

    `subject` is the step's own and takes the place of the template's; `links` makes the addresses of the
    message's links. A `marketing` e-mail shows the plan's postal address and a link to unsubscribe, whatever its
    template says. Raises RenderError.
    """
    key = f"{channel}:{template}"
    sources = plan.templates.get(key)
    if not sources:
        raise RenderError("no-template")
    locale = locale_for(lead_locale, set(sources), plan.locale)
    if locale is None:
        raise RenderError("no-locale")
    filling = None
    try:
        filling = _filling(plan, key, locale, subject)
        reader = Reader(_formats(lead_locale, locale), _zone(plan, scope), plan.currency)
        footer = (plan.postal_address, links) if marketing and channel == "email" else None
        return _rendered(filling, channel, locale, {**scope, LINKS: links}, reader, footer)
    except EvaluationError as error:
        lacking = filling.lacking(scope) if filling and error.code == "empty-value" else ()
        raise RenderError(error.code, lacking) from None
    except TemplateError:
        raise RenderError("bad-template") from None
    except RenderError:
        raise
    except Exception:  # whatever a library says may quote the lead: only our code leaves
        raise RenderError("cannot-render") from None


def _rendered(
    filling: Filling,
    channel: str,
    locale: str,
    scope: Mapping[str, Any],
    reader: Reader,
    footer: tuple[Mapping[str, str], MakeLink] | None,
) -> Rendered:
    body = filling.body(scope, reader)
    if channel != "email":
        text = _NARROW.sub(" ", body).strip()
        if not text:
            raise RenderError("empty-message")
        return Rendered(locale, None, None, text)
    subject = filling.subject(scope, reader)
    if not subject:
        raise RenderError("no-subject")
    html = html_of(filling.markup, body, subject, locale)
    if footer is not None:
        address, links = footer
        if not address:
            raise RenderError("no-postal-address")
        html = with_footer(html, locale, address, links)
    text = text_of(html)
    return Rendered(locale, subject, with_preheader(html, filling.preheader(scope, reader)), text)


def _filling(plan: Plan, key: str, locale: str, subject: str | None) -> Filling:
    cached = (plan.hash, key, locale, subject)
    filling = _CACHE.get(cached)
    if filling is None:
        filling = Filling(plan.templates[key][locale], subject)
        if len(_CACHE) >= _CACHE_SIZE:
            _CACHE.pop(next(iter(_CACHE)), None)
        _CACHE[cached] = filling
    return filling


def _formats(lead_locale: str | None, locale: str) -> Locale:
    """How to write dates and numbers: as the lead does, if the message is in the lead's language."""
    wanted = locale_of(lead_locale) if lead_locale else None
    used = locale_of(locale) or Locale("en")
    return wanted if wanted is not None and wanted.language == used.language else used


def _zone(plan: Plan, scope: Mapping[str, Any]) -> tzinfo:
    """The zone that the engine counts in (that of `now`), else the lead's, else the workspace's."""
    now = scope.get("now")
    if isinstance(now, datetime) and now.tzinfo is not None:
        return now.tzinfo
    lead = scope.get("lead")
    named = lead.get("timezone") if isinstance(lead, Mapping) else None
    try:
        return ZoneInfo(named or plan.timezone)
    except (KeyError, ValueError, OSError):
        return ZoneInfo(plan.timezone)
