"""Who has taken an incident on: several people, and by one-time links."""

import sqlalchemy as sa
from alembic import op

from collector.store import schema

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for acknowledgements."""
    op.create_table(
        "acknowledgements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("at", schema.Instant(timezone=True), nullable=False),
        sa.Column("ended_at", schema.Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgements")),
        sa.UniqueConstraint("link", name=op.f("uq_acknowledgements_link")),
    )
    op.create_index(op.f("ix_acknowledgements_incident"), "acknowledgements", ["incident"], unique=False)
