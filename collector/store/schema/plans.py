"""Runs of plans, orders to nodes, and the evidence that comes back."""

import sqlalchemy as sa

from .columns import count, identifier, instant, json, metadata, text

runs = sa.Table(
    "runs",
    metadata,
    identifier(),
    text("incident", null=True),
    sa.Column("unit", sa.Text, nullable=False, default=""),  # of its incident where it has one
    text("plan"),
    text("plan_sha256"),
    json("plan_body"),  # pinned: a run goes on with what it started with
    text("state"),  # running | paused | cancelling | done | failed | cancelled
    text("level", null=True),  # response level; the incident's at first, then as its regrade steps say
    json("cause", null=True),  # what started it: by, warning, reason
    text("origin", null=True),  # makes a run without incident one: warning/<id>/<plan>
    json("variables"),
    sa.Column("drill", sa.Boolean, nullable=False, default=False),
    instant("started_at"),
    instant("ended_at", null=True),
    instant("progress_at"),
    instant("resume_at", null=True),  # when a paused run goes on by itself
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
    text("parent"),  # "step#visit" of the branching step it returns to; empty on the main line
    text("kind"),
    text("state"),  # ready | waiting | done | failed | skipped | cancelled
    text("owner_role", null=True),
    json("out", null=True),
    text("why", null=True),
    text("actor", null=True),  # who ended it; null while it is open
    instant("ready_at"),
    instant("wake_at", null=True),
    instant("deadline", null=True),
    instant("ended_at", null=True),
    text("lease_owner", null=True),
    instant("lease_until", null=True),
    count("fence"),
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
    identifier(),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    text("node"),
    text("incident", null=True),
    text("kind"),
    json("params"),
    instant("issued_at"),
    instant("deadline"),
    text("state"),  # open | done | refused | failed | expired
    instant("ended_at", null=True),
    json("detail", null=True),
    sa.Column("dry_run", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
)
sa.Index("ix_orders_node_open", orders.c.node, orders.c.state)
evidence_packs = sa.Table(
    "evidence_packs",
    metadata,
    identifier(),  # that of the order it answers
    text("node"),
    text("unit"),
    text("incident", null=True),
    text("name"),
    text("host"),
    count("size"),
    text("sha256"),
    text("sm3"),
    count("chunks"),
    count("arrived"),
    json("items"),
    text("state"),  # arriving | proved | broken
    instant("received_at"),
    instant("ended_at", null=True),
)
sa.Index("ix_evidence_packs_node", evidence_packs.c.node, evidence_packs.c.id)
evidence_chunks = sa.Table(
    "evidence_chunks",
    metadata,
    sa.Column("pack", sa.Text, primary_key=True),
    sa.Column("chunk", sa.BigInteger, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
