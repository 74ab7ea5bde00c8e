"""Every table of the state database, once, for SQLite and PostgreSQL alike.

The event log is not here: it is a database of its own (docs/architecture.md), met only by cursor.
Ids are UUIDv7 text but for registry keys. Times are UTC. A `key` column is what makes an effect happen once.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A point in time: aware in Python, UTC in storage, sortable on both databases.

    On SQLite it is text, written and read by the standard library in one call: a clock has six of them.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; a naive time is a mistake of ours and raises ValueError."""
        if value is None:
            return None
        utc = _in_utc(value)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return it aware, in UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Return what turns a time into what the driver takes."""
        return _to_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Return what turns what the driver gives into a time."""
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"naive time {value!r} has no place in storage")
    return value.astimezone(UTC)


def _to_text(value: datetime | None) -> str | None:
    """Write a time as SQLite sorts it.

    >>> _to_text(datetime(2026, 3, 2, 9, 10, tzinfo=UTC))
    '2026-03-02 09:10:00.000000'
    """
    return None if value is None else _in_utc(value).isoformat(" ", "microseconds")[:26]


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.Text, primary_key=True)


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _count(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, default=default)


def _time(name: str, *, null: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, Instant, nullable=null)


def _json(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(none_as_null=True), nullable=null)


# --- nodes and trust -------------------------------------------------------------------------------------

nodes = sa.Table(
    "nodes",
    metadata,
    _id(),
    _text("unit"),
    _text("kind"),  # agent | collector
    _text("state"),  # active | revoked
    _text("host_name"),
    _text("machine_id"),
    _json("assets"),  # registry keys the node belongs to
    _text("certificate_serial"),
    _time("certificate_expires"),
    _time("enrolled_at"),
    _time("last_seen", null=True),
    sa.Column("skew_seconds", sa.Float, nullable=True),
    _text("agent_version", null=True),
    _json("findings"),  # [{"kind": "grade_differs", ...}]: what node and registry disagree on
    _json("presence", null=True),  # {"why": "killed", "since", ...} while it is silent
    _time("cloned_at", null=True),  # two hosts spoke with its key: only its newest certificate counts
    _text("authorities", null=True),  # digest of the authorities it was given last
)
node_facts = sa.Table(
    "node_facts",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # asset | exits | sockets | heartbeat
    _json("body"),
    _time("observed_at"),
    _time("received_at"),
)
exits = sa.Table(
    "exits",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),  # stable name of the way out on that node
    _text("unit"),
    _text("link"),
    _text("link_kind"),
    _text("next_hop", null=True),
    _json("addresses"),
    _text("verdict"),
    _text("sanctioned_by", null=True),  # registry key of the sanctioned exit
    _json("evidence"),
    _time("first_seen"),
    _time("last_seen"),
    _time("gone_at", null=True),
    sa.Column("confidence", sa.Float, nullable=True),  # null: judged before it was told
)
exit_days = sa.Table(
    "exit_days",
    metadata,
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),  # ISO date in the unit's time zone
    *(_count(name) for name in ("declared", "observed", "unsanctioned", "nodes", "outside", "behind")),
    sa.Column("share", sa.Float, nullable=True),  # null: no node has a way out
    _time("counted_at"),
)
enrolment_tokens = sa.Table(
    "enrolment_tokens",
    metadata,
    _id(),
    sa.Column("secret_sha256", sa.Text, nullable=False, unique=True),
    _text("unit"),
    _text("kind"),  # agent | collector
    _time("created_at"),
    _time("expires_at"),
    _count("uses_left", 1),
)
api_tokens = sa.Table(
    "api_tokens",
    metadata,
    _id(),
    sa.Column("secret_sha256", sa.Text, nullable=False, unique=True),
    _text("role"),  # admin | duty | viewer | metrics | intake
    _time("created_at"),
    _time("revoked_at", null=True),
)
users = sa.Table(
    "users",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("password_argon2"),
    _text("role"),  # admin | duty | viewer
    _text("person", null=True),  # registry key
    _time("created_at"),
    _time("disabled_at", null=True),
)
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("secret_sha256", sa.Text, primary_key=True),
    _text("user"),
    _time("created_at"),
    _time("expires_at"),
)

# --- pipeline --------------------------------------------------------------------------------------------

cursors = sa.Table(
    "cursors",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _count("position"),
)
seen_reports = sa.Table(
    "seen_reports",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("report", sa.Text, primary_key=True),  # an incident's report id: it survives every resend
    sa.Column("seen_at", Instant, nullable=False, index=True),
)
quarantine = sa.Table(
    "quarantine",
    metadata,
    _id(),
    _text("source"),  # node id or intake name
    _text("where"),  # event log position / epoch / seq
    _text("why"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    _time("received_at"),
)

# --- incidents and clocks ----------------------------------------------------------------------------------

incidents = sa.Table(
    "incidents",
    metadata,
    _id(),
    _text("fingerprint"),
    _text("unit"),
    _text("asset", null=True),
    _text("node", null=True),
    _text("class"),
    _text("level", null=True),  # null: classified, graded by nobody here
    _text("level_by", null=True),
    # The level rests on unverified criteria only and waits for a person's word.
    sa.Column("proposed", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    _text("confirmed_level", null=True),
    _text("confirmed_by", null=True),
    _json("reasons"),
    _json("next_level", null=True),
    _json("standard", null=True),  # the level by GB/T 20986's own matrix, beside the legal one
    _text("state"),  # open | acknowledged | contained | handled | closed
    _text("acknowledged_by", null=True),
    _text("title"),  # what a person reads in lists, zh
    _text("title_en"),
    _json("facts"),
    _json("times"),  # names of product.md 5: occurred detected aware graded ...
    _json("evidence"),  # a ring of the newest reports
    _count("count", 1),
    _time("first_seen"),
    _time("last_seen"),
    _time("opened_at"),
    _time("updated_at"),
    _time("closed_at", null=True),
    sa.Column("late", sa.Boolean, nullable=False, default=False),
    _text("plan_hint", null=True),  # plan id a stage asked for
    sa.Column(
        "plan_pending", sa.Boolean, nullable=False, default=True
    ),  # runs looks for a plan, then clears it
    sa.Column("drill", sa.Boolean, nullable=False, default=False),
    _count("version", 1),
)
# At most one incident that is not closed stands for a fingerprint.
sa.Index(
    "uq_incidents_live_fingerprint",
    incidents.c.fingerprint,
    unique=True,
    sqlite_where=incidents.c.closed_at.is_(None),
    postgresql_where=incidents.c.closed_at.is_(None),
)
sa.Index("ix_incidents_plan_pending", incidents.c.plan_pending, incidents.c.id)

clocks = sa.Table(
    "clocks",
    metadata,
    _id(),
    _text("incident"),
    _text("obligation"),  # regime/stage[/recipient]
    _text("regime"),
    _text("stage"),
    _text("recipient"),
    _text("anchor"),
    _time("anchor_at", null=True),
    _time("due_at", null=True),
    _time("target_at", null=True),  # the unit's own target, not law
    _text("state"),  # Answer.obligations[].state
    _json("missing", null=True),
    _json("content"),
    _text("source"),
    sa.Column("verified", sa.Boolean, nullable=False),
    _count("generation", 1),
    _time("opened_at"),
    _time("met_at", null=True),
    _text("met_by", null=True),  # filing id
    _time("doubted_at", null=True),  # past due by a clock that jumped: a person has to say that it was missed
    sa.UniqueConstraint("incident", "obligation"),
)
# The auditor's question: open and past due, though nobody fired it.
sa.Index(
    "ix_clocks_open",
    clocks.c.opened_at,
    sqlite_where=clocks.c.state.in_(["open", "overdue", "no_number", "cannot_compute"]),
    postgresql_where=clocks.c.state.in_(["open", "overdue", "no_number", "cannot_compute"]),
)
sa.Index(
    "ix_clocks_due",
    clocks.c.due_at,
    sqlite_where=clocks.c.state == "open",
    postgresql_where=clocks.c.state == "open",
)
alarms = sa.Table(
    "alarms",
    metadata,
    _id(),
    _text("incident"),
    _text("clock"),  # empty: a step of the escalation chain
    _count("generation", 1),
    _text("kind"),  # half | four_fifths | due | overdue_1.. | target | escalate_0.. | progress_0.. | regrade
    _time("at"),
    _text("state"),  # armed | fired | cancelled
    _time("fired_at", null=True),
    sa.UniqueConstraint("incident", "clock", "generation", "kind"),
)
sa.Index(
    "ix_alarms_armed",
    alarms.c.at,
    sqlite_where=alarms.c.state == "armed",
    postgresql_where=alarms.c.state == "armed",
)

acknowledgements = sa.Table(
    "acknowledgements",
    metadata,
    _id(),
    sa.Column("incident", sa.Text, nullable=False, index=True),
    _text("actor"),
    _text("way"),  # desk | link
    sa.Column("link", sa.Text, nullable=True, unique=True),  # the notice whose one-time link was used
    _time("at"),
    _time("ended_at", null=True),  # it holds no more: no progress, or the incident burns again
)

# --- effects: claimed by compare-and-set with a lease and a fence -----------------------------------------

notices = sa.Table(
    "notices",
    metadata,
    _id(),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    _text("incident", null=True),
    _text("person", null=True),  # registry key; null: a machine receiver
    _text("channel"),  # name in the settings
    _json("payload"),  # {"subject", "body", ...} or an http_request's
    _text("state"),  # waiting | sending | sent | failed | unknown
    _count("attempts"),
    _time("created_at"),
    _time("next_at"),
    _text("owner", null=True),  # incarnation id of the process that claimed it
    _time("lease_until", null=True),
    _count("fence"),
    _time("sent_at", null=True),
    _json("result", null=True),
    sa.Column("drill", sa.Boolean, nullable=False, default=False),
)
sa.Index(
    "ix_notices_waiting",
    notices.c.next_at,
    sqlite_where=notices.c.state.in_(["waiting", "sending"]),
    postgresql_where=notices.c.state.in_(["waiting", "sending"]),
)
filings = sa.Table(
    "filings",
    metadata,
    _id(),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    _text("incident"),
    _text("clock"),
    _text("obligation"),
    _text("recipient"),
    _text("way"),  # upstream | person
    _text("state"),  # waiting | sending | receipted | refused
    _json("payload"),  # wire.messages.Filing
    _count("attempts"),
    _time("created_at"),
    _time("next_at"),
    _text("owner", null=True),
    _time("lease_until", null=True),
    _count("fence"),
    _time("filed_at", null=True),
    _json("receipt", null=True),  # wire.messages.Receipt, or a person's proof
    _time("receipt_at", null=True),
    _json("result", null=True),
)
sa.Index("ix_notices_incident", notices.c.incident)
sa.Index("ix_filings_incident", filings.c.incident)
sa.Index(
    "ix_filings_waiting",
    filings.c.next_at,
    sqlite_where=filings.c.state.in_(["waiting", "sending"]),
    postgresql_where=filings.c.state.in_(["waiting", "sending"]),
)
sa.Index("ix_filings_clock", filings.c.clock)
# The auditor's question: filed, and no receipt came.
sa.Index(
    "ix_filings_unreceipted",
    filings.c.created_at,
    sqlite_where=filings.c.receipt_at.is_(None),
    postgresql_where=filings.c.receipt_at.is_(None),
)
received_filings = sa.Table(
    "received_filings",
    metadata,
    sa.Column(
        "number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
    ),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    _text("node"),  # the collector below
    _text("unit"),
    _text("incident"),
    _text("obligation"),
    _text("level", null=True),
    _json("payload"),
    _time("received_at"),
    _text("sha256"),
    _text("drill", null=True),  # id of the drill it belongs to: no real report
)
drafts = sa.Table(
    "drafts",  # what persons wrote for a report, kept after it was filed: its supplement begins with it
    metadata,
    sa.Column("clock", sa.Text, primary_key=True),
    _text("incident"),
    _json("items"),  # number of the item: collector.statement.Written
    _json("ransom", null=True),
    _time("updated_at"),
    _text("updated_by"),
    _count("version", default=1),
)
sa.Index(None, drafts.c.incident)
attachments = sa.Table(
    "attachments",  # proof a person handed in: a confirmation, a fax journal, a photograph
    metadata,
    _id(),
    _text("incident"),
    _text("name"),
    _text("media_type"),
    _count("size"),
    _text("sha256"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    _text("actor"),
    _time("at"),
    sa.UniqueConstraint("incident", "sha256"),
)

# --- plans -----------------------------------------------------------------------------------------------

runs = sa.Table(
    "runs",
    metadata,
    _id(),
    _text("incident", null=True),
    sa.Column("unit", sa.Text, nullable=False, default=""),  # of its incident where it has one
    _text("plan"),
    _text("plan_sha256"),
    _json("plan_body"),  # pinned: a run goes on with what it started with
    _text("state"),  # running | paused | cancelling | done | failed | cancelled
    _text("level", null=True),  # response level; the incident's at first, then as its regrade steps say
    _json("cause", null=True),  # what started it: by, warning, reason
    _text("origin", null=True),  # makes a run without incident one: warning/<id>/<plan>
    _json("variables"),
    sa.Column("drill", sa.Boolean, nullable=False, default=False),
    _time("started_at"),
    _time("ended_at", null=True),
    _time("progress_at"),
    _time("resume_at", null=True),  # when a paused run goes on by itself
    sa.UniqueConstraint("incident", "plan"),
)
sa.Index(
    "ix_runs_open",
    runs.c.progress_at,
    sqlite_where=runs.c.ended_at.is_(None),
    postgresql_where=runs.c.ended_at.is_(None),
)
sa.Index("uq_runs_origin", runs.c.origin, unique=True)
run_steps = sa.Table(
    "run_steps",
    metadata,
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("step", sa.Text, primary_key=True),
    sa.Column("visit", sa.BigInteger, primary_key=True),  # a step in a loop is visited again
    _text("parent"),  # "step#visit" of the branching step it returns to; empty on the main line
    _text("kind"),
    _text("state"),  # ready | waiting | done | failed | skipped | cancelled
    _text("owner_role", null=True),
    _json("out", null=True),
    _text("why", null=True),
    _text("actor", null=True),  # who ended it; null while it is open
    _time("ready_at"),
    _time("wake_at", null=True),
    _time("deadline", null=True),
    _time("ended_at", null=True),
    _text("lease_owner", null=True),
    _time("lease_until", null=True),
    _count("fence"),
)
sa.Index(
    "ix_run_steps_open",
    run_steps.c.wake_at,
    sqlite_where=run_steps.c.state.in_(["ready", "waiting"]),
    postgresql_where=run_steps.c.state.in_(["ready", "waiting"]),
)
orders = sa.Table(
    "orders",
    metadata,
    _id(),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    _text("node"),
    _text("incident", null=True),
    _text("kind"),
    _json("params"),
    _time("issued_at"),
    _time("deadline"),
    _text("state"),  # open | done | refused | failed | expired
    _time("ended_at", null=True),
    _json("detail", null=True),
    sa.Column("dry_run", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
)
sa.Index("ix_orders_node_open", orders.c.node, orders.c.state)
evidence_packs = sa.Table(
    "evidence_packs",
    metadata,
    _id(),  # that of the order it answers
    _text("node"),
    _text("unit"),
    _text("incident", null=True),
    _text("name"),
    _text("host"),
    _count("size"),
    _text("sha256"),
    _text("sm3"),
    _count("chunks"),
    _count("arrived"),
    _json("items"),
    _text("state"),  # arriving | proved | broken
    _time("received_at"),
    _time("ended_at", null=True),
)
sa.Index("ix_evidence_packs_node", evidence_packs.c.node, evidence_packs.c.id)
evidence_chunks = sa.Table(
    "evidence_chunks",
    metadata,
    sa.Column("pack", sa.Text, primary_key=True),
    sa.Column("chunk", sa.BigInteger, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

# --- working days ------------------------------------------------------------------------------------------

calendar_year = sa.Table(
    "calendar_year",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),  # ISO 3166, a country or a subdivision
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("confirmed", sa.Boolean, nullable=False),  # decreed and read, not reckoned
    _text("source"),
    _time("filled_at"),
)
sa.Index("ix_calendar_year_year", calendar_year.c.year, calendar_year.c.region)
calendar_day = sa.Table(
    "calendar_day",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("working", sa.Boolean, nullable=False),
    _text("name"),  # of a holiday, or of what a weekend is worked for; else empty
)

# --- drills ----------------------------------------------------------------------------------------------

drills = sa.Table(
    "drills",
    metadata,
    _id(),
    _text("unit"),  # that holds it
    _json("units"),  # all that take part
    _text("name"),
    _text("name_en"),
    _text("form"),  # table_top | live | demonstration
    _text("scope"),  # department | unit | industry | region | across
    _text("kind"),  # comprehensive | special
    _text("state"),  # planned | running | done | cancelled
    _json("script", null=True),  # collector.drills.Script; null: planned, not written yet
    _time("planned_at"),
    _time("started_at", null=True),
    _time("ends_at", null=True),
    _time("ended_at", null=True),
    _text("superior"),  # outside | waiting | accepted | declined: whether the collector above is in it
    _json("superior_said", null=True),
    _json("sheet", null=True),  # collector.drills.Sheet, kept as it was at the end
    _text("lessons"),
    _text("created_by"),
    _time("created_at"),
)
sa.Index("ix_drills_state", drills.c.state, drills.c.planned_at)
drill_events = sa.Table(
    "drill_events",
    metadata,
    sa.Column("drill", sa.Text, primary_key=True),
    sa.Column("n", sa.BigInteger, primary_key=True),
    _time("at"),
    _text("kind"),  # incident | facts | absent | message
    _json("body"),  # collector.drills.Event
    _text("state"),  # armed | done | failed | cancelled
    _time("done_at", null=True),
    _json("result", null=True),
)
sa.Index(
    "ix_drill_events_armed",
    drill_events.c.at,
    sqlite_where=drill_events.c.state == "armed",
    postgresql_where=drill_events.c.state == "armed",
)
drill_incidents = sa.Table(
    "drill_incidents",
    metadata,
    sa.Column("incident", sa.Text, primary_key=True),
    sa.Column("drill", sa.Text, nullable=False, index=True),
    _text("name"),  # as the script calls it
)
announced_drills = sa.Table(
    "announced_drills",  # of collectors below; reports of a drill are only taken where it was accepted
    metadata,
    _id(),
    _text("node"),
    _text("unit"),
    _json("body"),  # wire.messages.DrillNotice
    _text("state"),  # waiting | accepted | declined
    _text("decided_by", null=True),
    _time("decided_at", null=True),
    _time("received_at"),
)

# --- accountability ----------------------------------------------------------------------------------------

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    _text("chain"),  # one hash chain a process incarnation
    _count("n"),
    _time("at"),
    _text("actor"),  # person:<key> | user:<name> | node:<id> | system
    _text("action"),  # incident.opened, clock.met, ...
    _text("subject"),  # kind:id
    _text("incident", null=True),
    _json("detail"),
    _text("previous"),
    _text("hash"),
    sa.UniqueConstraint("chain", "n"),
)
sa.Index(
    "ix_journal_findings",
    journal.c.id,
    sqlite_where=journal.c.action == "audit.finding",
    postgresql_where=journal.c.action == "audit.finding",
)
sa.Index("ix_journal_incident", journal.c.incident, journal.c.id)
# What belongs to no incident is found by its subject, such as a run that a warning began.
sa.Index(
    "ix_journal_unbound",
    journal.c.subject,
    journal.c.id,
    sqlite_where=journal.c.incident.is_(None),
    postgresql_where=journal.c.incident.is_(None),
)
# The chain of custody of an evidence pack.
_CUSTODY = journal.c.action.in_(
    ["evidence.broken", "evidence.exported", "evidence.proved", "evidence.received", "evidence.shown"]
)
sa.Index(
    "ix_journal_custody", journal.c.subject, journal.c.id, sqlite_where=_CUSTODY, postgresql_where=_CUSTODY
)

checkpoints = sa.Table(
    "checkpoints",  # the ends of journal chains, signed: what was cut off behind them shows
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    _time("at"),
    _text("owner"),  # incarnation id of the process
    _count("n"),  # of this process, from 1
    _json("heads"),  # [[chain, n, hash]]
    _text("previous"),  # signature of the checkpoint before, of this process; empty for its first
    _text("key"),  # public key, hex
    _text("signature"),
    sa.UniqueConstraint("owner", "n"),
)
