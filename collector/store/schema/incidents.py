"""Incidents, their clocks and alarms, and who has acknowledged them."""

import sqlalchemy as sa

from .columns import count, identifier, instant, json, metadata, text

incidents = sa.Table(
    "incidents",
    metadata,
    identifier(),
    text("fingerprint"),
    text("unit"),
    text("asset", null=True),
    text("node", null=True),
    text("class"),
    text("level", null=True),  # null: classified, graded by nobody here
    text("level_by", null=True),
    # The level rests on unverified criteria only and waits for a person's word.
    sa.Column("proposed", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    text("confirmed_level", null=True),
    text("confirmed_by", null=True),
    json("reasons"),
    json("next_level", null=True),
    json("standard", null=True),  # the level by GB/T 20986's own matrix, beside the legal one
    text("state"),  # open | acknowledged | contained | handled | closed
    text("acknowledged_by", null=True),
    text("title"),  # what a person reads in lists, zh
    text("title_en"),
    json("facts"),
    json("times"),  # names of product.md 5: occurred detected aware graded ...
    json("evidence"),  # a ring of the newest reports
    count("count", 1),
    instant("first_seen"),
    instant("last_seen"),
    instant("opened_at"),
    instant("updated_at"),
    instant("closed_at", null=True),
    sa.Column("late", sa.Boolean, nullable=False, default=False),
    text("plan_hint", null=True),  # plan id a stage asked for
    sa.Column(
        "plan_pending", sa.Boolean, nullable=False, default=True
    ),  # runs looks for a plan, then clears it
    sa.Column("drill", sa.Boolean, nullable=False, default=False),
    count("version", 1),
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
    identifier(),
    text("incident"),
    text("obligation"),  # regime/stage[/recipient]
    text("regime"),
    text("stage"),
    text("recipient"),
    text("anchor"),
    instant("anchor_at", null=True),
    instant("due_at", null=True),
    instant("target_at", null=True),  # the unit's own target, not law
    text("state"),  # Answer.obligations[].state
    json("missing", null=True),
    json("content"),
    text("source"),
    sa.Column("verified", sa.Boolean, nullable=False),
    count("generation", 1),
    instant("opened_at"),
    instant("met_at", null=True),
    text("met_by", null=True),  # filing id
    instant(
        "doubted_at", null=True
    ),  # past due by a clock that jumped: a person has to say that it was missed
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
    identifier(),
    text("incident"),
    text("clock"),  # empty: a step of the escalation chain
    count("generation", 1),
    text("kind"),  # half | four_fifths | due | overdue_1.. | target | escalate_0.. | progress_0.. | regrade
    instant("at"),
    text("state"),  # armed | fired | cancelled
    instant("fired_at", null=True),
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
    identifier(),
    sa.Column("incident", sa.Text, nullable=False, index=True),
    text("actor"),
    text("way"),  # desk | link
    sa.Column("link", sa.Text, nullable=True, unique=True),  # the notice whose one-time link was used
    instant("at"),
    instant("ended_at", null=True),  # it holds no more: no progress, or the incident burns again
)
