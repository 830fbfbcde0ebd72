"""Giving a lead its link for friends: asked for in the turn and answered within it."""

from __future__ import annotations

from dripline.engine.effects import GiveReferralCode, Note
from dripline.engine.moving import Asking, Moving
from dripline.engine.sending import HOLDOUT
from dripline.language.plan import ReferralStep


def refer(run: Moving, step: ReferralStep) -> Asking:
    """Remember the lead's link and code under the step's name; none for a lead of the control group."""
    given = {"reason": HOLDOUT}
    if not run.state.holdout:
        given = yield GiveReferralCode(step=step.id, program=step.program, at=run.at)
    if step.result:
        run.remember(step.result, {**given, "skipped": "code" not in given})
    reason = None if "code" in given else given["reason"]
    yield Note(run.at, step.id, "refers", {"program": step.program, "reason": reason})
    run.go_to(step.next)
