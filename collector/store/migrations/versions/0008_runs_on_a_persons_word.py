"""Runs that people pause, give up and start; their response level; runs of no incident."""

import sqlalchemy as sa
from alembic import op

from collector.store import schema

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them; every run so far belongs to its incident's unit."""
    op.add_column("runs", sa.Column("unit", sa.Text(), nullable=False, server_default=""))
    for name in ("level", "origin"):
        op.add_column("runs", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("cause", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("runs", sa.Column("resume_at", schema.Instant(timezone=True), nullable=True))
    op.execute(
        "UPDATE runs SET unit = COALESCE((SELECT unit FROM incidents WHERE incidents.id = runs.incident), '')"
    )
    op.drop_index("ix_runs_running", "runs")
    still = sa.text("ended_at IS NULL")
    op.create_index("ix_runs_open", "runs", ["progress_at"], sqlite_where=still, postgresql_where=still)
    op.create_index("uq_runs_origin", "runs", ["origin"], unique=True)
