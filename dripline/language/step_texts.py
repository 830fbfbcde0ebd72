"""The texts of a step that are filled in when it is reached, with where each stands."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.people import TaskStep
from dripline.language.positions import Loc
from dripline.language.steps import CallStep, Step, WebhookStep
from dripline.language.texts import split_secrets, texts_of


def step_texts(step: Step) -> Iterator[tuple[Loc, str]]:
    """Every such text, its place counted from the step. Secrets in headers are left out: nobody reads them."""
    if isinstance(step, WebhookStep):
        yield ("webhook", "url"), step.webhook.url
        for name, header in step.webhook.headers.items():
            for kind, piece in split_secrets(header):
                if kind == "text":
                    yield ("webhook", "headers", name), piece
        yield from texts_of(step.webhook.body, ("webhook", "body"))
    elif isinstance(step, TaskStep):
        yield ("task", "title"), step.task.title
    elif isinstance(step, CallStep):
        yield from texts_of(step.call.with_, ("call", "with"))
