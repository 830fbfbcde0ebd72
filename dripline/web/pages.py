"""The pages: runs and messages as they are, a message as it looks, a lead's story. Server-rendered, no scripts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from importlib import resources
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from dripline.clock import HouseClock, MachineClock
from dripline.ingest.refusal import Refused, erased_lead, unknown_lead
from dripline.language.sms import measure
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.store.house import pulled
from dripline.store.leads import read_lead
from dripline.store.overview import (
    count_messages,
    count_refused,
    count_runs,
    find_message,
    house_clock,
    list_messages,
    list_runs,
)
from dripline.store.plans import published
from dripline.story import tell
from dripline.web import saying

RUNS_A_PAGE = 25
MESSAGES_A_PAGE = 10

_POLICY = (
    "default-src 'none'; style-src 'self'{styles}; img-src 'self' data:{images}; font-src 'self' data:;"
    " frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PLAIN_POLICY = _POLICY.format(styles="", images="")
MAIL_POLICY = _POLICY.format(styles=" 'unsafe-inline'", images=" https:")
"""For pages that show e-mails: a srcdoc frame inherits the policy, and e-mails bring their own styles."""

_SENT = ("accepted", "delivered", "bounced")
_ATTENTION = ("held", "uncertain")


def build_pages(store: Store, workspace: Workspace, port: int, machine: MachineClock) -> APIRouter:
    """The router of the pages. `port` is told in the examples."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    pages = _Pages(store, workspace, port, machine)
    router.get("/")(pages.overview)
    router.get("/messages/{message}")(pages.message)
    router.get("/leads/{lead}")(pages.lead)
    router.get("/static/style.css")(pages.style)
    return router


def build_templates() -> Environment:
    """The pages' templates."""
    templates = Environment(
        loader=PackageLoader("dripline.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(framed=saying.framed, sms=measure, who=saying.who, since=saying.since)
    return templates


class _Pages:
    def __init__(self, store: Store, workspace: Workspace, port: int, machine: MachineClock) -> None:
        self._store = store
        self._zone = workspace.zone
        self._port = port
        self._machine = machine
        self._templates = build_templates()
        self._css = resources.files("dripline.web").joinpath("templates/style.css").read_text("utf-8")

    def overview(
        self,
        journey: Annotated[str | None, Query(max_length=128)] = None,
        show: Annotated[str, Query(pattern="^(all|open|ended)$")] = "all",
        after: Annotated[str | None, Query(max_length=64)] = None,
        mail: Annotated[int, Query(ge=1, le=100_000)] = 1,
        live: bool = False,
    ) -> HTMLResponse:
        """Runs and the mailbox."""
        is_open = {"all": None, "open": True, "ended": False}[show]
        with self._store.read() as connection:
            runs = list_runs(connection, journey, None, is_open, after, RUNS_A_PAGE)
            counts = count_runs(connection)
            skip = (mail - 1) * MESSAGES_A_PAGE
            messages, more = list_messages(connection, None, skip, MESSAGES_A_PAGE)
            states = count_messages(connection)
            refused = count_refused(connection)
            journeys = {one.plan.journey: one for one in published(connection)}
        chosen = {"journey": journey, "show": show, "after": after, "mail": mail, "live": live}
        return self._page(
            "overview.html",
            MAIL_POLICY,
            runs=runs,
            counts={name: counts.get(name, {}) for name in sorted({*counts, *journeys})},
            messages=messages,
            more=more,
            states=states,
            journeys=journeys,
            totals={**_totals(counts, states), "refused": refused},
            chosen=chosen,
            here=partial(saying.link, chosen),
            port=self._port,
        )

    def message(self, message: Annotated[str, Path(max_length=64)]) -> HTMLResponse:
        """One message as it looks."""
        with self._store.read() as connection:
            row = find_message(connection, message)
        if row is None:
            raise Refused(404, "unknown-message", "There is no such message.")
        moments = [(name, getattr(row, column)) for name, column in saying.MOMENTS if getattr(row, column)]
        return self._page("message.html", MAIL_POLICY, message=row, moments=moments)

    def lead(self, lead: Annotated[str, Path(max_length=128)]) -> HTMLResponse:
        """A lead and its whole story."""
        clock = house_clock(self._store)
        with self._store.read() as connection:
            row = read_lead(connection, lead)
            if row is None:
                raise unknown_lead()
            if row.erased_at is not None:
                raise erased_lead()
            story = tell(connection, row, clock, self._zone)
        by_day = saying.by_day(story.entries, self._zone)
        return self._page("lead.html", PLAIN_POLICY, lead=row, story=story, by_day=by_day)

    def style(self) -> Response:
        """The style sheet."""
        return Response(self._css, media_type="text/css", headers={"Cache-Control": "max-age=60"})

    def _page(self, template: str, policy: str, **context: Any) -> HTMLResponse:
        html = self._templates.get_template(template).render({**self._everywhere(), **context})
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    def _everywhere(self) -> Mapping[str, Any]:
        clock: HouseClock = house_clock(self._store)
        now = clock.to_house(self._machine())
        with self._store.read() as connection:
            brake = pulled(connection)
        return {
            "brake": brake,
            "now_said": now.astimezone(self._zone).strftime("%A, %-d %B %Y, %H:%M"),
            "zone": self._zone.key,
            "day": saying.say_length(timedelta(days=1) / clock.rate) if clock.rate != 1.0 else None,
            "time": lambda at: saying.moment(at, now, self._zone),
            "hour_of": lambda at: at.astimezone(self._zone).strftime("%H:%M:%S" if at.second else "%H:%M"),
        }


def _totals(counts: Mapping[str, Mapping[str, int]], states: Mapping[str, int]) -> dict[str, int]:
    """The four numbers at the top."""
    every = [(kind, number) for numbers in counts.values() for kind, number in numbers.items()]
    return {
        "open": sum(number for kind, number in every if kind == "open"),
        "ended": sum(number for kind, number in every if kind != "open"),
        "sent": sum(states.get(state, 0) for state in _SENT),
        "attention": sum(states.get(state, 0) for state in _ATTENTION),
    }
