"""How sure a verdict on a way out is, and where units stood with theirs day by day."""

import sqlalchemy as sa
from alembic import op

from collector.store import schema

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    op.add_column("exits", sa.Column("confidence", sa.Float(), nullable=True))
    op.create_table(
        "exit_days",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("declared", sa.BigInteger(), nullable=False),
        sa.Column("observed", sa.BigInteger(), nullable=False),
        sa.Column("unsanctioned", sa.BigInteger(), nullable=False),
        sa.Column("nodes", sa.BigInteger(), nullable=False),
        sa.Column("outside", sa.BigInteger(), nullable=False),
        sa.Column("behind", sa.BigInteger(), nullable=False),
        sa.Column("share", sa.Float(), nullable=True),
        sa.Column("counted_at", schema.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("unit", "day", name=op.f("pk_exit_days")),
    )
