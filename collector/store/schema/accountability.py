"""The journal of every change, and the signed ends of its chains."""

import sqlalchemy as sa

from .columns import count, instant, json, metadata, text

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    text("chain"),  # one hash chain a process incarnation
    count("n"),
    instant("at"),
    text("actor"),  # person:<key> | user:<name> | node:<id> | system
    text("action"),  # incident.opened, clock.met, ...
    text("subject"),  # kind:id
    text("incident", null=True),
    json("detail"),
    text("previous"),
    text("hash"),
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
    instant("at"),
    text("owner"),  # incarnation id of the process
    count("n"),  # of this process, from 1
    json("heads"),  # [[chain, n, hash]]
    text("previous"),  # signature of the checkpoint before, of this process; empty for its first
    text("key"),  # public key, hex
    text("signature"),
    sa.UniqueConstraint("owner", "n"),
)
