"""Which days are worked."""

import sqlalchemy as sa

from .columns import instant, metadata, text

calendar_year = sa.Table(
    "calendar_year",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),  # ISO 3166, a country or a subdivision
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("confirmed", sa.Boolean, nullable=False),  # decreed and read, not reckoned
    text("source"),
    instant("filled_at"),
)
sa.Index("ix_calendar_year_year", calendar_year.c.year, calendar_year.c.region)
calendar_day = sa.Table(
    "calendar_day",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("working", sa.Boolean, nullable=False),
    text("name"),  # of a holiday, or of what a weekend is worked for; else empty
)
