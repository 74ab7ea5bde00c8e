"""A person's word on levels and missed clocks, signed checkpoints of the journal, filings without receipt."""

import sqlalchemy as sa
from alembic import op

from collector.store import schema

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    op.add_column("incidents", sa.Column("proposed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("incidents", sa.Column("confirmed_level", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("confirmed_by", sa.Text(), nullable=True))
    op.add_column("clocks", sa.Column("doubted_at", schema.Instant(timezone=True), nullable=True))
    waits = sa.text("receipt_at IS NULL")
    op.create_index(
        "ix_filings_unreceipted", "filings", ["created_at"], sqlite_where=waits, postgresql_where=waits
    )
    op.create_table(
        "checkpoints",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", schema.Instant(timezone=True), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("heads", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoints")),
        sa.UniqueConstraint("owner", "n", name=op.f("uq_checkpoints_owner_n")),
    )
