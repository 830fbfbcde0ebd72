"""What leaves the process, in the made-up world: calls that are answered at once, and discounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dripline.engine.effects import Answer, AskOutside, GiveReferralCode, IssueDiscount
from dripline.language.links import STANDS_FOR
from dripline.language.money import to_major
from dripline.language.plan import DiscountStep
from dripline.links import FRIENDS
from dripline.simulate.state import Run, State
from dripline.simulate.timeline import Entry

_WELL: Mapping[str, Mapping[str, Any]] = {
    "webhook": {"ok": True, "status": 200, "json": {}},
    "call": {"ok": True, "result": None},
}
"""What the world answers where a scenario does not say it."""


class Outside:
    """Answers the effects that production does outside the turn, or with secrets."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._issued: dict[str, dict[str, Any]] = {}

    def ask(self, run: Run, wanted: AskOutside) -> str:
        """Note the call; its answer is there for the next turn."""
        key = f"{run.id}/{wanted.step}/{wanted.visit}"
        said = {"skipped": False, **_WELL[wanted.kind], **self._state.answers.get(wanted.step, {})}
        if _of_a_shop(run, wanted.step):  # what is worth telling is the discount
            refused = {"ok": False, "status": 422}
            said |= refused if "reason" in said else {"json": {"code": f"SHOP-{len(self._issued) + 1:03}"}}
        else:
            name = wanted.request["url"] if wanted.kind == "webhook" else wanted.request["function"]
            self._deed(run, wanted, wanted.kind, {"name": name})
        run.answered.append(Answer(f"answer-{key}", "", said, wanted.at, wanted.step, wanted.visit))
        return key

    def issue(self, run: Run, wanted: IssueDiscount) -> dict[str, Any]:
        """A discount with a made-up code, the same again for the same step and visit (or lead).

        Pools and budgets are never empty, unless the scenario's answer of the step has a `reason`.
        """
        key = (
            f"{run.plan.journey}/{wanted.step}"
            if wanted.once_per_lead
            else f"{run.id}/{wanted.step}/{wanted.visit}"
        )
        if key not in self._issued:
            refused = self._state.answers.get(wanted.step, {}).get("reason")
            if refused is not None and not _of_a_shop(run, wanted.step):
                return {"reason": str(refused)}
            code = wanted.shared_code or wanted.shop_code
            code = code or f"MADE-UP-{len(self._issued) + 1:03}"  # as long as a real one
            self._issued[key] = _said(wanted, code)
            self._deed(run, wanted, "discount", {**self._issued[key], "name": worth(self._issued[key])})
        return self._issued[key]

    def refer(self, wanted: GiveReferralCode) -> dict[str, Any]:
        """A made-up link, the same for a program. The scenario's answer of the step may have a `reason` for none."""
        refused = self._state.answers.get(wanted.step, {}).get("reason")
        if refused is not None:
            return {"reason": str(refused)}
        code = "MADEU-PC2DE"
        link = f"{STANDS_FOR}{FRIENDS}{code}"
        return {"code": code, "link": link, "qr": f"{link}.png"}

    def _deed(
        self,
        run: Run,
        wanted: AskOutside | IssueDiscount,
        what: str,
        detail: Mapping[str, Any],
    ) -> None:
        self._state.timeline.append(
            Entry(wanted.at, "deed", what, run.plan.journey, run.id, wanted.step, detail)
        )


def _of_a_shop(run: Run, step: str) -> bool:
    """Whether the step is a discount whose code a shop makes: then that is what the scenario's answer is about."""
    found = run.plan.by_id[step]
    return isinstance(found, DiscountStep) and found.shop is not None


def _said(wanted: IssueDiscount, code: str) -> dict[str, Any]:
    money = {"amount": wanted.amount, "min_order": wanted.min_order, "most": wanted.most}
    percent = wanted.percent
    said = {
        "code": code,
        "expires_on": wanted.expires_on,
        "percent": int(percent) if percent is not None and percent == int(percent) else percent,
        "gift": wanted.gift,
        "currency": wanted.currency,
        **{
            name: to_major(minor, wanted.currency)
            for name, minor in money.items()
            if minor is not None and wanted.currency
        },
    }
    return {name: value for name, value in said.items() if value is not None}


def worth(said: Mapping[str, Any]) -> str:
    """What it is, as an author would write it: `15%`, `5000 AMD`, `a cup`."""
    if "percent" in said:
        return f"{said['percent']}%"
    return f"{said['amount']} {said['currency']}" if "amount" in said else str(said.get("gift", ""))
