"""A made-up shop in a store: leads with touches, runs, messages and orders, the same each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert

from dripline.language.plan import Goal, Plan, Share, SplitStep
from dripline.language.workspace import Workspace
from dripline.store import schema
from dripline.store.plans import publish
from tests.engine.plans import email, on, plan

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2027, 6, 1, 9, tzinfo=UTC)
WORKSPACE = Workspace.model_validate({"timezone": "Asia/Yerevan", "locales": ["en"], "currency": "USD"})
SOURCES = (
    ("google", "cpc", "paid-search", "spring"),
    ("facebook", "social", "social", None),
    ("news.am", "referral", "referral", "article"),
    (None, None, "direct", None),
)


def offer() -> Plan:
    """A journey with a split, a control group and a goal."""
    return plan(
        SplitStep(
            id="lot",
            arms=(Share(name="a", percent=50, to="email:a"), Share(name="b", percent=50, to="email:b")),
        ),
        email("a"),
        email("b"),
        journey="offer",
        holdout=10,
        goal=Goal(on=on("order.paid"), value="event.total"),
    )


class Shop:
    """Fills a store: half a year, so many leads."""

    def __init__(self, leads: int = 300, seed: int = 6) -> None:
        self._rng = np.random.default_rng(seed)
        self._leads = leads
        self.rows: dict[str, list[dict[str, Any]]] = {
            name: []
            for name in (
                "leads",
                "touches",
                "runs",
                "step_log",
                "messages",
                "orders",
                "assignments",
                "tasks",
                "stage_changes",
                "discounts",
            )
        }
        self._luck = np.random.default_rng(seed + 1)
        for number in range(leads):
            self._lead(number)

    def fill(self, connection: Connection) -> None:
        """Write everything."""
        journey = offer()
        publish(connection, journey, BEGIN)
        for name in ("runs", "messages"):
            for row in self.rows[name]:
                row["plan_hash"] = journey.hash
        for name, rows in self.rows.items():
            connection.execute(insert(schema.metadata.tables[name]), rows)

    def _chance(self, share: float) -> bool:
        return bool(self._rng.random() < share)

    def _after(self, at: datetime, days: float) -> datetime:
        return at + timedelta(seconds=int(self._rng.exponential(days * 86_400)))

    def _lead(self, number: int) -> None:
        id_ = f"lead-{number:05}"
        came = BEGIN + timedelta(seconds=int(self._rng.integers(0, 170 * 86_400)))
        merged = "lead-00000" if number and self._chance(0.02) else None
        self.rows["leads"].append(
            {
                "id": id_,
                "owner": (None, "anna", "bagrat")[self._rng.integers(3)],
                "warmth": ("cold", "warm", "hot", None)[number % 4],
                "country": ("AM", "GE", None)[self._rng.integers(3)],
                "consent": {},
                "topics": {},
                "attributes": {},
                "lacks": [] if self._chance(0.9) else ["contact"],
                "created_at": came,
                "updated_at": came,
                "merged_into": merged,
            }
        )
        if merged:
            return
        for _ in range(int(self._rng.integers(0, 4))):
            self._touch(id_, self._after(came, 10))
        self._run(id_, number, came)
        self._hand_over(id_, came)
        if number % 4:
            self._discount(id_, number, came)
        if number % 3 == 0:
            self._is_lost(id_, number, came)
        while self._chance(0.4):
            came = self._after(came, 20)
            self._order(id_, came)

    def _touch(self, lead: str, at: datetime) -> None:
        source, medium, channel, campaign = SOURCES[self._rng.integers(4)]
        paid = source == "google"
        self.rows["touches"].append(
            {
                "lead_id": lead,
                "at": at,
                "source": source,
                "medium": medium,
                "channel": channel,
                "campaign": campaign,
                "cost": int(self._rng.integers(20, 200)) if paid else None,
                "currency": "USD" if paid else None,
            }
        )

    def _run(self, lead: str, number: int, at: datetime) -> None:
        run, holdout, arm = f"run-{number:05}", self._chance(0.1), "ab"[self._rng.integers(2)]
        is_over = self._chance(0.8)
        converted = self._after(at, 5) if self._chance(0.3 if arm == "b" else 0.2) else None
        self.rows["runs"].append(
            {
                "id": run,
                "lead_id": lead,
                "journey": "offer",
                "holdout": holdout,
                "variables": {},
                "visits": {"lot": 1, f"email:{arm}": 1},
                "accepted": [],
                "step": f"email:{arm}",
                "started_at": at,
                "last_at": at,
                "ended_at": at if is_over else None,
                "outcome": "finished" if is_over else None,
                "converted_at": converted,
                "goal_value": float(self._rng.integers(5, 80)) if converted else None,
            }
        )
        for step, what, detail in (("lot", "split", {"arm": arm}), (f"email:{arm}", "queued", {})):
            self.rows["step_log"].append(
                {"run_id": run, "turn": 1, "at": at, "step": step, "what": what, "detail": detail}
            )
        self._message(lead, run, f"email:{arm}", at)

    def _discount(self, lead: str, number: int, at: datetime) -> None:
        """Percentages, amounts and gifts; redeemed, taken back, run out, or as they were."""
        draw, fate = self._luck, self._luck.random()
        issued = at + timedelta(days=float(draw.random() * 9))
        redeemed = issued + timedelta(days=float(draw.exponential(3))) if fate < 0.3 else None
        total = int(draw.integers(1_000, 90_000)) if redeemed and draw.random() < 0.9 else None
        kind = number % 3
        given = None if total is None else (total * 15 // 100, min(total, 5_000), 0)[kind]
        currency = ("USD", "AMD")[int(draw.random() < 0.2)]
        self.rows["discounts"].append(
            {
                "id": f"discount-{number:05}",
                "code": f"CODE-{number}",
                "plain_code": f"CODE{number}",
                "shared": False,
                "lead_id": lead,
                "run_id": f"run-{number:05}" if number % 5 else None,
                "journey": "offer" if number % 5 else "referral/friends",
                "step": "discount",
                "visit": 1,
                "percent": 15.0 if kind == 0 else None,
                "amount": 5_000 if kind == 1 else None,
                "gift": "a mug" if kind == 2 else None,
                "currency": currency if kind == 1 or total is not None else None,
                "issued_at": issued,
                "expires_at": (None, NOW - timedelta(days=9), NOW + timedelta(days=9))[number % 7 % 3],
                "redeemed_at": redeemed,
                "total": total,
                "given": given,
                "redeemed_for": f"order-{number // 2}" if redeemed else None,
                "revoked_at": issued + timedelta(hours=3) if 0.3 <= fate < 0.4 else None,
                "pool": "partner" if number % 6 == 0 else None,
                "budget": ("spring", "autumn", None)[number % 8 % 3],
            }
        )

    def _message(self, lead: str, run: str, step: str, at: datetime) -> None:
        accepted = at + timedelta(minutes=5) if self._chance(0.9) else None
        opened = self._after(at, 1) if accepted and self._chance(0.5) else None
        clicked = self._after(opened, 0.1) if opened and self._chance(0.4) else None
        bounced = accepted if accepted and not opened and self._chance(0.05) else None
        self.rows["messages"].append(
            {
                "id": f"message-{run}",
                "run_id": run,
                "lead_id": lead,
                "journey": "offer",
                "step": step,
                "visit": 1,
                "channel": "email",
                "template": step.removeprefix("email:"),
                "transactional": False,
                "priority": 50,
                "context": {},
                "recipient": f"{lead}@{('example.com', 'Example.net')[self._rng.integers(2)]}",
                "queued_at": at,
                "written_at": at,
                "progress_at": at,
                "accepted_at": accepted,
                "delivered_at": accepted if not bounced else None,
                "first_opened_at": opened,
                "first_clicked_at": clicked,
                "bounced_at": bounced,
                "skipped_at": None if accepted else at,
            }
        )

    def _hand_over(self, lead: str, at: datetime) -> None:
        for time in range(int(self._rng.integers(0, 3))):
            person = ("anna", "bagrat", None)[self._rng.integers(3)]
            reacted = self._after(at, 0.2) if person and self._chance(0.8) else None
            self.rows["assignments"].append(
                {
                    "lead_id": lead,
                    "person": person,
                    "at": at,
                    "how": "load",
                    "why": {},
                    "terms": {},
                    "reacted_at": reacted,
                    "ended": None if reacted else "no-reaction",
                }
            )
            if person:
                done = self._after(at, 1) if self._chance(0.7) else None
                task = {"id": f"task-{lead}-{time}", "lead_id": lead, "person": person, "title": "Call"}
                self.rows["tasks"].append({**task, "created_at": at, "done_at": done})
            at = self._after(at, 10)

    def _is_lost(self, lead: str, number: int, at: datetime) -> None:
        """Every third is lost, of these every second is of another stage later, and some are lost once more."""
        about = {"lead_id": lead, "source": "api", "owner": ("anna", "bagrat")[number % 2]}
        stages = ("lost", "reawakened", "lost")[: 1 + number % 2 + (number % 5 == 0)]
        for place, after in enumerate(stages):
            reason = ("price", "time", None)[(number // 3 + place) % 3]
            when = at + timedelta(days=3 + 11 * place + number % 7)
            self.rows["stage_changes"].append({**about, "at": when, "after": after, "reason": reason})

    def _order(self, lead: str, at: datetime) -> None:
        total = int(self._rng.integers(500, 20_000))
        self.rows["orders"].append(
            {
                "lead_id": lead,
                "at": at,
                "total": total,
                "currency": "USD" if self._chance(0.9) else "AMD",
                "refunded": int(self._rng.integers(1, total)) if self._chance(0.1) else 0,
            }
        )
