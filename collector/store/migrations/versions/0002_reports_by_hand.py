"""Reports by hand: what persons write for a report, and the proof they hand in."""

import sqlalchemy as sa
from alembic import op

from collector.store import schema

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for drafts and attachments."""
    op.create_table(
        "attachments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", schema.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
        sa.UniqueConstraint("incident", "sha256", name=op.f("uq_attachments_incident_sha256")),
    )
    op.create_table(
        "drafts",
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("ransom", sa.JSON(), nullable=True),
        sa.Column("updated_at", schema.Instant(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("clock", name=op.f("pk_drafts")),
    )
    op.create_index(op.f("ix_drafts_incident"), "drafts", ["incident"], unique=False)
