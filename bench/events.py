"""Events taken in: how many a second are answered, and how many a second are done with."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.asking import Tell, mailed, resting, until
from bench.crowd import Caller, Crowd
from bench.programs import Installation


@dataclass(frozen=True)
class Rates:
    """Events a second. `processed` counts until the last of the runs that they woke has sent its message."""

    accepted: float
    web: float
    """Milliseconds of the web process's CPU an event, until all were accepted."""
    processed: float | None = None


def unheard(at: Installation, crowd: Crowd, single: int, batched: int, tell: Tell) -> tuple[Rates, Rates]:
    """Events that no run listens for, of leads each of whom is in a journey: one by one, and in batches."""
    leads = crowd.take(200)
    caller = Caller(at.web_port)
    mails = mailed(at)
    caller.say_in_batches("bench.waits", leads)
    until(lambda: mailed(at) >= mails + len(leads))
    time.sleep(1.0)
    spent = at.web.cpu()
    whom = leads * (1 + max(single, batched) // len(leads))
    seconds = caller.say_singly("page.viewed", whom[:single], path="/prices")
    one_by_one = Rates(single / seconds, (at.web.cpu() - spent) / single * 1e3)
    tell(0.5)
    spent = at.web.cpu()
    seconds = caller.say_in_batches("page.viewed", whom[:batched], path="/prices")
    return one_by_one, Rates(batched / seconds, (at.web.cpu() - spent) / batched * 1e3)


def heard(at: Installation, crowd: Crowd, count: int, tell: Tell) -> tuple[Rates, Rates]:
    """Events that end a run's wait, one for each run: half of them one by one, half in batches."""
    leads = crowd.take(count)
    caller = Caller(at.web_port)
    mails = mailed(at)
    rested = resting(at, "answer")
    caller.say_in_batches("bench.waits", leads)
    until(lambda: mailed(at) >= mails + count and resting(at, "answer") >= rested + count)
    tell(0.4)
    half = count // 2
    rates = []
    for number, (whom, say) in enumerate(
        ((leads[:half], caller.say_singly), (leads[half:], caller.say_in_batches))
    ):
        time.sleep(1.0)
        mails, spent, began = mailed(at), at.web.cpu(), time.monotonic()
        accepted = say("bench.answered", whom, score=7)
        web = at.web.cpu() - spent
        until(lambda mails=mails, whom=whom: mailed(at) >= mails + len(whom))  # type: ignore[misc]
        processed = time.monotonic() - began
        rates.append(Rates(len(whom) / accepted, web / len(whom) * 1e3, len(whom) / processed))
        tell(0.7 + 0.3 * number)
    return rates[0], rates[1]
