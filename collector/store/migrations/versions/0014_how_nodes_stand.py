"""Why a node is silent, that it was cloned, and which authorities it trusts."""

import sqlalchemy as sa
from alembic import op

from collector.store import schema

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    op.add_column("nodes", sa.Column("presence", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("nodes", sa.Column("cloned_at", schema.Instant(timezone=True), nullable=True))
    op.add_column("nodes", sa.Column("authorities", sa.Text(), nullable=True))
