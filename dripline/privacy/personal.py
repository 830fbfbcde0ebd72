"""Every column of every table: whether it may tell something of a lead, and what erasing does with it.

This is the one place. A test holds it against the schema, so that no column is added without a decision;
erasing does what it says here, so that no decision is without effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Whose = Literal["lead", "run", "message", "elsewhere", "nobody"]
"""By what a row belongs to a lead: its id, one of its runs, one of its messages, or in a way of its own."""

Fate = Literal["emptied", "deleted", "kept"]


@dataclass(frozen=True)
class Rule:
    """What erasing a lead does with its rows of a table.

    `emptied`: the personal columns hold nothing afterwards, the row stays and is counted. `deleted`: the rows
    go. `kept`: nothing in it is about a lead.
    """

    fate: Fate
    whose: Whose
    personal: tuple[str, ...]
    plain: tuple[str, ...]
    by: tuple[str, ...] = ()
    """The columns that say whose the row is."""


def _rule(fate: Fate, whose: Whose, by: str = "", *, personal: str = "", plain: str = "") -> Rule:
    return Rule(fate, whose, tuple(personal.split()), tuple(plain.split()), tuple(by.split()))


def _kept(plain: str) -> Rule:
    return _rule("kept", "nobody", plain=plain)


RULES: dict[str, Rule] = {
    # Rows that hold others' keys go before those that they point to.
    "inbox": _rule(
        "deleted",
        "run",
        "run_id",
        personal="event_id payload",
        plain="seq run_id kind received_at taken_in",
    ),
    "leads": _rule(
        "emptied",
        "lead",
        "id",
        personal="external_id email phone locale timezone country stage score tags owner consent topics attributes"
        " paused_until tracking first_touch last_touch lacks grade warmth rescore_at rfm"
        " segments stage_at owner_at customer",
        plain="id created_at updated_at merged_into erased_at",
    ),
    "segment_members": _rule("deleted", "lead", "lead_id", personal="segment", plain="lead_id entered_at"),
    "identities": _rule("deleted", "lead", "lead_id", personal="kind value", plain="lead_id created_at"),
    "merges": _rule(
        "emptied",
        "lead",
        "winner_id loser_id",
        personal="detail",
        plain="id winner_id loser_id at cause by undone_at undone_by",
    ),
    # What is left counts what a channel brought and cost. Names of campaigns come from addresses that anybody
    # may have written.
    "touches": _rule(
        "emptied",
        "lead",
        "lead_id",
        personal="source medium campaign term content page referrer event_id",
        plain="id lead_id at channel cost currency",
    ),
    # The proof is replaced by keyed hashes of the addresses: who brings a claim names the address.
    "consents": _rule(
        "emptied",
        "lead",
        "lead_id",
        personal="proof event_id",
        plain="id lead_id channel topic state at source",
    ),
    "memberships": _rule("deleted", "lead", "lead_id", personal="group_id", plain="lead_id created_at"),
    # Of companies, not of people; it goes with the last lead that belonged to it.
    "groups": _rule("deleted", "elsewhere", personal="id traits", plain="created_at updated_at"),
    "import_rows": _rule(
        "deleted",
        "lead",
        "lead_id",
        personal="before after",
        plain="import_id line lead_id what undone",
    ),
    "runs": _rule(
        "emptied",
        "lead",
        "lead_id",
        personal="key trigger_event variables loops last_event accepted outcome_reason parked_reason",
        plain="id lead_id journey plan_hash priority holdout depth turn step wait until visits last_message_at"
        " started_at last_at ended_at outcome held_at frozen_for converted_at goal_value wake_wanted wake_done"
        " wake_wanted_at",
    ),
    # The caller's ids of events may be made of anything, an address too.
    "events": _rule(
        "deleted",
        "lead",
        "lead_id",
        personal="id name properties occurred_at",
        plain="seq lead_id received_at historical depth",
    ),
    "outbox": _rule(
        "emptied",
        "run",
        "run_id",
        personal="payload",
        plain="key run_id step kind visit queued_at attempts progress_at done_at",
    ),
    # A code is made by us and stays, so that it can be redeemed.
    "discounts": _rule(
        "emptied",
        "lead",
        "lead_id",
        personal="redeemed_for reserved_for revoked_why",
        plain="id code plain_code shared lead_id run_id journey step visit percent amount min_order currency gift"
        " issued_at expires_on expires_at redeemed_at total given reserved_until revoked_at expiry_told_at pool"
        " budget most stacks shop",
    ),
    "campaign_leads": _rule(
        "emptied",
        "lead",
        "lead_id",
        personal="reason",
        plain="campaign_id found_as lead_id number state run_id at",
    ),
    # A condition that somebody made up for one campaign is about many, and stays: of whoever is erased it then says
    # nothing (`mentions.py`).
    "campaigns": _kept(
        "id name journey audience state occasion own_zone per_hour test released_at holdout created_at created_by"
        " since started_at paused_at pause_reason finished_at look_at looking_at reached places moved_at"
        " wake_wanted wake_done"
    ),
    "schedules": _kept("journey said since next_at next_name"),
    # What was earned stays in the books, with what was bought; whose it was does not.
    "orders": _rule(
        "emptied",
        "lead",
        "lead_id",
        personal="reference event_id",
        plain="id lead_id at total currency refunded refunded_at",
    ),
    "order_items": _kept("order_id number product_id quantity price"),
    "referral_codes": _rule(
        "deleted",
        "lead",
        "lead_id",
        personal="code",
        plain="plain_code lead_id program created_at revoked_at visits",
    ),
    # Who was brought by whom is counted, and held against the rules, without saying who they are.
    "referrals": _rule(
        "emptied",
        "lead",
        "referrer_id friend_id",
        personal="refused device_hash network_hash",
        plain="id program referrer_id friend_id at via state terms welcome_id order_id purchased_at"
        " hold_until rewarded_at number reward reward_id due_at",
    ),
    "interests": _rule(
        "deleted",
        "lead",
        "lead_id",
        personal="product_id",
        plain="lead_id kind times first_at last_at until due_at",
    ),
    # What is left counts answers; whose they were, and in what words, it does not say.
    "survey_asks": _rule(
        "emptied",
        "lead",
        "lead_id",
        personal="about picks comment answers",
        plain="id survey kind lead_id run_id journey step visit asked_at closes_at settle_at answered_at answer score"
        " via",
    ),
    # What is left counts: how many came to a stage, when, and by whom.
    "stage_changes": _rule(
        "emptied",
        "lead",
        "lead_id",
        personal="reason",
        plain="id lead_id at before after owner source run_id journey",
    ),
    "customers": _rule(
        "emptied",
        "lead",
        "lead_id",
        personal="order_id path card",
        plain="id lead_id converted_at owner updated_at",
    ),
    "assignments": _rule(
        "emptied",
        "lead",
        "lead_id",
        personal="why",
        plain="id lead_id person team at how terms run_id journey step visit react_by reacted_at ended_at ended",
    ),
    "tasks": _rule(
        "emptied",
        "lead",
        "lead_id",
        personal="title result",
        plain="id lead_id person run_id journey step visit created_at created_by due_at done_at done_by"
        " cancelled_at escalate_to overdue_at escalated_from",
    ),
    # The name of an event stays: rates of answers are counted by it.
    "step_log": _rule("emptied", "run", "run_id", personal="detail", plain="id run_id turn at step what"),
    "hits": _rule("emptied", "message", "message_id", personal="link", plain="id message_id kind at machine"),
    "inbound": _rule(
        "deleted",
        "elsewhere",
        personal="id sender recipient subject body",
        plain="channel lead_id message_id intent at",
    ),
    "mailbox": _rule(
        "deleted",
        "elsewhere",
        personal="recipient subject html body headers",
        plain="key channel sender sender_name at",
    ),
    # What is left proves that a message left, when, and of which template; it counts.
    "messages": _rule(
        "emptied",
        "lead",
        "lead_id",
        personal="addressee context locale recipient subject html body reason",
        plain="id run_id lead_id journey plan_hash step visit channel template topic transactional priority notice"
        " queued_at written_at expires_at not_before sender sender_name provider attempts attempt_id attempted_at"
        " lease_until progress_at uncertain_at accepted_at delivered_at first_opened_at first_clicked_at bounced_at"
        " complained_at failed_at skipped_at held_at provider_id state",
    ),
    # Keyed hashes are kept, so that nobody is written to again by mistake; what was written beside goes.
    "score_points": _rule(
        "deleted",
        "lead",
        "lead_id",
        personal="rule points event_id",
        plain="id lead_id half_life at resets ended_at",
    ),
    "score_changes": _rule(
        "deleted", "lead", "lead_id", personal="score grade warmth why", plain="id lead_id at"
    ),
    "suppressions": _rule(
        "emptied", "elsewhere", personal="why", plain="channel address_hash reason created_at by"
    ),
    "bounces": _rule(
        "deleted", "elsewhere", personal="address_hash", plain="channel times first_at last_at message_id"
    ),
    "idempotency": _rule("deleted", "elsewhere", personal="key body", plain="request_hash status created_at"),
    "imports": _kept("id at by file digest mapping counts finished_at undone_at undone_by"),
    "audit": _kept("id at what by why detail"),
    "house": _kept(
        "id machine_epoch house_epoch rate store_epoch secret stopped_at temporal_id",
    ),
    "plans": _kept("hash journey body created_at"),
    "journeys": _kept("id plan_hash published_at paused_at pause_reason retired_at frozen_at frozen_for"),
    "throttles": _kept("journey next_at"),
    "publications": _kept(
        "id journey plan_hash at by in_flight what why detail reached passed_at settled_at"
    ),
    "rules": _kept("id hash body at"),
    "segment_states": _kept("segment digest computed_at reached"),
    "spends": _kept("id first_day last_day source channel campaign amount currency by at"),
    "products": _kept(
        "id title words category price currency url image related upgrade replenish_days in_stock attributes"
        " ordered source digest updated_at archived_at"
    ),
    "product_changes": _kept("id product_id at what before after told told_at"),
    "product_pairs": _kept("product_id other_id both of with_other all"),
    "budgets": _kept("name amount currency codes issued committed spent"),
    "pool_codes": _kept("pool plain_code number code imported_at discount_id"),
    "receipts": _kept("key at"),
    "tallies": _kept("name day times"),
    "strays": _kept("kind event name why times first_at last_at"),  # names of fields, masked, and no values
    "absences": _kept("id person since until by ended_at"),
    # Those who work here: taken away by `dripline user`, not by erasing a lead.
    "api_keys": _kept(
        "id name prefix hash scopes per_minute created_at created_by expires_at last_used_at revoked_at replaces"
    ),
    "users": _kept(
        "id email name role password invitation invited_until failures locked_until created_at created_by"
        " disabled_at"
    ),
    "sessions": _kept("hash user_id created_at seen_at expires_at"),
}
"""By table, in the order in which erasing goes through them."""
