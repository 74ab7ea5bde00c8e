"""Drills, their scripts and what belongs to them."""

import sqlalchemy as sa

from .columns import identifier, instant, json, metadata, text

drills = sa.Table(
    "drills",
    metadata,
    identifier(),
    text("unit"),  # that holds it
    json("units"),  # all that take part
    text("name"),
    text("name_en"),
    text("form"),  # table_top | live | demonstration
    text("scope"),  # department | unit | industry | region | across
    text("kind"),  # comprehensive | special
    text("state"),  # planned | running | done | cancelled
    json("script", null=True),  # collector.drills.Script; null: planned, not written yet
    instant("planned_at"),
    instant("started_at", null=True),
    instant("ends_at", null=True),
    instant("ended_at", null=True),
    text("superior"),  # outside | waiting | accepted | declined: whether the collector above is in it
    json("superior_said", null=True),
    json("sheet", null=True),  # collector.drills.Sheet, kept as it was at the end
    text("lessons"),
    text("created_by"),
    instant("created_at"),
)
sa.Index("ix_drills_state", drills.c.state, drills.c.planned_at)
drill_events = sa.Table(
    "drill_events",
    metadata,
    sa.Column("drill", sa.Text, primary_key=True),
    sa.Column("n", sa.BigInteger, primary_key=True),
    instant("at"),
    text("kind"),  # incident | facts | absent | message
    json("body"),  # collector.drills.Event
    text("state"),  # armed | done | failed | cancelled
    instant("done_at", null=True),
    json("result", null=True),
)
sa.Index(
    "ix_drill_events_armed",
    drill_events.c.at,
    sqlite_where=drill_events.c.state == "armed",
    postgresql_where=drill_events.c.state == "armed",
)
drill_incidents = sa.Table(
    "drill_incidents",
    metadata,
    sa.Column("incident", sa.Text, primary_key=True),
    sa.Column("drill", sa.Text, nullable=False, index=True),
    text("name"),  # as the script calls it
)
announced_drills = sa.Table(
    "announced_drills",  # of collectors below; reports of a drill are only taken where it was accepted
    metadata,
    identifier(),
    text("node"),
    text("unit"),
    json("body"),  # wire.messages.DrillNotice
    text("state"),  # waiting | accepted | declined
    text("decided_by", null=True),
    instant("decided_at", null=True),
    instant("received_at"),
)
