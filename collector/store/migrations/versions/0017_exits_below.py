"""The exit register as collectors below tell it; and what nothing has ever written goes."""

import sqlalchemy as sa
from alembic import op

from collector.store import schema

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it."""
    op.drop_column("nodes", "authorities")
    op.create_table(
        "exit_days_below",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("stands_for", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("declared", "observed", "unsanctioned", "nodes", "outside", "behind")
        ),
        sa.Column("counted_at", schema.Instant(timezone=True), nullable=False),
        sa.Column("told_at", schema.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("node", "unit", "day", name=op.f("pk_exit_days_below")),
    )
