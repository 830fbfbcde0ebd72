"""Issuing a discount: asked for in the turn and answered within it, or by the shop that makes the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from dripline.engine.calendar import valid_until
from dripline.engine.effects import Answer, AskOutside, IssueDiscount, Note, Wait
from dripline.engine.moving import Asking, Moving
from dripline.engine.sending import HOLDOUT
from dripline.language.money import to_major
from dripline.language.plan import DiscountStep
from dripline.language.texts import split_secrets

MAX_CODE = 64
"""Characters of a code that a shop makes."""


def issue(run: Moving, step: DiscountStep, visit: int) -> Asking:
    """Issue the lead's code, or none to a lead of the control group, and remember it under the step's name.

    Where a shop makes the code, ask it and rest until its answer.
    """
    if run.state.holdout:
        if step.result:
            run.remember(step.result, {"skipped": True, "reason": HOLDOUT})
        yield Note(run.at, step.id, "not-issued", {"reason": HOLDOUT})
        run.go_to(step.next)
    elif step.shop is not None:
        key = yield AskOutside(step.id, visit, "webhook", _request(run, step), run.at)
        run.steps_since_wait = 0
        run.state = replace(run.state, wait=Wait(run.at, None))
        yield Note(run.at, step.id, "asks", {"kind": "webhook", "key": key, "of": step.shop})
    else:
        yield from _issue(run, step, visit, run.at)


def issue_by_shop(run: Moving, step: DiscountStep, answer: Answer) -> Asking:
    """Issue the code that the shop has answered; where it made none, none or one of our own."""
    said, wait = answer.properties, run.state.wait
    assert wait is not None  # the caller has seen it
    code = _code_of(said)
    reason = None if code else str(said.get("reason") or "the answer has no code")
    told = {"ok": code is not None, "status": said.get("status"), "reason": reason}
    told = {name: value for name, value in told.items() if value is not None}
    yield Note(run.at, step.id, "answered", {"kind": "webhook", **told})
    if code is None and step.if_failing == "skip":
        reason = f"shop: {reason}"
        if step.result:
            run.remember(step.result, {"reason": reason, "is": "discount", "skipped": True})
        yield Note(run.at, step.id, "not-issued", {"reason": reason})
        run.go_to(step.next)
        return
    yield from _issue(run, step, answer.visit, wait.began, code)


def _issue(
    run: Moving, step: DiscountStep, visit: int, since: datetime, shop_code: str | None = None
) -> Asking:
    expires_on, expires_at = _end(run, step, since)
    issued = yield IssueDiscount(
        step=step.id,
        visit=visit,
        once_per_lead=step.once_per == "lead",
        shared_code=step.code,
        pool=step.pool,
        own_if_empty=step.if_empty == "own",
        shop=step.shop if shop_code else None,
        shop_code=shop_code,
        budget=step.budget,
        most=step.most,
        stacks=step.stacks,
        percent=step.percent,
        amount=step.amount,
        min_order=step.min_order,
        currency=step.currency,
        gift=step.gift,
        expires_on=expires_on,
        expires_at=expires_at,
        at=run.at,
    )
    if step.result:
        run.remember(step.result, {**issued, "is": "discount", "skipped": "code" not in issued})
    if "code" in issued:
        yield Note(
            run.at, step.id, "issued", {"code": issued["code"], "expires_on": issued.get("expires_on")}
        )
    else:
        yield Note(run.at, step.id, "not-issued", {"reason": issued["reason"]})
    run.go_to(step.next)


def _end(run: Moving, step: DiscountStep, since: datetime) -> tuple[str | None, datetime | None]:
    """The last day (ISO 8601) in the lead's zone, and the end of it (UTC)."""
    if step.valid is None:
        return None, None
    last_day, end = valid_until(since, step.valid, run.where)
    return last_day.isoformat(), end


def _request(run: Moving, step: DiscountStep) -> dict[str, Any]:
    """What the shop is asked, by the protocol of docs/shops.md. It is told no name and no address."""
    shop = run.plan.shops[step.shop or ""]
    _, expires_at = _end(run, step, run.at)
    money = {"amount": step.amount, "min_order": step.min_order, "most": step.most}
    body = {
        "lead": str(run.lead.get("id")),
        "journey": run.plan.journey,
        "step": step.id,
        "percent": step.percent,
        "gift": step.gift,
        "currency": step.currency,
        "expires_at": expires_at.astimezone(UTC).isoformat() if expires_at else None,
        "stacks": step.stacks,
        **{
            name: to_major(minor, step.currency) if minor is not None and step.currency else None
            for name, minor in money.items()
        },
    }
    headers = {
        name: [[kind, piece] for kind, piece in split_secrets(text)] for name, text in shop.headers.items()
    }
    return {"url": shop.url, "method": "POST", "headers": headers, "body": body}


def _code_of(said: Mapping[str, Any]) -> str | None:
    """The code of an answer: a short text without anything that does not belong into a code."""
    answer = said.get("json") if said.get("ok") else None
    code = answer.get("code") if isinstance(answer, Mapping) else None
    if not isinstance(code, str) or not code.isprintable() or not 0 < len(code.strip()) <= MAX_CODE:
        return None
    return code.strip() if any(letter.isalnum() for letter in code) else None
