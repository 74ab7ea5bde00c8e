"""What the duty desk looks at: incidents by what is due first, and everything that belongs to one of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

import sqlalchemy as sa
from msgspec import Struct, convert
from sqlalchemy.ext.asyncio import AsyncConnection

from . import schema, views
from .desk import Units, shaped, steps_of

Row = TypeVar("Row", bound=Struct)
RUNNING = ("open", "overdue", "no_number")
"""States of a clock that still asks something of somebody at a time that is known."""

_OVER = ("handled", "closed")
_NEVER = datetime.max.replace(tzinfo=UTC)
_incidents = schema.incidents
_clocks = schema.clocks


class Burning(Struct, frozen=True, kw_only=True):
    """A live incident with the clocks that run for it, the earliest first."""

    incident: views.IncidentRow
    clocks: list[views.ObligationRow]


class Board(Struct, frozen=True, kw_only=True):
    """Live incidents, what is due first on top; `total` counts also those beyond the limit."""

    burning: list[Burning]
    total: int
    recent: list[views.IncidentRow]


class RunHistory(Struct, frozen=True, kw_only=True):
    """A run with its steps and what was done to it, oldest first."""

    run: views.RunPlan
    steps: list[views.StepRow]
    journal: list[views.AuditRow]


class CaseFile(Struct, frozen=True, kw_only=True):
    """One incident with all that hangs on it; `journal` holds the newest entries, newest first."""

    incident: views.IncidentFile
    clocks: list[views.ObligationRow]
    runs: list[views.RunPlan]
    steps: list[views.StepRow]
    notices: list[views.NoticeRow]
    filings: list[views.FilingFile]
    journal: list[views.AuditRow]


def when(clock: views.ObligationRow) -> datetime | None:
    """Return the time a clock asks for: the law's, else the unit's own target."""
    return clock.due_at or clock.target_at


async def read_board(conn: AsyncConnection, *, units: Units, limit: int = 100, recent: int = 10) -> Board:
    """Return the live incidents, earliest due first; then what nobody took up yet, then the gravest.

    Among those shown, one that becomes graver at a known time stands where a clock due then would stand.
    """
    due = sa.func.coalesce(_clocks.c.due_at, _clocks.c.target_at)
    first = (
        sa.select(_clocks.c.incident, sa.func.min(due).label("first_due"))
        .where(_clocks.c.state.in_(RUNNING))
        .group_by(_clocks.c.incident)
        .subquery()
    )
    live = _seen(units, _incidents.c.closed_at.is_(None))
    query = (
        sa.select(*_columns(_incidents, views.IncidentRow))
        .outerjoin(first, first.c.incident == _incidents.c.id)
        .where(live)
        .order_by(
            first.c.first_due.is_(None),
            first.c.first_due,
            _incidents.c.state != "open",
            sa.func.coalesce(_incidents.c.level, "V"),
            _incidents.c.id.desc(),
        )
        .limit(limit)
    )
    rows = [shaped(row, views.IncidentRow) for row in (await conn.execute(query)).mappings()]
    clocks = await _clocks_of(conn, [row.id for row in rows])
    total = (await conn.execute(sa.select(sa.func.count()).select_from(_incidents).where(live))).scalar_one()
    closed = (
        sa.select(*_columns(_incidents, views.IncidentRow))
        .where(_seen(units, _incidents.c.closed_at.is_not(None)))
        .order_by(_incidents.c.closed_at.desc())
        .limit(recent)
    )
    burning = [Burning(incident=row, clocks=[c for c in clocks if c.incident == row.id]) for row in rows]
    return Board(
        burning=sorted(burning, key=_next_thing),
        total=total,
        recent=[shaped(row, views.IncidentRow) for row in (await conn.execute(closed)).mappings()],
    )


async def read_case(
    conn: AsyncConnection, incident: str, *, units: Units, entries: int = 200
) -> CaseFile | None:
    """Return an incident with all that hangs on it; None where it is not or belongs to other units."""
    query = sa.select(*_columns(_incidents, views.IncidentFile)).where(
        _seen(units, _incidents.c.id == incident)
    )
    found = (await conn.execute(query)).mappings().one_or_none()
    if found is None:
        return None
    runs = await _belonging(conn, schema.runs, views.RunPlan, incident, "id")
    journal = schema.journal
    newest = (
        sa.select(*_columns(journal, views.AuditRow))
        .where(journal.c.incident == incident)
        .order_by(journal.c.id.desc())
        .limit(entries)
    )
    return CaseFile(
        incident=shaped(found, views.IncidentFile),
        clocks=await _clocks_of(conn, [incident]),
        runs=runs,
        steps=await steps_of(conn, [run.id for run in runs]),
        notices=await _belonging(conn, schema.notices, views.NoticeRow, incident, "created_at"),
        filings=await _belonging(conn, schema.filings, views.FilingFile, incident, "created_at"),
        journal=[shaped(row, views.AuditRow) for row in (await conn.execute(newest)).mappings()],
    )


async def read_run(
    conn: AsyncConnection, run: str, *, units: Units, entries: int = 1000
) -> RunHistory | None:
    """Return a run with its history; None where it is not or belongs to other units."""
    runs, journal = schema.runs, schema.journal
    query = sa.select(*_columns(runs, views.RunPlan)).where(runs.c.id == run)
    if units is not None:
        query = query.where(runs.c.unit.in_(units))
    found = (await conn.execute(query)).mappings().one_or_none()
    if found is None:
        return None
    told = (
        sa.select(*_columns(journal, views.AuditRow))
        .where(journal.c.subject == f"run:{run}", _is_about(found["incident"]))
        .order_by(journal.c.id)
        .limit(entries)
    )
    return RunHistory(
        run=shaped(found, views.RunPlan),
        steps=await steps_of(conn, [run]),
        journal=[shaped(row, views.AuditRow) for row in (await conn.execute(told)).mappings()],
    )


async def newest_entry(conn: AsyncConnection) -> int:
    """Return the highest journal id, 0 in an empty journal."""
    found = (await conn.execute(sa.select(sa.func.max(schema.journal.c.id)))).scalar_one()
    return found or 0


async def entries_after(conn: AsyncConnection, after: int, *, limit: int = 500) -> list[views.AuditRow]:
    """Return journal entries with ids above `after`, oldest first."""
    journal = schema.journal
    query = sa.select(*_columns(journal, views.AuditRow)).where(journal.c.id > after)
    query = query.order_by(journal.c.id).limit(limit)
    return [shaped(row, views.AuditRow) for row in (await conn.execute(query)).mappings()]


async def unit_of_incident(conn: AsyncConnection, incident: str) -> str | None:
    """Return the unit an incident belongs to; None where there is no such incident."""
    query = sa.select(_incidents.c.unit).where(_incidents.c.id == incident)
    return (await conn.execute(query)).scalar_one_or_none()


async def unit_of_run(conn: AsyncConnection, run: str) -> str | None:
    """Return the unit whose run it is, empty where it is nobody's; None where there is no such run."""
    found = (await conn.execute(sa.select(schema.runs.c.unit).where(schema.runs.c.id == run))).scalar()
    return str(found) if found is not None else None


def _is_about(incident: str | None) -> sa.ColumnElement[bool]:
    """Spelled so that the index of either case is taken."""
    journal = schema.journal
    return journal.c.incident.is_(None) if incident is None else journal.c.incident == incident


def _next_thing(one: Burning) -> datetime:
    times = [at for clock in one.clocks if clock.state in RUNNING and (at := when(clock))]
    rise = (one.incident.next_level or {}).get("at")
    if rise and one.incident.state not in _OVER:
        times.append(convert(rise, datetime))
    return min(times, default=_NEVER)


def _seen(units: Units, condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return condition if units is None else sa.and_(condition, _incidents.c.unit.in_(units))


def _columns(table: sa.Table, row: type[Struct]) -> list[sa.Column[object]]:
    return [table.c[name] for name in row.__struct_encode_fields__]


async def _clocks_of(conn: AsyncConnection, incidents: Sequence[str]) -> list[views.ObligationRow]:
    due = sa.func.coalesce(_clocks.c.due_at, _clocks.c.target_at)
    query = (
        sa.select(*_columns(_clocks, views.ObligationRow))
        .where(_clocks.c.incident.in_(incidents))
        .order_by(due.is_(None), due, _clocks.c.obligation)
    )
    return [shaped(row, views.ObligationRow) for row in (await conn.execute(query)).mappings()]


async def _belonging(
    conn: AsyncConnection, table: sa.Table, row: type[Row], incident: str, order: str
) -> list[Row]:
    query = sa.select(*_columns(table, row)).where(table.c.incident == incident).order_by(table.c[order])
    return [shaped(found, row) for found in (await conn.execute(query.limit(500))).mappings()]
