"""Nodes and what is known of them, and who may come in: tokens, users, sessions."""

import sqlalchemy as sa

from .columns import count, identifier, instant, json, metadata, text

nodes = sa.Table(
    "nodes",
    metadata,
    identifier(),
    text("unit"),
    text("kind"),  # agent | collector
    text("state"),  # active | revoked
    text("host_name"),
    text("machine_id"),
    json("assets"),  # registry keys the node belongs to
    text("certificate_serial"),
    instant("certificate_expires"),
    instant("enrolled_at"),
    instant("last_seen", null=True),
    sa.Column("skew_seconds", sa.Float, nullable=True),
    text("agent_version", null=True),
    json("findings"),  # [{"kind": "grade_differs", ...}]: what node and register disagree on, failed updates
    json("presence", null=True),  # {"why": "killed", "since", ...} while it is silent
    instant("cloned_at", null=True),  # two hosts spoke with its key: only its newest certificate counts
    text("enrolled_token", null=True),  # with which it enrolled, and SHA-256 of the key it has since then;
    text("enrolled_key", null=True),  # null once it has another
)
node_facts = sa.Table(
    "node_facts",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # asset | exits | sockets | heartbeat | gap:SOURCE
    json("body"),
    instant("observed_at"),
    instant("received_at"),
)
exits = sa.Table(
    "exits",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),  # stable name of the way out on that node
    text("unit"),
    text("link"),
    text("link_kind"),
    text("next_hop", null=True),
    json("addresses"),
    text("verdict"),
    text("sanctioned_by", null=True),  # registry key of the sanctioned exit
    json("evidence"),
    instant("first_seen"),
    instant("last_seen"),
    instant("gone_at", null=True),
    sa.Column("confidence", sa.Float, nullable=True),  # null: judged before it was told
)
exit_days = sa.Table(
    "exit_days",
    metadata,
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),  # ISO date in the unit's time zone
    *(count(name) for name in ("declared", "observed", "unsanctioned", "nodes", "outside", "behind")),
    sa.Column("share", sa.Float, nullable=True),  # null: no node has a way out
    instant("counted_at"),
)
exit_days_below = sa.Table(
    "exit_days_below",  # as collectors below tell them
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, primary_key=True),  # by the other side's register
    sa.Column("day", sa.Text, primary_key=True),
    text("stands_for"),  # the unit of this register that it is counted with
    *(count(name) for name in ("declared", "observed", "unsanctioned", "nodes", "outside", "behind")),
    instant("counted_at"),  # by the other side's clock
    instant("told_at"),
)
enrolment_tokens = sa.Table(
    "enrolment_tokens",
    metadata,
    identifier(),
    sa.Column("secret_sha256", sa.Text, nullable=False, unique=True),
    text("unit"),
    text("kind"),  # agent | collector
    instant("created_at"),
    instant("expires_at"),
    count("uses_left", 1),
)
api_tokens = sa.Table(
    "api_tokens",
    metadata,
    identifier(),
    sa.Column("secret_sha256", sa.Text, nullable=False, unique=True),
    text("role"),  # admin | duty | viewer | metrics | intake
    instant("created_at"),
    instant("revoked_at", null=True),
)
users = sa.Table(
    "users",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    text("password_argon2"),
    text("role"),  # admin | duty | viewer
    text("person", null=True),  # registry key
    instant("created_at"),
    instant("disabled_at", null=True),
)
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("secret_sha256", sa.Text, primary_key=True),
    text("user"),
    instant("created_at"),
    instant("expires_at"),
)
