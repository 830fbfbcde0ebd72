"""Whether what leaves the process can: functions that exist, with the arguments that they take."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.look import Look
from dripline.language.naming import every_step
from dripline.language.problems import Problem, did_you_mean, listed
from dripline.language.steps import CallStep, WebhookStep


def known_functions(look: Look) -> Iterator[Problem]:
    """Every function that a journey calls is in extensions.py, and gets the arguments that it takes."""
    functions = look.extensions.functions
    if look.extensions.broken:
        return
    for loc, step in every_step(look.journey.steps):
        if not isinstance(step, CallStep):
            continue
        name, given = step.call.function, set(step.call.with_)
        function = functions.get(name)
        here = (*loc, "call")
        if function is None:
            hint = did_you_mean(name, functions) or f"write `def {name}(…)` in extensions.py"
            message = f"extensions.py has no function `{name}`"
            yield look.draft.problem((*here, "function"), "unknown-function", message, hint)
            continue
        for odd in sorted(given - function.takes) if not function.anything else ():
            hint = did_you_mean(odd, function.takes) or f"it takes {listed(sorted(function.takes)) or 'none'}"
            message = f"`{name}` takes no `{odd}`"
            yield look.draft.problem((*here, "with", odd), "unknown-argument", message, hint, key=True)
        for lacking in sorted(function.needs - given):
            message = f"`{name}` needs `{lacking}`"
            yield look.draft.problem(here, "missing-argument", message, f"add `{lacking}: …` under `with`")


def whole_bodies(look: Look) -> Iterator[Problem]:
    """A webhook that asks with GET has no body."""
    for loc, step in every_step(look.journey.steps):
        if isinstance(step, WebhookStep) and step.webhook.method == "GET" and step.webhook.body is not None:
            yield look.draft.problem(
                (*loc, "webhook", "body"),
                "no-body-with-get",
                "a GET has no body",
                "use POST, or put it into the url",
                key=True,
            )
