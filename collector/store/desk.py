"""Lists for the console and the API: read-only, paged by cursor, cut to the units a reader may see.

A page is found by the sort key of the last row shown, never by an offset: rows that arrive between two
pages neither repeat nor hide others, and the hundredth page costs what the first does.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from msgspec import Struct, convert
from sqlalchemy.ext.asyncio import AsyncConnection

from . import schema, views
from .evidence import PackRow
from .exits_below import OF_ALL

Row = TypeVar("Row", bound=Struct)
Key = tuple[str | int, ...]
Units = Collection[str] | None
"""Ids of the units a reader may see; None: all of them."""


class Listing(Struct, Generic[Row], frozen=True):
    """How a noun is listed.

    Fields:
        table, row: Where it stands and what a row becomes.
        key: Columns that sort it and tell rows apart; text or whole numbers.
        within: Condition that keeps rows of these units.
        newest_first: Whether the highest key comes first.
        filters: Columns a reader may ask an exact value of.
    """

    table: sa.FromClause
    row: type[Row]
    key: tuple[str, ...]
    within: Callable[[Collection[str]], sa.ColumnElement[bool]]
    newest_first: bool = False
    filters: tuple[str, ...] = ()


class Page(Struct, Generic[Row], frozen=True):
    """A part of a list; `next` is the key to go on after, None at the end."""

    items: list[Row]
    next: Key | None


def _by_unit(table: sa.FromClause) -> Callable[[Collection[str]], sa.ColumnElement[bool]]:
    return table.c.unit.in_


def _by_incident(table: sa.Table) -> Callable[[Collection[str]], sa.ColumnElement[bool]]:
    incidents = schema.incidents
    return lambda units: table.c.incident.in_(sa.select(incidents.c.id).where(incidents.c.unit.in_(units)))


NODES = Listing(
    schema.nodes, views.NodeRow, ("id",), _by_unit(schema.nodes), filters=("unit", "state", "kind")
)
EXITS = Listing(
    schema.exits, views.ExitRow, ("node", "key"), _by_unit(schema.exits), filters=("unit", "node", "verdict")
)
EXIT_DAYS = Listing(
    OF_ALL,
    views.ExitDayRow,
    ("unit", "day"),
    _by_unit(OF_ALL),
    filters=("unit", "day"),
)
INCIDENTS = Listing(
    schema.incidents,
    views.IncidentRow,
    ("id",),
    _by_unit(schema.incidents),
    newest_first=True,
    filters=("unit", "state", "level", "class", "asset", "node"),
)
OBLIGATIONS = Listing(
    schema.clocks,
    views.ObligationRow,
    ("id",),
    _by_incident(schema.clocks),
    newest_first=True,
    filters=("incident", "state", "regime", "recipient"),
)
FILINGS = Listing(
    schema.filings,
    views.FilingRow,
    ("id",),
    _by_incident(schema.filings),
    newest_first=True,
    filters=("incident", "state", "recipient", "obligation"),
)
RECEIVED = Listing(
    schema.received_filings,
    views.ReceivedRow,
    ("number",),
    _by_unit(schema.received_filings),
    newest_first=True,
    filters=("unit", "obligation", "level"),
)
RUNS = Listing(
    schema.runs,
    views.RunRow,
    ("id",),
    _by_unit(schema.runs),
    newest_first=True,
    filters=("incident", "state", "plan", "unit"),
)
ORDERS = Listing(
    schema.orders,
    views.OrderFile,
    ("id",),
    lambda units: schema.orders.c.node.in_(
        sa.select(schema.nodes.c.id).where(schema.nodes.c.unit.in_(units))
    ),
    newest_first=True,
    filters=("node", "incident", "kind", "state"),
)
EVIDENCE = Listing(
    schema.evidence_packs,
    PackRow,
    ("id",),
    _by_unit(schema.evidence_packs),
    newest_first=True,
    filters=("node", "incident", "state"),
)
AUDIT = Listing(
    schema.journal,
    views.AuditRow,
    ("id",),
    _by_incident(schema.journal),
    newest_first=True,
    filters=("incident", "action", "actor", "subject"),
)


async def page(
    conn: AsyncConnection,
    listing: Listing[Row],
    *,
    units: Units = None,
    where: Sequence[tuple[str, str]] = (),
    after: Key | None = None,
    limit: int = 100,
) -> Page[Row]:
    """Return a part of a list, `limit` rows at most, after the row whose key is `after`.

    Raises:
        KeyError: `where` names a column the listing may not be asked by.
    """
    columns = [listing.table.c[name] for name in listing.key]
    query = sa.select(*_wanted(listing.table, listing.row)).limit(limit + 1)
    query = query.order_by(*((column.desc() if listing.newest_first else column) for column in columns))
    if units is not None:
        query = query.where(listing.within(units))
    for name, value in where:
        if name not in listing.filters:
            raise KeyError(name)
        query = query.where(listing.table.c[name] == value)
    if after is not None:
        place = sa.tuple_(*columns)
        query = query.where(place < after if listing.newest_first else place > after)
    found = (await conn.execute(query)).mappings().all()
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        items=[shaped(row, listing.row) for row in found[:limit]],
        next=tuple(last[name] for name in listing.key) if last else None,
    )


async def one(
    conn: AsyncConnection, listing: Listing[Any], row: type[Row], key: Key, *, units: Units = None
) -> Row | None:
    """Return the row with this key as `row`, or None where it is not or belongs to other units."""
    query = sa.select(*_wanted(listing.table, row))
    for name, value in zip(listing.key, key, strict=True):
        query = query.where(listing.table.c[name] == value)
    if units is not None:
        query = query.where(listing.within(units))
    found = (await conn.execute(query)).mappings().one_or_none()
    return None if found is None else shaped(found, row)


async def facts_of(conn: AsyncConnection, node: str) -> list[views.FactRow]:
    """Return the newest report of each kind of a node."""
    table = schema.node_facts
    query = sa.select(*_wanted(table, views.FactRow)).where(table.c.node == node).order_by(table.c.kind)
    return [shaped(row, views.FactRow) for row in (await conn.execute(query)).mappings()]


async def hosts_of(conn: AsyncConnection, nodes: Collection[str]) -> dict[str, str]:
    """Return the host names of these nodes by id."""
    table = schema.nodes
    query = sa.select(table.c.id, table.c.host_name).where(table.c.id.in_(nodes))
    return {key: name for key, name in (await conn.execute(query)).all()}  # noqa: C416 - rows are no pairs to mypy


async def steps_of(conn: AsyncConnection, runs: Sequence[str]) -> list[views.StepRow]:
    """Return the steps of these runs in the order they became ready."""
    table = schema.run_steps
    query = sa.select(*_wanted(table, views.StepRow)).where(table.c.run.in_(runs))
    query = query.order_by(table.c.ready_at, table.c.step, table.c.visit)
    return [shaped(row, views.StepRow) for row in (await conn.execute(query)).mappings()]


def shaped(row: sa.RowMapping, into: type[Row]) -> Row:
    """Turn a database row into its struct."""
    return convert({str(name): value for name, value in row.items()}, into)  # names may be quoted_name


def _wanted(table: sa.FromClause, row: type[Struct]) -> list[sa.ColumnElement[Any]]:
    return [table.c[name] for name in row.__struct_encode_fields__]
