"""The history of a run that is about no incident is found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the few entries that belong to no incident."""
    none = sa.text("incident IS NULL")
    op.create_index(
        "ix_journal_unbound", "journal", ["subject", "id"], sqlite_where=none, postgresql_where=none
    )
