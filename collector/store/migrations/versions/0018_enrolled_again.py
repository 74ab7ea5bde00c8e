"""With which token and key a node enrolled: who lost the answer gets it again."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    op.add_column("nodes", sa.Column("enrolled_token", sa.Text(), nullable=True))
    op.add_column("nodes", sa.Column("enrolled_key", sa.Text(), nullable=True))
