"""Issuing a discount: asked for in the turn and answered within it."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from dripline.engine.calendar import add, at_local
from dripline.engine.effects import IssueDiscount, Note
from dripline.engine.moving import Asking, Moving
from dripline.engine.sending import HOLDOUT
from dripline.language.plan import DiscountStep


def issue(run: Moving, step: DiscountStep, visit: int) -> Asking:
    """Issue the lead's code, or none to a lead of the control group, and remember it under the step's name."""
    if run.state.holdout:
        if step.result:
            run.remember(step.result, {"skipped": True, "reason": HOLDOUT})
        yield Note(run.at, step.id, "not-issued", {"reason": HOLDOUT})
        run.go_to(step.next)
        return
    expires_on = expires_at = None
    if step.valid:
        last_day = add(run.at, step.valid, run.where).astimezone(run.where).date()
        expires_on = last_day.isoformat()
        expires_at = at_local(datetime.combine(last_day + timedelta(days=1), time()), run.where)
    issued = yield IssueDiscount(
        step=step.id,
        visit=visit,
        once_per_lead=step.once_per == "lead",
        shared_code=step.code,
        pool=step.pool,
        own_if_empty=step.if_empty == "own",
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
