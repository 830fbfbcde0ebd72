"""What an explanation is said with: every phrase once, in each language that journeys are explained in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """The phrases of one language. What stands in braces is filled in."""

    enters: str
    enters_by: str
    enters_by_hand: str
    enters_yearly: str
    enters_gathered: str
    in_segment: str
    for_whom: str
    at_pace: str
    own_clock: str
    our_clock: str
    every_day: str
    every_days: str
    every_week: str
    every_weeks: str
    every_month: str
    every_months: str
    month_day: str
    month_end: str
    just_once: str
    by_cron: str
    on_the_day: str
    only_if: str
    once: str
    once_per_key: str
    again: str
    again_per_key: str
    again_after: str
    holdout: str

    purpose: str
    goal: str
    goal_within: str
    goal_value: str

    leaves: str
    exit: str
    no_exit: str

    messages: str
    consent: str
    topic: str
    quiet_hours: str
    window: str
    limit: str
    limit_skips: str
    limit_waits: str
    throttle: str
    own_topic: str
    no_quiet_hours: str

    happens: str
    condition: str
    email: str
    email_titled: str
    sms: str
    transactional: str
    expires: str
    cannot_be_sent: str
    delay: str
    until: str
    no_date: str
    is_past: str
    goes_on: str
    ends: str
    skips_to: str
    wait: str
    at_most: str
    at_most_until: str
    for_ever: str
    of_last: str
    since_now: str
    since_start: str
    since_step: str
    since_ago: str
    when_it_comes: str
    when_the_time_is_up: str
    branch: str
    arm: str
    otherwise: str
    split: str
    share: str
    repeat: str
    times: str
    until_holds: str
    either: str
    remembers: str
    block: str
    survey: str
    awaits_answer: str
    when_answered: str
    when_not_answered: str
    changes: str
    sets: str
    takes_away: str
    adds_to_score: str
    adds_tags: str
    removes_tags: str
    enrolls: str
    unenrolls: str
    stops: str
    asks: str
    calls: str
    discount: str
    valid: str
    min_order: str
    most: str
    shared_code: str
    of_pool: str
    of_pool_or_own: str
    of_shop: str
    of_shop_or_own: str
    of_budget: str
    once_ever: str
    gift: str
    refers: str
    notifies: str
    assigns: str
    assigns_by: Mapping[str, str]
    keeps_owner: str
    reacts: str
    gives_task: str
    task_due: str
    task_then: str
    owner: str
    reminds: str
    to_that_day: str
    for_so_long: str
    unless: str
    each_time: str
    on_that_day: str
    finished: str

    or_: str
    and_: str
    comma: str
    quoted: str
    code: str
    next_time: str
    holiday: str
    before: str
    after: str
    weekday_from: str
    at: str
    minutes: str
    durations: Mapping[str, tuple[str, str]]
    """By unit, the word for one and for several."""
    durations_of: Mapping[str, str]
    """By unit, the word where a phrase says within which length, in languages in which it is another then."""
    weekdays: tuple[str, str, str, str, str, str, str]

    is_: str
    is_not: str
    is_true: str
    is_false: str
    more: str
    at_least: str
    less: str
    at_most_: str
    one_of: str
    none_of: str
    has: str
    has_not: str
    known: str
    unknown: str
    agreed: Mapping[str, tuple[str, str]]
    """By channel, that the lead agreed, and that it did not."""
    of_lead: str
    of_event: str
    of_other: str
    fields: Mapping[str, str]
    """What Dripline itself knows of a lead."""
    words: Mapping[str, str]
    """`today`, `now`, true and false."""
