"""The shop's year: its people come, do as they please, and react to what they are sent."""

from __future__ import annotations

import random
import re
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from dripline.ingest.incoming import EventIn, LeadIn
from dripline.ingest.redeeming import Purchase
from dripline.ingest.refusal import Refused
from dripline.ingest.reports import take_report
from dripline.language.links import AnswerLink, ConfirmLink, Link, SurveyLink, UnsubscribeLink
from dripline.links import Claim, Links
from dripline.providers import DeliveryReport, Outgoing
from dripline.store.database import Store
from dripline.store.house import open_house
from tests.year.driver import Installation
from tests.year.people import PRODUCTS, Does, Shopper, shoppers, when

_LINK = re.compile(r"/l/([A-Za-z0-9_.=-]{20,})")
_CODE = re.compile(r"\b[0-9A-Z]{5}-[0-9A-Z]{5}\b")


class Shop:
    """So many people over a year, by a seed. `run` lets the year pass."""

    def __init__(self, store: Store, root: Path, start: datetime, number: int, seed: int) -> None:
        self.house = Installation(store, root, start, self._sent)
        self.start = start
        self._store = store
        self._draw = random.Random(seed + 1)
        with store.write() as connection:
            self._links = Links(open_house(connection).secret)
        self._by_address: dict[str, Shopper] = {}
        self._phones: set[str | None] = set()
        self.sent: list[str] = []
        """The keys of all messages that left."""
        for one in shoppers(number, seed):
            self.house.at(start + one.comes, partial(self._comes, one))

    def run(self) -> None:
        """Let the year pass."""
        seen = sys.stderr.isatty()
        for day in track(range(1, 366), "A year", 365, console=Console(stderr=True), disable=not seen):
            self.house.live(self.start + timedelta(days=day))

    # -- of their own accord ---------------------------------------------------------------------------------

    def _comes(self, one: Shopper) -> None:
        body: dict[str, Any] = one.person.body(agrees=one.agrees, historical=False)
        if one.touch:
            body["touch"] = one.touch
        if body.get("phone") in self._phones:  # the numbers that are nobody's do not suffice for so many
            body["phone"] = None
        self._phones.add(body.get("phone"))
        self.house.ingest.upsert_lead(LeadIn.model_validate(body))
        self._by_address.update({one.person.email: one})
        for act in one.does:
            self.house.at(when(self.start, one, act), partial(self._does, one, act))

    def _does(self, one: Shopper, act: Does) -> None:
        if act.event == "stage":
            said = {"external_id": one.id, "stage": act.properties["stage"]}
            self.house.ingest.upsert_lead(LeadIn.model_validate(said))
            return
        said = {"name": act.event, "lead": one.id, "properties": act.properties}
        if act.event == "order.paid":
            said["id"] = f"paid/{act.properties['order_id']}"
        self.house.ingest.record_event(EventIn.model_validate(said))

    # -- what a message makes them do ------------------------------------------------------------------------

    def _sent(self, message: Outgoing) -> None:
        self.sent.append(message.key)
        one = self._by_address.get(message.to)
        now, draw = self.house.now, self._draw
        bounced = draw.random() < 0.01
        self._told(message, "bounced" if bounced else "delivered", now + timedelta(minutes=2))
        if one is None or bounced or draw.random() > one.answers:
            return
        hours = timedelta(hours=1 + draw.random() * 30)
        if message.channel == "email":
            self._told(message, "opened", now + hours)
            if draw.random() < 0.6:
                self._told(message, "clicked", now + hours + timedelta(minutes=1))
        self._reacts(one, message, now + hours + timedelta(minutes=2))

    def _told(self, message: Outgoing, kind: str, at: datetime) -> None:
        link = "https://www.dripline.example/pricing" if kind == "clicked" else None
        report = DeliveryReport(message.key, kind, at, link=link)
        self.house.at(at, lambda: take_report(self._store, report, machine=self.house.clock))

    def _reacts(self, one: Shopper, message: Outgoing, at: datetime) -> None:
        claims = [claim for token in _tokens(message) if (claim := self._links.read(token)) is not None]
        answers = [claim for claim in claims if _is_answer(claim.link)]
        leave = [claim for claim in claims if isinstance(claim.link, UnsubscribeLink)]
        chance = self._draw.random()
        if answers and chance < 0.7:
            self._follow(self._draw.choice(answers), at)
        elif leave and 0.7 <= chance < 0.72:
            self._follow(leave[0], at)
        code = _CODE.search(message.text)
        if code and chance > 0.5:
            self.house.at(at + timedelta(days=1), lambda: self._redeems(one, code[0]))

    def _follow(self, claim: Claim, at: datetime) -> None:
        match claim.link:
            case SurveyLink(str(answer)):
                self.house.at(at, lambda: self.house.ingest.pick(claim, answer))
            case _:
                self.house.at(at, lambda: self.house.ingest.follow(claim))

    def _redeems(self, one: Shopper, code: str) -> None:
        product = self._draw.choice(sorted(PRODUCTS))
        order = f"{one.id}/{code}"
        total = Decimal(PRODUCTS[product])
        try:
            row = self.house.ingest.redeem(code, Purchase(order, None, total, "AMD"))
        except Refused:  # too late, or too small an order
            return
        paid = total - Decimal(row.given or 0) / 100
        properties = {"order_id": order, "total": float(paid), "currency": "AMD", "items": [product]}
        self._does(one, Does(0, "order.paid", properties))


def _is_answer(link: Link) -> bool:
    """Whether to follow it is to answer; one to a survey's page is not, before something is chosen there."""
    if isinstance(link, SurveyLink):
        return link.answer is not None
    return isinstance(link, AnswerLink | ConfirmLink)


def _tokens(message: Outgoing) -> list[str]:
    return list(dict.fromkeys(_LINK.findall(message.html or message.text)))
