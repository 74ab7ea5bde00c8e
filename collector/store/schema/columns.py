"""What columns are made of: a point in time that both databases sort, and the few kinds of column."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A point in time: aware in Python, UTC in storage, sortable on both databases.

    On SQLite it is text, written and read by the standard library in one call: a clock has six of them.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; a naive time is a mistake of ours and raises ValueError."""
        if value is None:
            return None
        utc = _in_utc(value)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return it aware, in UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Return what turns a time into what the driver takes."""
        return _to_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Return what turns what the driver gives into a time."""
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"naive time {value!r} has no place in storage")
    return value.astimezone(UTC)


def _to_text(value: datetime | None) -> str | None:
    """Write a time as SQLite sorts it.

    >>> _to_text(datetime(2026, 3, 2, 9, 10, tzinfo=UTC))
    '2026-03-02 09:10:00.000000'
    """
    return None if value is None else _in_utc(value).isoformat(" ", "microseconds")[:26]


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def identifier() -> sa.Column[str]:
    """A key: UUIDv7 text, or one of the registry."""
    return sa.Column("id", sa.Text, primary_key=True)


def text(name: str, *, null: bool = False) -> sa.Column[str]:
    """Text."""
    return sa.Column(name, sa.Text, nullable=null)


def count(name: str, default: int = 0) -> sa.Column[int]:
    """A whole number, wide enough for microseconds since 1970."""
    return sa.Column(name, sa.BigInteger, nullable=False, default=default)


def instant(name: str, *, null: bool = False) -> sa.Column[datetime]:
    """A point in time."""
    return sa.Column(name, Instant, nullable=null)


def json(name: str, *, null: bool = False) -> sa.Column[Any]:
    """A JSON value; None is SQL's null."""
    return sa.Column(name, sa.JSON(none_as_null=True), nullable=null)
