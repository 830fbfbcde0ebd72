"""What all pages share: their templates, what stands around each, and what a browser may load for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import Connection

from dripline.clock import MachineClock
from dripline.language.labels import say_reentry, say_step, say_trigger
from dripline.language.sms import measure
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.store.held import count_held
from dripline.store.house import pulled
from dripline.store.overview import house_clock
from dripline.store.plans import load_plan
from dripline.story import standing
from dripline.story.hands import say_end, say_how, say_source
from dripline.web import saying
from dripline.web.visit import visit

_POLICY = (
    "default-src 'none'; style-src 'self'{styles}; img-src 'self' data:{images}; font-src 'self' data:;"
    " frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PLAIN_POLICY = _POLICY.format(styles="", images="")
MAIL_POLICY = _POLICY.format(styles=" 'unsafe-inline'", images=" https:")
"""For pages that show e-mails: a srcdoc frame inherits the policy, and e-mails bring their own styles."""

_REFERRER = {"Referrer-Policy": "same-origin"}
"""With `no-referrer` browsers say `Origin: null` when a form of ours is sent, as if it were another site's."""


def build_templates() -> Environment:
    """The pages' templates."""
    templates = Environment(
        loader=PackageLoader("dripline.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(
        framed=saying.framed,
        preview_height=saying.preview_height,
        snippet=saying.snippet,
        sms=measure,
        who=saying.who,
        since=saying.since,
        link=saying.link,
        say_trigger=say_trigger,
        say_reentry=say_reentry,
        say_step=say_step,
        say_end=say_end,
        say_how=say_how,
        say_source=say_source,
    )
    templates.filters["number"] = saying.number
    templates.filters["opening"] = saying.opening
    templates.filters["language"] = saying.language
    templates.filters["country"] = saying.country
    return templates


class Frame:
    """Makes pages: a template, and around it the clock, the way to the other pages, and the brake if it is pulled."""

    def __init__(
        self, store: Store, workspace: Workspace, machine: MachineClock, secret: str | None = None
    ) -> None:
        self.store = store
        self.secret = secret
        self.workspace = workspace
        self.zone = workspace.zone
        self._machine = machine
        self._templates = build_templates()

    def page(
        self, template: str, policy: str = PLAIN_POLICY, where: tzinfo | None = None, **context: Any
    ) -> HTMLResponse:
        """The page of that template. It stands at `here` in the navigation, where the context says so.

        Its times are told in the zone `where`, by default the workspace's.
        """
        html = self._templates.get_template(template).render({**self._around(where or self.zone), **context})
        return HTMLResponse(html, headers={"Content-Security-Policy": policy, **_REFERRER})

    def called(self, person: str) -> str:
        """A person of dripline.yaml by name."""
        known = self.workspace.people.get(person)
        return known.name or person if known else person

    def now(self) -> datetime:
        """The house's time."""
        return house_clock(self.store).to_house(self._machine())

    def bare(self, template: str, **context: Any) -> HTMLResponse:
        """A page for those who are not logged in: it tells nothing of the installation."""
        html = self._templates.get_template(template).render(visit=visit(), **context)
        return HTMLResponse(html, headers={"Content-Security-Policy": PLAIN_POLICY, **_REFERRER})

    def stands(self, connection: Connection, runs: Iterable[Any]) -> dict[str, str]:
        """Where runs stand, in words, by their ids."""
        return {
            run.id: standing(run, self.zone, load_plan(connection, run.plan_hash))
            for run in runs
            if run.ended_at is None and run.parked_reason is None
        }

    def _around(self, where: tzinfo) -> Mapping[str, Any]:
        clock = house_clock(self.store)
        now = clock.to_house(self._machine())
        with self.store.read() as connection:
            brake = pulled(connection)
            held = sum(count_held(connection).values())
        return {
            "here": None,
            "visit": visit(),
            "who": saying.who if visit().may("read-leads") else saying.who_for_viewers,
            "brake": brake,
            "held": held,
            "now_said": now.astimezone(self.zone).strftime("%A, %-d %B %Y, %H:%M"),
            "zone": self.zone.key,
            "day": saying.say_length(timedelta(days=1) / clock.rate) if clock.rate != 1.0 else None,
            "off": lambda at: saying.off(at, now),
            "time": lambda at: saying.moment(at, now, where),
        }
