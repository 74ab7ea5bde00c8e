"""How far the event log was read, what of it was seen, and what nobody could read."""

import sqlalchemy as sa

from .columns import Instant, count, identifier, instant, metadata, text

cursors = sa.Table(
    "cursors",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    count("position"),
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
    identifier(),
    text("source"),  # node id or intake name
    text("where"),  # event log position / epoch / seq
    text("why"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    instant("received_at"),
)
