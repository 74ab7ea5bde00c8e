"""Found by state: what waits to be sent and what is still owed, without reading what is over."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WAITING = "state IN ('waiting', 'sending')"
_OPEN = "state IN ('open', 'overdue', 'no_number', 'cannot_compute')"


def upgrade() -> None:
    """Make the indexes."""
    for name, table, column, where in (
        ("ix_filings_waiting", "filings", "next_at", _WAITING),
        ("ix_clocks_open", "clocks", "opened_at", _OPEN),
    ):
        condition = sa.text(where)
        op.create_index(name, table, [column], sqlite_where=condition, postgresql_where=condition)
