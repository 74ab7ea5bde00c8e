"""Drills: the year's plan, the script's events, the incidents that belong to one, those announced below."""

import sqlalchemy as sa
from alembic import op

from collector.store import schema

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _text(name: str, *, null: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=null)


def _json(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.JSON(none_as_null=True), nullable=null)


def _time(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, schema.Instant(timezone=True), nullable=null)


def upgrade() -> None:
    """Make room for them; no report received so far belongs to one."""
    op.add_column("received_filings", _text("drill", null=True))
    op.create_table(
        "drills",
        *(_text("id"), _text("unit"), _json("units"), _text("name"), _text("name_en")),
        *(_text("form"), _text("scope"), _text("kind"), _text("state"), _json("script", null=True)),
        *(_time("planned_at"), _time("started_at", null=True), _time("ends_at", null=True)),
        *(_time("ended_at", null=True), _text("superior"), _json("superior_said", null=True)),
        *(_json("sheet", null=True), _text("lessons"), _text("created_by"), _time("created_at")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drills")),
    )
    op.create_index("ix_drills_state", "drills", ["state", "planned_at"])
    op.create_table(
        "drill_events",
        *(_text("drill"), sa.Column("n", sa.BigInteger(), nullable=False), _time("at"), _text("kind")),
        *(_json("body"), _text("state"), _time("done_at", null=True), _json("result", null=True)),
        sa.PrimaryKeyConstraint("drill", "n", name=op.f("pk_drill_events")),
    )
    armed = sa.text("state = 'armed'")
    op.create_index(
        "ix_drill_events_armed", "drill_events", ["at"], sqlite_where=armed, postgresql_where=armed
    )
    op.create_table(
        "drill_incidents",
        *(_text("incident"), _text("drill"), _text("name")),
        sa.PrimaryKeyConstraint("incident", name=op.f("pk_drill_incidents")),
    )
    op.create_index("ix_drill_incidents_drill", "drill_incidents", ["drill"])
    op.create_table(
        "announced_drills",
        *(_text("id"), _text("node"), _text("unit"), _json("body"), _text("state")),
        *(_text("decided_by", null=True), _time("decided_at", null=True), _time("received_at")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announced_drills")),
    )
