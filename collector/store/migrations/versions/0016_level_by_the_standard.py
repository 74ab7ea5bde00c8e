"""The level by GB/T 20986's own matrix is kept beside the legal one."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; incidents get theirs when they are graded next."""
    op.add_column("incidents", sa.Column("standard", sa.JSON(none_as_null=True), nullable=True))
