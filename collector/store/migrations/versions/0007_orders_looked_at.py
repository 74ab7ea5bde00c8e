"""Orders that a node only looks at."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    op.add_column("orders", sa.Column("dry_run", sa.Boolean(), nullable=False, server_default=sa.false()))
