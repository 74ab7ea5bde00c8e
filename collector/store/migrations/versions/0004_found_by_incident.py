"""Found by incident: an incident's notices and filings, and a clock's filings, without reading the tables."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("ix_notices_incident", "notices", ["incident"], unique=False)
    op.create_index("ix_filings_incident", "filings", ["incident"], unique=False)
    op.create_index("ix_filings_clock", "filings", ["clock"], unique=False)
