"""Many rows at once, as cheaply as a driver takes them: ten thousand clocks may be due in one second.

SQLAlchemy looks at every value of every row. Here each column is prepared as a whole, only where the database
wants it otherwise than Python has it, and what stands in many rows, a time or a payload, is prepared once.
A thousand keys that rows are looked up by are one parameter, so the statement is the same for any number.
"""

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

Prepare = Callable[[Any], Any]


async def insert_rows(
    connection: AsyncConnection,
    table: sa.Table,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    *,
    as_text: Collection[str] = (),
) -> None:
    """Add rows.

    Args:
        connection: A write transaction.
        table: Where to; a column that is not named keeps what the database itself gives it, for no default of
            the schema is filled in.
        names: The columns, in the order of a row's values.
        rows: The values.
        as_text: Columns whose JSON is written already.
    """
    if not rows:
        return
    plan = _plan(connection.dialect, table, tuple(names), frozenset(as_text))
    columns = list(zip(*rows, strict=True))
    ready = [_prepared(columns[place], prepare) for place, prepare in plan.places]
    await connection.exec_driver_sql(plan.statement, list(zip(*ready, strict=True)))


def among(
    connection: AsyncConnection, column: sa.Column[str], keys: Collection[str]
) -> sa.ColumnElement[bool]:
    """Return the condition that a column is one of the keys."""
    if connection.dialect.name == "postgresql":
        return column == sa.any_(sa.literal(list(keys), sa.ARRAY(sa.Text)))
    listed = sa.func.json_each(sa.literal(msgspec.json.encode(list(keys)).decode(), sa.Text))
    return column.in_(sa.select(listed.table_valued("value").c.value))


class _Plan(Struct, frozen=True):
    """A statement, and for each parameter its place in a row and what the database wants done to it."""

    statement: str
    places: list[tuple[int, Prepare | None]]


@lru_cache(maxsize=64)
def _plan(dialect: Dialect, table: sa.Table, names: tuple[str, ...], as_text: frozenset[str]) -> _Plan:
    compiled = sa.insert(table).inline().compile(dialect=dialect, column_keys=names)
    places: list[tuple[int, Prepare | None]] = []
    for name in compiled.positiontup or ():
        prepare = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        places.append((names.index(name), None if name in as_text else prepare))
    return _Plan(str(compiled), places)


def _prepared(column: Sequence[Any], prepare: Prepare | None) -> Sequence[Any]:
    if prepare is None:
        return column
    different = {id(value): value for value in column}
    ready = {key: prepare(value) for key, value in different.items()}
    return [ready[id(value)] for value in column]
