"""Steps that leave the process: asked for in the turn, done outside it, answered by a later fact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dripline.engine.effects import Answer, AskOutside, Note, Wait
from dripline.engine.issuing import issue_by_shop
from dripline.engine.moving import Asking, Moving
from dripline.language.expressions import EvaluationError
from dripline.language.plan import CallStep, DiscountStep, WebhookStep
from dripline.language.texts import fill_text, fill_tree, split_secrets

MAX_REQUEST = 256 * 1024
"""Bytes of a request, as JSON."""

OUTSIDE = (WebhookStep, CallStep, DiscountStep)
"""The steps that rest until their answer comes; a discount only where a shop makes its code."""


def ask(run: Moving, step: WebhookStep | CallStep, visit: int) -> Asking:
    """Ask, and rest until the answer; a run of the control group asks nothing."""
    if run.state.holdout:
        if step.result:
            run.remember(step.result, {"ok": False, "skipped": True, "reason": "holdout"})
        yield Note(run.at, step.id, "not-asked", {"kind": step.verb, "reason": "holdout"})
        run.go_to(step.next)
        return
    request = _request(run, step)
    if len(json.dumps(request).encode()) > MAX_REQUEST:
        raise EvaluationError("request-too-large")
    key = yield AskOutside(step.id, visit, step.verb, request, run.at)
    run.steps_since_wait = 0
    run.state = replace(run.state, wait=Wait(run.at, None))
    yield Note(run.at, step.id, "asks", {"kind": step.verb, "key": key, "of": _whom(step)})


def take_answer(run: Moving, step: WebhookStep | CallStep | DiscountStep, answer: Answer) -> Asking:
    """Go on with the answer, if it is the one that this very visit waits for."""
    if answer.visit != run.state.visits.get(step.id):
        return
    if isinstance(step, DiscountStep):
        yield from issue_by_shop(run, step, answer)
        return
    said = answer.properties
    yield Note(run.at, step.id, "answered", {"kind": step.verb, **_said(said)})
    if isinstance(step, CallStep) and not said.get("ok"):
        run.go_to(step.id)  # the next turn calls again, as another visit
        raise EvaluationError(str(said.get("reason") or "call-failed"))
    if step.result:
        run.remember(step.result, said)
    run.go_to(step.next)


def _request(run: Moving, step: WebhookStep | CallStep) -> dict[str, Any]:
    names = run.names()
    if isinstance(step, CallStep):
        return {"function": step.function, "arguments": fill_tree(step.arguments, names)}
    headers = {
        name: [
            [kind, piece if kind == "secret" else fill_text(piece, names)]
            for kind, piece in split_secrets(text)
        ]
        for name, text in step.headers.items()
    }
    body = None if step.body is None else fill_tree(step.body, names)
    return {"url": fill_text(step.url, names), "method": step.method, "headers": headers, "body": body}


def _whom(step: WebhookStep | CallStep) -> str:
    return step.function if isinstance(step, CallStep) else step.id


def _said(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in ("ok", "status", "reason") if name in said}
