"""Evidence packs that answer orders, and their chain of custody found by its pack."""

import sqlalchemy as sa
from alembic import op

from collector.store import schema

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    op.create_table(
        "evidence_packs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("sm3", sa.Text(), nullable=False),
        sa.Column("chunks", sa.BigInteger(), nullable=False),
        sa.Column("arrived", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", schema.Instant(timezone=True), nullable=False),
        sa.Column("ended_at", schema.Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_packs")),
    )
    op.create_index("ix_evidence_packs_node", "evidence_packs", ["node", "id"])
    op.create_table(
        "evidence_chunks",
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("chunk", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("pack", "chunk", name=op.f("pk_evidence_chunks")),
    )
    custody = sa.text(
        "action IN ('evidence.broken', 'evidence.exported', 'evidence.proved', 'evidence.received',"
        " 'evidence.shown')"
    )
    op.create_index(
        "ix_journal_custody", "journal", ["subject", "id"], sqlite_where=custody, postgresql_where=custody
    )
