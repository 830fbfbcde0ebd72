"""Every table. Times ending in `_at` are house time unless a comment says machine time; all are UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Utc(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC; naive ones are refused. SQLite keeps it as sortable text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_Serial = BigInteger().with_variant(Integer, "sqlite")


SPREAD = timedelta(minutes=5)
"""Within what time (house time) messages that quiet hours held are let go."""


def _id(**kw: Any) -> Column[Any]:
    return Column("id", String(64), primary_key=True, **kw)


def _referring(name: str, column: str) -> Index:
    """For a reference that few rows have: what it names is deleted without reading all of them."""
    there = text(f"{column} IS NOT NULL")
    return Index(name, column, sqlite_where=there, postgresql_where=there)


house = Table(
    "house",
    metadata,
    Column("id", Integer, primary_key=True),  # one row, id 1
    Column("machine_epoch", Utc, nullable=False),  # machine time
    Column("house_epoch", Utc, nullable=False),
    Column("rate", Float, nullable=False),
    Column("store_epoch", Integer, nullable=False, server_default="1"),
    Column("secret", String(128), nullable=False),
    Column("stopped_at", Utc),
    Column("temporal_id", String(128)),  # the Temporal namespace that this store's runs were last seen on
    comment="The one row of the installation itself: its clock, its brake, its secret.",
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("at", Utc, nullable=False),  # machine time
    Column("what", String(32), nullable=False),  # stop-all | start-all | send-held | skip-held | restore | …
    Column("by", String(256)),
    Column("why", Text),
    Column("detail", Json, nullable=False),  # counts and ids, no personal data
    Index("ix_audit_what", "what", "id"),
    comment="What people did to the whole installation: who, when and why.",
)

leads = Table(
    "leads",
    metadata,
    _id(),
    Column("external_id", String(256)),
    Column("email", String(320)),
    Column("phone", String(32)),  # E.164
    Column("locale", String(35)),  # BCP 47
    Column("timezone", String(64)),  # IANA
    Column("country", String(2)),  # ISO 3166-1 alpha-2
    Column("stage", String(32)),
    Column("score", Float, nullable=False, server_default="0"),
    Column("tags", Json, nullable=False, server_default=text("'[]'")),
    Column("owner", String(128)),  # the person who looks after the lead, by the name in the workspace file
    Column("consent", Json, nullable=False),  # {"email": true, "sms": false}
    Column("topics", Json, nullable=False),  # {"newsletter": false}: only what the lead said
    Column("attributes", Json, nullable=False),  # the workspace's own
    Column("paused_until", Utc),  # no marketing message before, as the lead asked
    Column("tracking", Boolean),  # whether its opens and clicks are kept; NULL: as the workspace says
    Column("first_touch", Json),  # where it came from: {"at", "source", "medium", "campaign", "channel", …}
    Column("last_touch", Json),
    Column("stage_at", Utc),  # since when it is at its stage
    Column("owner_at", Utc),  # since when it has its owner
    Column("customer", Json),  # its customer card, as conditions read it; NULL: it never was a customer
    Column("lacks", Json, nullable=False, server_default=text("'[]'")),  # what it needs to be a lead at all
    Column("grade", String(1)),  # how well it fits, A to D, by what is known of it
    Column("warmth", String(8)),  # cold | warm | hot, by its score; NULL: not scored yet
    Column("rescore_at", Utc),  # when age alone has changed its score; NULL: never
    Column("rfm", Json),  # {"r", "f", "m": 1 to 5, "cell", "orders", "spent": major units, "last": day}
    Column("segments", Json),  # names of those that it is in, sorted; NULL: none was looked for yet
    Column("created_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    Column("merged_into", String(64), ForeignKey("leads.id")),
    Column("erased_at", Utc),
    Index("ix_leads_owner", "owner"),
    Index(
        "ix_leads_rescore",
        "rescore_at",
        sqlite_where=text("rescore_at IS NOT NULL"),
        postgresql_where=text("rescore_at IS NOT NULL"),
    ),
    Index(
        "ix_leads_merged_into",
        "merged_into",
        sqlite_where=text("merged_into IS NOT NULL"),
        postgresql_where=text("merged_into IS NOT NULL"),
    ),
)

identities = Table(
    "identities",
    metadata,
    Column("kind", String(16), primary_key=True),  # external_id | email | phone | anonymous_id
    Column("value", String(320), primary_key=True),  # normalised
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False, index=True),
    Column("created_at", Utc, nullable=False),
)

merges = Table(
    "merges",
    metadata,
    _id(),
    Column("winner_id", String(64), ForeignKey("leads.id"), nullable=False, index=True),
    Column("loser_id", String(64), ForeignKey("leads.id"), nullable=False, index=True),
    Column("at", Utc, nullable=False),
    Column("cause", String(32), nullable=False),  # identify | alias | api | command
    Column("by", String(256)),
    Column(
        "detail", Json, nullable=False
    ),  # both as they were, and the ids of all that moved: for undoing it
    Column("undone_at", Utc),
    Column("undone_by", String(256)),
    comment="Which leads turned out to be one person, and how to take that back.",
)

touches = Table(
    "touches",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("source", String(256)),  # as utm_source and its sisters say
    Column("medium", String(256)),
    Column("campaign", String(256)),
    Column("term", String(256)),
    Column("content", String(256)),
    Column("channel", String(64)),  # paid-search | organic-search | social | email | referral | direct | …
    Column("cost", BigInteger),  # minor units
    Column("currency", String(3)),  # ISO 4217
    Column("page", Text),  # the address without its query
    Column("referrer", String(256)),  # the host alone
    Column("event_id", String(128)),
    Index("ix_touches_lead", "lead_id", "at"),
    comment="Where leads came from, each time that it was told.",
)

consents = Table(
    "consents",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False),
    Column("channel", String(16)),  # NULL: a topic, on every channel
    Column("topic", String(128)),  # NULL: the channel as a whole
    Column("state", String(16), nullable=False),  # granted | denied | … (`State` in consents.py)
    Column("at", Utc, nullable=False),
    Column("source", String(32), nullable=False),  # api | form | import | link | page | sms | provider | …
    Column("proof", Json, nullable=False),  # what shows it: form, wording, address hash, message, event, who
    Column("event_id", String(128)),
    Index("ix_consents_lead", "lead_id", "id"),
    comment="What leads agreed to and took back: when, how, and by what proof. Rows are only added.",
)

groups = Table(
    "groups",
    metadata,
    Column("id", String(256), primary_key=True),  # the caller's
    Column("traits", Json, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    comment="Companies and other groups that the tracking API told of.",
)

memberships = Table(
    "memberships",
    metadata,
    Column("lead_id", String(64), ForeignKey("leads.id"), primary_key=True),
    Column("group_id", String(256), ForeignKey("groups.id"), primary_key=True, index=True),
    Column("created_at", Utc, nullable=False),
)

strays = Table(
    "strays",
    metadata,
    Column("kind", String(16), primary_key=True),  # event | property | trait
    Column(
        "event", String(128), primary_key=True
    ),  # whose property it is, as the workspace calls it; else ""
    Column(
        "name", String(128), primary_key=True
    ),  # as the caller says it; what looks like an address, masked
    Column("why", String(256), nullable=False),
    Column("times", Integer, nullable=False),
    Column("first_at", Utc, nullable=False),  # machine times
    Column("last_at", Utc, nullable=False),
    comment="What the tracking API was told and the workspace has no place for: names and counts, no values.",
)

imports = Table(
    "imports",
    metadata,
    _id(),
    Column("at", Utc, nullable=False),
    Column("by", String(256)),
    Column("file", String(256), nullable=False),  # its name, without the folder
    Column("digest", String(64), nullable=False, index=True),  # of its content
    Column("mapping", Json, nullable=False),  # column to field
    Column("counts", Json, nullable=False),
    Column("finished_at", Utc),
    Column("undone_at", Utc),
    Column("undone_by", String(256)),
    comment="Files of leads that were imported.",
)

import_rows = Table(
    "import_rows",
    metadata,
    Column("import_id", String(64), ForeignKey("imports.id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False, index=True),
    Column("what", String(16), nullable=False),  # created | changed
    Column("before", Json),  # what it changed, as it was
    Column("after", Json),  # and as it made it: a value that is another by now is left alone
    Column("undone", String(32)),  # undone | kept: why
)

events = Table(
    "events",
    metadata,
    Column("seq", _Serial, primary_key=True, autoincrement=True),
    Column("id", String(128), nullable=False, unique=True),
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False),
    Column("name", String(128), nullable=False),
    Column("properties", Json, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("occurred_at", Utc),
    Column("historical", Boolean, nullable=False, server_default=text("false")),
    Column("depth", Integer, nullable=False, server_default="0"),  # length of the chain of runs behind it
    Index("ix_events_lead", "lead_id", "name", "received_at"),
    Index("ix_events_newest", "lead_id", "received_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", String(256), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Json, nullable=False),
    Column("created_at", Utc, nullable=False),  # machine time
    comment="Answers kept by Idempotency-Key, so that a repeated request changes nothing.",
)

plans = Table(
    "plans",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("journey", String(128), nullable=False, index=True),
    Column("body", Json, nullable=False),
    Column("created_at", Utc, nullable=False),
)

journeys = Table(
    "journeys",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("plan_hash", String(64), ForeignKey("plans.hash"), nullable=False),
    Column("published_at", Utc, nullable=False),
    Column("paused_at", Utc),
    Column("pause_reason", Text),
    Column("retired_at", Utc),  # its file was taken away: nobody enters, its runs go on
    Column("frozen_at", Utc),  # paused with its clock: its runs take no turns
    Column("frozen_for", Float, nullable=False, server_default="0"),  # seconds, all times before together
)

throttles = Table(
    "throttles",
    metadata,
    Column("journey", String(128), primary_key=True),
    Column("next_at", Utc, nullable=False),
    comment="When the next message of a journey with a throttle may go. Locked last, after lead and run.",
)

publications = Table(
    "publications",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("journey", String(128), nullable=False, index=True),
    Column("plan_hash", String(64), ForeignKey("plans.hash"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("by", String(256)),
    Column("in_flight", String(16), nullable=False),  # keep | move | exit
    Column("what", String(16), nullable=False, server_default="publish"),  # publish | rollback | retire
    Column("why", Text),
    Column("detail", Json, nullable=False, server_default=text("'{}'")),  # what was said: {"map": {old: new}}
    # How far its runs have been moved or ended, for whoever finishes that after a crash.
    Column("reached", String(64)),  # the id of the run looked at last
    Column("passed_at", Utc),  # machine time: when all of them had been looked at
    Column("settled_at", Utc),  # machine time: when none can be left; at once for `keep`
)

runs = Table(
    "runs",
    metadata,
    _id(),
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False),
    Column("journey", String(128), nullable=False),
    Column("key", String(256)),
    Column("plan_hash", String(64), ForeignKey("plans.hash"), nullable=False),
    Column("priority", Integer, nullable=False, server_default="50"),
    Column("holdout", Boolean, nullable=False, server_default=text("false")),  # of the control group
    Column("depth", Integer, nullable=False, server_default="0"),
    Column("trigger_event", String(128), ForeignKey("events.id")),
    Column("turn", Integer, nullable=False, server_default="0"),
    Column("step", String(256)),  # where it stands; NULL before the first turn
    Column("wait", Json),  # {"began": iso, "held": null | hours | limit | throttle}: NULL when not waiting
    Column("until", Utc),  # when the present wait ends; NULL: only an event ends it
    Column("variables", Json, nullable=False),
    Column("loops", Json, nullable=False, server_default=text("'{}'")),  # step id to how far its loop is
    Column("visits", Json, nullable=False),  # step id to the number of times that it was reached
    Column("last_event", String(128)),  # id of the event accepted last
    Column("accepted", Json, nullable=False),  # ids of the events that ended a wait
    Column("last_message_at", Utc),
    Column("started_at", Utc, nullable=False),
    Column("last_at", Utc, nullable=False),  # the run's own time: never goes back
    Column("ended_at", Utc),
    Column("outcome", String(16)),  # finished | stopped | exit | goal | merged | erased | operator |
    # unenrolled | too-long
    Column("outcome_reason", Text),
    Column("parked_reason", Text),
    Column("held_at", Utc),  # no turn is taken until a person says so (parked_reason tells why)
    Column(
        "frozen_for", Float, nullable=False, server_default="0"
    ),  # of its journey's: what its waits know of
    Column("converted_at", Utc),
    Column("goal_value", Float),
    Column("wake_wanted", Integer, nullable=False, server_default="0"),
    Column("wake_done", Integer, nullable=False, server_default="0"),
    Column("wake_wanted_at", Utc),  # machine time
    Index("ix_runs_lead", "lead_id", "journey"),
    _referring("ix_runs_trigger", "trigger_event"),
    Index(
        "ix_runs_wake",
        "wake_wanted_at",
        sqlite_where=text("wake_wanted > wake_done"),
        postgresql_where=text("wake_wanted > wake_done"),
    ),
    Index(
        "ix_runs_until",
        "until",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_runs_journey", "journey", "started_at"),
    Index("ix_runs_outcome", "journey", "outcome", "holdout"),
    Index(
        "ix_runs_converted",
        "journey",
        "holdout",
        "goal_value",
        sqlite_where=text("converted_at IS NOT NULL"),
        postgresql_where=text("converted_at IS NOT NULL"),
    ),
    Index(
        "ix_runs_step",
        "journey",
        "step",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "ix_runs_parked",
        "last_at",
        sqlite_where=text("parked_reason IS NOT NULL AND ended_at IS NULL"),
        postgresql_where=text("parked_reason IS NOT NULL AND ended_at IS NULL"),
    ),
)

inbox = Table(
    "inbox",
    metadata,
    Column("seq", _Serial, primary_key=True, autoincrement=True),
    Column("run_id", String(64), ForeignKey("runs.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # event | effect | operator
    Column("event_id", String(128), ForeignKey("events.id")),
    Column("payload", Json),
    Column("received_at", Utc, nullable=False),
    Column("taken_in", Integer),  # the turn that took it; NULL: still to be looked at
    UniqueConstraint("run_id", "event_id"),
    _referring("ix_inbox_event", "event_id"),
    Index(
        "ix_inbox_open",
        "run_id",
        "seq",
        sqlite_where=text("taken_in IS NULL"),
        postgresql_where=text("taken_in IS NULL"),
    ),
)

outbox = Table(
    "outbox",
    metadata,
    Column("key", String(64), primary_key=True),  # run + step + visit
    Column("run_id", String(64), ForeignKey("runs.id"), nullable=False, index=True),
    Column("step", String(256), nullable=False),
    Column("kind", String(16), nullable=False),  # webhook | call
    Column("payload", Json, nullable=False),
    Column("visit", Integer, nullable=False),
    Column("queued_at", Utc, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("progress_at", Utc, nullable=False),  # machine time
    Column("done_at", Utc),
    Index(
        "ix_outbox_open",
        "progress_at",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
    comment="Effects that leave the process, other than messages (rule: never inside a turn).",
)

discounts = Table(
    "discounts",
    metadata,
    _id(),  # made from run, step and visit; or, once per lead, from lead, journey and step
    Column("code", String(80), nullable=False),
    Column("plain_code", String(80), nullable=False, index=True),  # as it is compared: capitals, no dashes
    Column("shared", Boolean, nullable=False),
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False, index=True),
    Column("run_id", String(64), ForeignKey("runs.id"), index=True),  # NULL: no journey's, a referral's
    Column("journey", String(128), nullable=False),  # or `referral/PROGRAM`
    Column("step", String(256), nullable=False),  # or `welcome`, or `reward`
    Column("visit", Integer, nullable=False),
    Column("percent", Float),
    Column("amount", BigInteger),  # minor units, as min_order
    Column("min_order", BigInteger),
    Column("currency", String(3)),  # ISO 4217
    Column("gift", Text),
    Column("issued_at", Utc, nullable=False),
    Column("expires_on", String(10)),  # the last day, in the lead's zone
    Column("expires_at", Utc),  # the end of that day
    Column("redeemed_at", Utc),
    Column("redeemed_for", String(256)),  # the order, as the shop calls it
    Column("total", BigInteger),  # what that order came to before the discount, minor units
    Column("given", BigInteger),  # what came off
    Column("reserved_for", String(256)),  # the order that may redeem it until then, and no other
    Column("reserved_until", Utc),
    Column("revoked_at", Utc),
    Column("revoked_why", Text),
    Column("expiry_told_at", Utc),  # when its lead's journeys were told that its time was over
    Column("pool", String(128)),
    Column("budget", String(128)),
    Column("most", BigInteger),  # what a percentage comes to at most, minor units
    Column("stacks", Boolean),  # whether an order may have it beside others; NULL: of before, no
    Column("shop", String(128)),  # the shop that made the code, by its name in the workspace file
    Index("ix_discounts_issued", "issued_at"),
    Index("ix_discounts_order", "redeemed_for"),
    Index("ix_discounts_reserved", "reserved_for"),
    Index(
        "ix_discounts_expiring",
        "expires_at",
        sqlite_where=text("redeemed_at IS NULL AND revoked_at IS NULL AND expiry_told_at IS NULL"),
        postgresql_where=text("redeemed_at IS NULL AND revoked_at IS NULL AND expiry_told_at IS NULL"),
    ),
    Index(
        "uq_discounts_own_code",
        "plain_code",
        unique=True,
        sqlite_where=text("NOT shared"),
        postgresql_where=text("NOT shared"),
    ),
    comment="Every discount that was issued, with what became of it.",
)

budgets = Table(
    "budgets",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("amount", BigInteger),  # minor units; NULL: any
    Column("currency", String(3)),  # ISO 4217
    Column("codes", Integer),  # how many may be issued; NULL: any number
    Column("issued", Integer, nullable=False, server_default="0"),
    Column("committed", BigInteger, nullable=False, server_default="0"),  # what open codes may come to
    Column("spent", BigInteger, nullable=False, server_default="0"),
    comment="What the discounts of campaigns may cost, and have. Locked last, after lead, run and discount.",
)

pool_codes = Table(
    "pool_codes",
    metadata,
    Column("pool", String(128), primary_key=True),
    Column("plain_code", String(80), primary_key=True),  # as it is compared
    Column("number", _Serial, nullable=False),  # the order in which they are given out
    Column("code", String(80), nullable=False),
    Column("imported_at", Utc, nullable=False),  # machine time
    Column("discount_id", String(64), ForeignKey("discounts.id"), unique=True),  # NULL: still to be had
    Index(
        "ix_pool_codes_free",
        "pool",
        "number",
        sqlite_where=text("discount_id IS NULL"),
        postgresql_where=text("discount_id IS NULL"),
    ),
    comment="Codes of others, each to be given to one lead.",
)

rules = Table(
    "rules",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),  # the newest holds
    Column("hash", String(64), nullable=False),
    Column("body", Json, nullable=False),
    Column("at", Utc, nullable=False),
    comment="What the workspace file says that follows from events, as it was made known to this store.",
)

orders = Table(
    "orders",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("reference", String(256), unique=True),  # what the shop calls it; NULL: of an erased lead
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("total", BigInteger, nullable=False),  # minor units
    Column("currency", String(3), nullable=False),  # ISO 4217
    Column("refunded", BigInteger, nullable=False, server_default="0"),  # minor units of the total
    Column("refunded_at", Utc),  # the last time
    Column("event_id", String(128)),
    Index("ix_orders_lead", "lead_id", "at"),
    Index("ix_orders_at", "at"),
    comment="What was bought: made of the events that the workspace file says are orders.",
)

order_items = Table(
    "order_items",
    metadata,
    Column(
        "order_id", BigInteger().with_variant(Integer, "sqlite"), ForeignKey("orders.id"), primary_key=True
    ),
    Column("number", Integer, primary_key=True),
    Column("product_id", String(128), nullable=False, index=True),
    Column("quantity", Integer, nullable=False),
    Column("price", BigInteger),  # of one, minor units; NULL: not said
)

spends = Table(
    "spends",
    metadata,
    _id(),  # made from the days, the currency and what it was for
    Column("first_day", String(10), nullable=False),  # days of the workspace's zone, both included
    Column("last_day", String(10), nullable=False),
    Column("source", String(256)),
    Column("channel", String(64)),
    Column("campaign", String(256)),
    Column("amount", BigInteger, nullable=False),  # minor units
    Column("currency", String(3), nullable=False),  # ISO 4217
    Column("by", String(256)),
    Column("at", Utc, nullable=False),  # machine time
    comment="What was paid for advertising and the like, for the cost of a lead.",
)

referral_codes = Table(
    "referral_codes",
    metadata,
    Column("plain_code", String(80), primary_key=True),  # as it is compared: capitals, no dashes
    Column("code", String(80), nullable=False),
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False),
    Column("program", String(128), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("revoked_at", Utc),
    Column("visits", Integer, nullable=False, server_default="0"),  # people who followed the link
    Index("ix_referral_codes_lead", "lead_id", "program"),
    comment="The codes by which leads bring friends. Who was two leads may have two, and both are good.",
)

referrals = Table(
    "referrals",
    metadata,
    _id(),  # made from program and friend: one has one friend's gift of a program, whoever brings it
    Column("program", String(128), nullable=False),
    Column("referrer_id", String(64), ForeignKey("leads.id"), nullable=False, index=True),
    Column("friend_id", String(64), ForeignKey("leads.id"), nullable=False, index=True),
    Column("at", Utc, nullable=False),  # when the friend came
    Column("via", String(16), nullable=False),  # form | event | api | command
    Column("state", String(16), nullable=False),  # joined | purchased | returned | rewarded | refused
    Column("refused", String(64)),  # why: self | loop | device | network | customer | limit | …
    Column("terms", Json, nullable=False),  # what was promised when the friend came
    Column("device_hash", String(64)),  # keyed
    Column("network_hash", String(64)),  # keyed
    Column("welcome_id", String(64), ForeignKey("discounts.id")),  # the friend's discount
    Column("order_id", BigInteger().with_variant(Integer, "sqlite"), ForeignKey("orders.id")),
    Column("purchased_at", Utc),
    Column("hold_until", Utc),  # the end of the return period: no reward before
    Column("rewarded_at", Utc),
    Column("number", Integer),  # which of its referrer's rewarded friends it is
    Column("reward", Json),  # what the referrer got
    Column("reward_id", String(64), ForeignKey("discounts.id")),
    Column("due_at", Utc),  # when it is to be looked at; NULL: nothing is to be done
    Index("ix_referrals_order", "order_id"),
    Index("ix_referrals_program", "program", "state"),
    Index(
        "ix_referrals_due",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    _referring("ix_referrals_welcome", "welcome_id"),
    _referring("ix_referrals_reward", "reward_id"),
    comment="Who brought whom, and what became of it. Locked after both leads.",
)

products = Table(
    "products",
    metadata,
    Column("id", String(128), primary_key=True),  # what the shop calls it
    Column("title", Json, nullable=False),  # by language ("" for any)
    Column("words", Text, nullable=False),  # of its titles, in small letters: what is looked for
    Column("category", String(128), index=True),
    Column("price", BigInteger),  # minor units
    Column("currency", String(3)),  # ISO 4217
    Column("url", Text),
    Column("image", Text),
    Column("related", Json, nullable=False),  # ids
    Column("upgrade", String(128)),
    Column("replenish_days", Integer),
    Column("in_stock", Boolean, nullable=False),
    Column("attributes", Json, nullable=False),
    Column("ordered", Integer, nullable=False, server_default="0"),  # orders of the last year that had it
    Column("source", String(16), nullable=False),  # file | api
    Column("digest", String(64)),  # of what a file said of it last
    Column("updated_at", Utc, nullable=False),
    Column("archived_at", Utc),
    comment="The catalogue.",
)

product_changes = Table(
    "product_changes",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("product_id", String(128), ForeignKey("products.id"), nullable=False, index=True),
    Column("at", Utc, nullable=False),
    Column("what", String(16), nullable=False),  # price | stock
    Column("before", BigInteger),  # minor units, or 0 and 1
    Column("after", BigInteger),
    Column("told", String(64)),  # the lead that was told of it last
    Column("told_at", Utc),  # when everybody whom it concerns had been told
    Index(
        "ix_product_changes_untold",
        "id",
        sqlite_where=text("told_at IS NULL"),
        postgresql_where=text("told_at IS NULL"),
    ),
    comment="Prices and stock as they went: leads with an interest are told of drops and returns.",
)

product_pairs = Table(
    "product_pairs",
    metadata,
    Column("product_id", String(128), primary_key=True),
    Column("other_id", String(128), primary_key=True),
    Column("both", Integer, nullable=False),  # orders that had both
    Column("of", Integer, nullable=False),  # orders that had the product
    Column("with_other", Integer, nullable=False),  # orders that had the other one
    Column("all", Integer, nullable=False),  # orders
    comment="What was bought together in the last year, counted anew now and then.",
)

interests = Table(
    "interests",
    metadata,
    Column("lead_id", String(64), ForeignKey("leads.id"), primary_key=True),
    Column("product_id", String(128), primary_key=True),
    Column("kind", String(16), primary_key=True),  # viewed | carted | wanted | deferred | bought
    Column("times", Integer, nullable=False),
    Column("first_at", Utc, nullable=False),
    Column("last_at", Utc, nullable=False),
    Column("until", Utc),  # the day that the lead named, of `deferred`
    Column("due_at", Utc),  # of `bought`: when it is used up, until that was told
    Index("ix_interests_product", "product_id", "lead_id"),
    Index(
        "ix_interests_due",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    comment="What leads have looked at, asked for and bought.",
)

segment_members = Table(
    "segment_members",
    metadata,
    Column("segment", String(128), primary_key=True),
    Column("lead_id", String(64), ForeignKey("leads.id"), primary_key=True, index=True),
    Column("entered_at", Utc, nullable=False),
    comment="Who is in which segment now.",
)

segment_states = Table(
    "segment_states",
    metadata,
    Column("segment", String(128), primary_key=True),  # a name with @ is about all of them
    Column("digest", String(64), nullable=False),  # of its rule: under another one nobody is told at first
    Column("computed_at", Utc),  # when everybody had been looked at for the first time
    Column("reached", String(64)),  # the lead looked at last
    comment="How far it is known who is in the segments.",
)

step_log = Table(
    "step_log",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("run_id", String(64), ForeignKey("runs.id"), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("at", Utc, nullable=False),
    Column("step", String(256)),
    Column("what", String(32), nullable=False),
    Column("detail", Json, nullable=False),
    Index("ix_step_log_run", "run_id", "id"),
    comment="What each turn did and why, in the order in which it was done.",
)

MESSAGE_STATE = """CASE
    WHEN bounced_at IS NOT NULL THEN 'bounced'
    WHEN delivered_at IS NOT NULL THEN 'delivered'
    WHEN failed_at IS NOT NULL THEN 'failed'
    WHEN accepted_at IS NOT NULL THEN 'accepted'
    WHEN skipped_at IS NOT NULL THEN 'skipped'
    WHEN held_at IS NOT NULL THEN 'held'
    WHEN uncertain_at IS NOT NULL THEN 'uncertain'
    WHEN attempt_id IS NOT NULL THEN 'sending'
    ELSE 'queued' END"""

messages = Table(
    "messages",
    metadata,
    _id(),  # the idempotency key: made from run, step and visit
    Column("run_id", String(64), ForeignKey("runs.id"), nullable=False, index=True),
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False),
    Column("journey", String(128), nullable=False),
    Column("plan_hash", String(64), ForeignKey("plans.hash"), nullable=False),
    Column("step", String(256), nullable=False),
    Column("visit", Integer, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("template", String(256), nullable=False),
    Column("topic", String(128)),
    Column("transactional", Boolean, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("notice", Boolean, nullable=False, server_default=text("false")),  # for a colleague, not the lead
    Column("addressee", String(320)),  # the colleague's address
    Column("context", Json, nullable=False),  # what the run knew when it queued the message, less the lead
    Column("queued_at", Utc, nullable=False),  # the run's own time, however late its worker was
    Column("written_at", Utc, nullable=False),  # when it was really put here
    Column("expires_at", Utc),  # after this it must not leave any more
    Column("not_before", Utc),  # a person spread what a pause had held
    # What left, exactly: written with the lease, the same on every try.
    Column("locale", String(35)),
    Column("recipient", String(320)),
    Column("sender", String(320)),
    Column("sender_name", String(256)),
    Column("subject", Text),
    Column("html", Text),
    Column("body", Text),
    # The lease of the attempt under way (machine times).
    Column("provider", String(32)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("attempt_id", String(64)),
    Column("attempted_at", Utc),
    Column("lease_until", Utc),
    Column("progress_at", Utc, nullable=False),
    # Facts, each set once; the state is derived from them.
    Column("uncertain_at", Utc),  # machine time
    Column("accepted_at", Utc),
    Column("delivered_at", Utc),
    Column("first_opened_at", Utc),
    Column("first_clicked_at", Utc),
    Column("bounced_at", Utc),
    Column("complained_at", Utc),
    Column("failed_at", Utc),
    Column("skipped_at", Utc),
    Column("held_at", Utc),
    Column("reason", Text),
    Column("provider_id", String(128), index=True),
    Column("state", String(16), Computed(MESSAGE_STATE, persisted=True), nullable=False),
    UniqueConstraint("run_id", "step", "visit"),
    Index("ix_messages_lead", "lead_id", "queued_at"),
    Index("ix_messages_sender", "sender", "attempted_at"),
    Index("ix_messages_recipient", "recipient"),
    Index("ix_messages_newest", "queued_at", "id"),
    Index("ix_messages_state", "state", "journey"),  # counted on every page; the rows themselves are large
    Index(
        "ix_messages_opened",
        "journey",
        sqlite_where=text("first_opened_at IS NOT NULL"),
        postgresql_where=text("first_opened_at IS NOT NULL"),
    ),
    Index(
        "ix_messages_clicked",
        "journey",
        sqlite_where=text("first_clicked_at IS NOT NULL"),
        postgresql_where=text("first_clicked_at IS NOT NULL"),
    ),
    Index(
        "ix_messages_open",
        "progress_at",
        sqlite_where=text("state IN ('queued', 'sending', 'uncertain')"),
        postgresql_where=text("state IN ('queued', 'sending', 'uncertain')"),
    ),
    comment="The ledger: every message that a run asked for, and what became of it.",
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("address_hash", String(64), primary_key=True),  # keyed, so that it outlives an erasure
    Column("reason", String(64), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("by", String(256)),  # who put it here by hand
    Column("why", Text),
)

bounces = Table(
    "bounces",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("address_hash", String(64), primary_key=True),
    Column("times", Integer, nullable=False),  # soft ones in a row; a delivery begins anew
    Column("first_at", Utc, nullable=False),
    Column("last_at", Utc, nullable=False),
    Column("message_id", String(64)),  # the one that it was counted for last
    comment="Messages in a row that an address could not take for the moment.",
)

hits = Table(
    "hits",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("message_id", String(64), ForeignKey("messages.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # open | click
    Column("at", Utc, nullable=False),
    Column("link", Text),  # where a click led, without its query
    Column("machine", String(32)),  # what kind of program it was; NULL: a person, as far as is known
    Index("ix_hits_message", "message_id", "kind"),
    Index(
        "ix_hits_undecided",
        "at",
        sqlite_where=text("machine = 'undecided'"),
        postgresql_where=text("machine = 'undecided'"),
    ),
    comment="Opens and clicks as they came, those of machines too. No address and no browser of anybody.",
)

survey_asks = Table(
    "survey_asks",
    metadata,
    _id(),  # that of the message that asked; of an answer that nobody was asked for, made from its event
    Column("survey", String(128), nullable=False),
    Column("kind", String(16), nullable=False),  # nps | csat | reasons | quiz
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False, index=True),
    Column("run_id", String(64), ForeignKey("runs.id"), index=True),
    Column("journey", String(128)),
    Column("step", String(256)),
    Column("visit", Integer),
    Column("asked_at", Utc, nullable=False),
    Column("closes_at", Utc),  # until when a reply to a text message counts
    Column("about", Json),  # of the lead when it was asked: stage, warmth, locale, …
    Column("picks", Json),  # answers that were clicked: [[answer, house time]], until it is clear who clicked
    Column("settle_at", Utc),  # when that is decided
    Column("answered_at", Utc),
    Column("answer", String(256)),
    Column("score", Float),
    Column("comment", Text),
    Column("answers", Json),  # of a quiz: by question
    Column("via", String(16)),  # email | page | sms | api
    Index("ix_survey_asks_survey", "survey", "asked_at"),
    Index(
        "ix_survey_asks_settling",
        "settle_at",
        sqlite_where=text("settle_at IS NOT NULL"),
        postgresql_where=text("settle_at IS NOT NULL"),
    ),
    comment="Who was asked what, and what they said.",
)

inbound = Table(
    "inbound",
    metadata,
    Column("id", String(128), primary_key=True),  # the provider's: a repeat changes nothing
    Column("channel", String(16), nullable=False),
    Column("lead_id", String(64), ForeignKey("leads.id"), index=True),  # NULL: from nobody we know
    Column("message_id", String(64), ForeignKey("messages.id")),  # what it answers, where that can be told
    Column("sender", String(320), nullable=False),
    Column("recipient", String(320)),
    Column("subject", Text),
    Column("body", Text, nullable=False),
    Column("intent", String(16), nullable=False),  # stop | start | help | automatic | reply
    Column("at", Utc, nullable=False),
    Index("ix_inbound_newest", "at"),
    _referring("ix_inbound_message", "message_id"),
    comment="What leads wrote back.",
)

receipts = Table(
    "receipts",
    metadata,
    Column("key", String(64), primary_key=True),  # a hash of the signature
    Column("at", Utc, nullable=False, index=True),  # machine time
    comment="Signed requests that were taken lately: none is taken twice.",
)

tallies = Table(
    "tallies",
    metadata,
    Column("name", String(64), primary_key=True),  # webhook.sendgrid.bad-signature | form.NAME.honeypot | …
    Column("day", String(10), primary_key=True),  # machine time, UTC
    Column("times", Integer, nullable=False),
    comment="How often a thing happened that leaves no other trace.",
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    Column("name", String(128), nullable=False),
    Column("prefix", String(16), nullable=False),  # its first characters, to tell keys apart
    Column("hash", String(64), nullable=False, unique=True),
    Column("scopes", Json, nullable=False),
    Column("per_minute", Integer),  # requests; NULL: as the settings say
    Column("created_at", Utc, nullable=False),  # all machine times
    Column("created_by", String(256)),
    Column("expires_at", Utc),
    Column("last_used_at", Utc),
    Column("revoked_at", Utc),
    Column("replaces", String(64), ForeignKey("api_keys.id")),
)

users = Table(
    "users",
    metadata,
    _id(),
    Column("email", String(320), nullable=False, unique=True),  # in lower case
    Column("name", String(128)),
    Column("role", String(16), nullable=False),  # viewer | author | publisher | admin
    Column("password", Text),  # argon2id; NULL: not yet chosen
    Column("invitation", String(64), unique=True),  # hash of the token by which it is chosen
    Column("invited_until", Utc),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("locked_until", Utc),
    Column("created_at", Utc, nullable=False),
    Column("created_by", String(256)),
    Column("disabled_at", Utc),
    comment="Who may look at the pages, and do what there.",
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),  # of the token in the cookie
    Column("user_id", String(64), ForeignKey("users.id"), nullable=False, index=True),
    Column("created_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
)

mailbox = Table(
    "mailbox",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("recipient", String(320), nullable=False),
    Column("sender", String(320), nullable=False),
    Column("sender_name", String(256)),
    Column("subject", Text),
    Column("html", Text),
    Column("body", Text, nullable=False),
    Column("headers", Json, nullable=False, server_default=text("'{}'")),
    Column("at", Utc, nullable=False),
    comment="The local mailbox: where messages go that have no account to go by.",
)

stage_changes = Table(
    "stage_changes",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("before", String(32)),
    Column("after", String(32)),
    Column("reason", String(256)),  # why, as whoever changed it says
    Column("owner", String(128)),  # whose it was then
    Column("source", String(32), nullable=False),  # api | journey | order | command | import | …
    Column("run_id", String(64), ForeignKey("runs.id")),
    Column("journey", String(128)),
    Index("ix_stage_changes_lead", "lead_id", "at"),
    Index("ix_stage_changes_at", "at"),
    _referring("ix_stage_changes_run", "run_id"),
    comment="Every change of a lead's stage.",
)

customers = Table(
    "customers",
    metadata,
    _id(),
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False, index=True),
    Column("converted_at", Utc, nullable=False),
    Column("owner", String(128)),  # who had converted it
    Column("order_id", String(128)),  # the order that made it a customer
    Column(
        "path", Json, nullable=False
    ),  # the touches, runs, messages and events that led there, oldest first
    Column("card", Json, nullable=False),  # what is known of the customer: the fields of the workspace file
    Column("updated_at", Utc, nullable=False),
    comment="The customer cards; of two of one lead the earlier counts. The lead's card stays as it is, beside it.",
)

assignments = Table(
    "assignments",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False),
    Column("person", String(128)),  # NULL: nobody was to be had
    Column("team", String(128)),
    Column("at", Utc, nullable=False),
    Column(
        "how", String(32), nullable=False
    ),  # best-first | round-robin | load | by-hand | kept | fallback | …
    Column("why", Json, nullable=False),  # who was looked at, and why each was taken or passed over
    Column("terms", Json, nullable=False),  # {"by", "react"}: for the next one, if this one does not react
    Column("run_id", String(64), ForeignKey("runs.id")),
    Column("journey", String(128)),
    Column("step", String(256)),
    Column("visit", Integer),
    Column("react_by", Utc),  # by when the person has to show a reaction
    Column("reacted_at", Utc),
    Column("ended_at", Utc),
    Column("ended", String(32)),  # reassigned | renewed | no-reaction | converted | lost | merged | erased
    UniqueConstraint("run_id", "step", "visit"),
    Index("ix_assignments_lead", "lead_id", "at"),
    Index("ix_assignments_person", "person", "at"),
    Index(
        "ix_assignments_open",
        "person",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "ix_assignments_due",
        "react_by",
        sqlite_where=text("react_by IS NOT NULL AND reacted_at IS NULL AND ended_at IS NULL"),
        postgresql_where=text("react_by IS NOT NULL AND reacted_at IS NULL AND ended_at IS NULL"),
    ),
    comment="Who was given which lead, when, and why just they.",
)

tasks = Table(
    "tasks",
    metadata,
    _id(),  # made from run, step and visit where a journey set it
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False, index=True),
    Column("person", String(128)),  # NULL: nobody in particular
    Column("title", Text, nullable=False),
    Column("run_id", String(64), ForeignKey("runs.id")),
    Column("journey", String(128)),
    Column("step", String(256)),
    Column("visit", Integer),
    Column("created_at", Utc, nullable=False),
    Column("created_by", String(256)),
    Column("due_at", Utc),
    Column("done_at", Utc),
    Column("done_by", String(256)),
    Column("result", Text),
    Column("cancelled_at", Utc),
    Column("escalate_to", String(128)),  # who has to do it once it is overdue
    Column("overdue_at", Utc),  # when it was told to be overdue
    Column("escalated_from", String(128)),  # who had it before
    Index("ix_tasks_person", "person", "due_at"),
    Index(
        "ix_tasks_due",
        "due_at",
        sqlite_where=text("done_at IS NULL AND cancelled_at IS NULL AND overdue_at IS NULL"),
        postgresql_where=text("done_at IS NULL AND cancelled_at IS NULL AND overdue_at IS NULL"),
    ),
    _referring("ix_tasks_run", "run_id"),
    comment="What people are to do for a lead, by when, and what became of it.",
)

absences = Table(
    "absences",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("person", String(128), nullable=False, index=True),
    Column("since", Utc, nullable=False),
    Column("until", Utc, nullable=False),
    Column("by", String(256)),
    Column("ended_at", Utc),  # when they came back before it was over, or it was taken back
    comment="When people are away, beyond their working hours.",
)

score_points = Table(
    "score_points",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False),
    Column("rule", String(128), nullable=False),  # of the workspace; journey:ID, api, … who else gave them
    Column("points", Float, nullable=False),  # when they were given
    Column("half_life", Float),  # seconds; NULL: they do not age
    Column("at", Utc, nullable=False),
    Column("event_id", String(128)),  # what gave them
    Column("resets", Boolean),  # whether the score was set: what gave points before counts no more
    Column("ended_at", Utc),  # since when they count nothing: the score was set, or age has left nothing
    UniqueConstraint("lead_id", "rule", "event_id"),
    Index("ix_score_points_lead", "lead_id", "at"),
    Index("ix_score_points_rule", "rule", "at"),
    comment="What leads were given points for. What they are worth today, their age says.",
)

score_changes = Table(
    "score_changes",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("score", Float, nullable=False),
    Column("grade", String(1)),
    Column("warmth", String(8)),
    Column("why", String(128), nullable=False),  # the rule that gave most; or age, rules, merge, …
    Index("ix_score_changes_lead", "lead_id", "at"),
    comment="How scores, grades and warmth went: a row each time that one of them changed.",
)

campaigns = Table(
    "campaigns",
    metadata,
    _id(),
    Column("name", String(128), nullable=False),
    Column("journey", String(128), nullable=False),
    Column("audience", Text, nullable=False),  # a segment or a condition, as said
    Column("state", String(16), nullable=False),  # running | tested | paused | finished | cancelled
    Column("occasion", String(16)),  # of a schedule: the moment on the wall clock that it stands for
    Column("own_zone", Boolean, nullable=False),  # whether each lead is due when its own clock says so
    Column("per_hour", Float),  # leads; NULL: as fast as they can be taken
    Column("test", Integer, nullable=False, server_default="0"),  # leads that go first
    Column("released_at", Utc),  # when a person let the others follow the test group
    Column("holdout", Float, nullable=False, server_default="0"),  # percent
    Column("created_at", Utc, nullable=False),
    Column("created_by", String(256)),
    Column("since", Utc),  # of a schedule: who was due before is left out
    Column("started_at", Utc),  # when the first was let in
    Column("paused_at", Utc),
    Column("pause_reason", Text),
    Column("finished_at", Utc),  # or cancelled
    Column("look_at", Utc),  # when its audience is looked through next; NULL: nobody is added any more
    Column("looking_at", Utc),  # for which moment that is under way
    Column("reached", String(64)),  # the lead looked at last
    Column("places", Float, nullable=False, server_default="0"),  # of its pace, not yet used
    Column("moved_at", Utc),  # machine time of its last move
    Column("wake_wanted", Integer, nullable=False, server_default="1"),
    Column("wake_done", Integer, nullable=False, server_default="0"),
    UniqueConstraint("journey", "occasion"),
    Index("ix_campaigns_newest", "created_at"),
    Index(
        "ix_campaigns_running",
        "moved_at",
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
    comment="Audiences that are let into a journey, at a pace.",
)

campaign_leads = Table(
    "campaign_leads",
    metadata,
    Column("campaign_id", String(64), ForeignKey("campaigns.id"), primary_key=True),
    Column(
        "found_as", String(64), primary_key=True
    ),  # the lead's id when it was found; merges do not change it
    Column("lead_id", String(64), ForeignKey("leads.id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),  # drawn: the order in which they go
    Column("state", String(16), nullable=False),  # waiting | entered | held-out | refused
    Column("reason", String(128)),
    Column("run_id", String(64), ForeignKey("runs.id"), unique=True),
    Column("at", Utc),
    Index("ix_campaign_leads_next", "campaign_id", "state", "number"),
    comment="Who is in the audience of a campaign, and who has been let in.",
)

schedules = Table(
    "schedules",
    metadata,
    Column("journey", String(128), primary_key=True),
    Column("said", String(256), nullable=False),  # the schedule and its zone, as they were followed last
    Column("since", Utc, nullable=False),  # when it was first followed so
    Column("next_at", Utc, index=True),  # NULL: it is over
    Column("next_name", String(16)),  # that moment as clocks say it
    comment="When the journeys that begin by the calendar let their audiences in next.",
)
