"""What the watch has found is looked up by an index, however long the journal is."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the few entries that are findings."""
    found = sa.text("action = 'audit.finding'")
    op.create_index("ix_journal_findings", "journal", ["id"], sqlite_where=found, postgresql_where=found)
