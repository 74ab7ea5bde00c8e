"""What leaves: notices and filings, claimed by compare-and-set with a lease and a fence; and proofs of it."""

import sqlalchemy as sa

from .columns import count, identifier, instant, json, metadata, text

notices = sa.Table(
    "notices",
    metadata,
    identifier(),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    text("incident", null=True),
    text("person", null=True),  # registry key; null: a machine receiver
    text("channel"),  # name in the settings
    json("payload"),  # {"subject", "body", ...} or an http_request's
    text("state"),  # waiting | sending | sent | failed | unknown
    count("attempts"),
    instant("created_at"),
    instant("next_at"),
    text("owner", null=True),  # incarnation id of the process that claimed it
    instant("lease_until", null=True),
    count("fence"),
    instant("sent_at", null=True),
    json("result", null=True),
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
    identifier(),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    text("incident"),
    text("clock"),
    text("obligation"),
    text("recipient"),
    text("way"),  # upstream | person
    text("state"),  # waiting | sending | receipted | refused
    json("payload"),  # wire.messages.Filing
    count("attempts"),
    instant("created_at"),
    instant("next_at"),
    text("owner", null=True),
    instant("lease_until", null=True),
    count("fence"),
    instant("filed_at", null=True),
    json("receipt", null=True),  # wire.messages.Receipt, or a person's proof
    instant("receipt_at", null=True),
    json("result", null=True),
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
    text("node"),  # the collector below
    text("unit"),
    text("incident"),
    text("obligation"),
    text("level", null=True),
    json("payload"),
    instant("received_at"),
    text("sha256"),
    text("drill", null=True),  # id of the drill it belongs to: no real report
)
drafts = sa.Table(
    "drafts",  # what persons wrote for a report, kept after it was filed: its supplement begins with it
    metadata,
    sa.Column("clock", sa.Text, primary_key=True),
    text("incident"),
    json("items"),  # number of the item: collector.statement.Written
    json("ransom", null=True),
    instant("updated_at"),
    text("updated_by"),
    count("version", default=1),
)
sa.Index(None, drafts.c.incident)
attachments = sa.Table(
    "attachments",  # proof a person handed in: a confirmation, a fax journal, a photograph
    metadata,
    identifier(),
    text("incident"),
    text("name"),
    text("media_type"),
    count("size"),
    text("sha256"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    text("actor"),
    instant("at"),
    sa.UniqueConstraint("incident", "sha256"),
)
