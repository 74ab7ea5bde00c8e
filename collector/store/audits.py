"""The auditor's questions: what should have been done by now and was not. Every one is answered by an index.

They look at the rows another way than the flows that do the work, so that one mistake does not hide itself.
The states are literals, for SQLite takes a partial index only where the query itself holds its condition.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from .calendars import undecreed
from .schema import Instant, alarms, calendar_year, clocks, filings, incidents, notices, run_steps, runs

OWN = "audit/"


class AuditFinding(Struct, frozen=True, kw_only=True):
    """Something that did not happen in time.

    Fields:
        kind: `alarm_not_fired`, `clock_not_fired`, `notice_without_result`, `filing_without_receipt`,
            `run_without_progress`, `run_forgotten`, `calendar_missing`.
        subject: `kind:id` of the row.
        incident, unit: Whose it is.
        since: When it should have happened.
        channel: Of a notice: the one that brings no result.
    """

    kind: str
    subject: str
    incident: str | None
    unit: str | None
    since: datetime
    channel: str | None = None


class Grace(Struct, frozen=True, kw_only=True):
    """How late each may be before it is a finding."""

    alarm: timedelta = timedelta(minutes=1)
    notice: timedelta = timedelta(minutes=10)
    filing: timedelta = timedelta(minutes=15)
    run: timedelta = timedelta(minutes=15)
    people: timedelta = timedelta(hours=24)


async def find(connection: AsyncConnection, now: datetime, grace: Grace, limit: int) -> list[AuditFinding]:
    """Return what is overdue, at most `limit` of each kind, longest overdue first."""
    found: list[AuditFinding] = []
    for query in questions(now, grace, limit):
        found += [AuditFinding(**row) for row in (await connection.execute(query)).mappings()]
    return found


def questions(now: datetime, grace: Grace, limit: int) -> list[sa.Select[Any]]:
    """Return the queries; each row is an `AuditFinding`."""
    queries = [
        _alarms(now - grace.alarm),
        _clocks(now - grace.alarm),
        _notices(now - grace.notice),
        _filings(now - grace.filing),
        _runs(now - grace.run),
        _forgotten(now - grace.people),
        _calendars(now),
    ]
    return [query.limit(limit) for query in queries]


def _calendars(now: datetime) -> sa.Select[Any]:
    """A year that is here, or from November on the next, and that nobody has decreed, only reckoned."""
    wanted, november = undecreed(now)
    of = calendar_year.c
    begun = sa.case(
        (of.year == now.year, sa.literal(datetime(now.year, 1, 1, tzinfo=now.tzinfo), Instant)),
        else_=sa.literal(november, Instant),
    )
    nobody = sa.cast(sa.null(), sa.Text)
    return (
        sa.select(
            sa.literal("calendar_missing").label("kind"),
            (sa.literal("calendar:") + of.region + "/" + sa.cast(of.year, sa.Text)).label("subject"),
            nobody.label("incident"),
            nobody.label("unit"),
            begun.label("since"),
        )
        .where(wanted)
        .order_by(of.year, of.region)
    )


def _alarms(before: datetime) -> sa.Select[Any]:
    late = (_is(alarms.c.state, "armed"), alarms.c.at < before)
    return _select("alarm_not_fired", "alarm:", alarms, alarms.c.at).where(*late)


def _clocks(before: datetime) -> sa.Select[Any]:
    """Open though its time is over: the alarm that turns it overdue has not fired, or was never armed.

    One in doubt was told, and waits for a person.
    """
    late = (_is(clocks.c.state, "open"), clocks.c.due_at < before, clocks.c.doubted_at.is_(None))
    return _select("clock_not_fired", "clock:", clocks, clocks.c.due_at).where(*late)


def _notices(before: datetime) -> sa.Select[Any]:
    waits = sa.text("notices.state IN ('waiting', 'sending')")
    # What the auditor itself said is not asked about, or it would talk about its own words for ever.
    own = notices.c.key.startswith(OWN, autoescape=True)
    since = notices.c.next_at
    return (
        _select("notice_without_result", "notice:", notices, since)
        .add_columns(notices.c.channel)
        .where(waits, notices.c.next_at < before, ~own)
    )


def _filings(before: datetime) -> sa.Select[Any]:
    """Queued for the authority, and no receipt or proof came: nobody can show that it arrived."""
    since = filings.c.created_at
    return _select("filing_without_receipt", "filing:", filings, since).where(
        filings.c.receipt_at.is_(None), since < before
    )


def _runs(before: datetime) -> sa.Select[Any]:
    """Open, without progress, and put off or not waiting for anybody or anything still to come.

    A paused run waits for its end of the pause; one that is past it stands still like any other.
    """
    waits = sa.select(run_steps.c.run).where(
        run_steps.c.run == runs.c.id,
        run_steps.c.state == "waiting",
        sa.or_(run_steps.c.wake_at.is_(None), run_steps.c.wake_at >= before),
    )
    put_off = sa.select(run_steps.c.run).where(
        run_steps.c.run == runs.c.id, run_steps.c.lease_until.is_not(None)
    )
    since = runs.c.progress_at
    paused = sa.and_(runs.c.resume_at.is_not(None), runs.c.resume_at >= before)
    return _select("run_without_progress", "run:", runs, since).where(
        runs.c.ended_at.is_(None), since < before, ~paused, sa.or_(put_off.exists(), ~waits.exists())
    )


def _forgotten(before: datetime) -> sa.Select[Any]:
    """Waiting for a person, and nobody has moved anything for very long: no deadline will tell of it."""
    asks = sa.select(run_steps.c.run).where(
        run_steps.c.run == runs.c.id, run_steps.c.state == "waiting", run_steps.c.wake_at.is_(None)
    )
    since = runs.c.progress_at
    return _select("run_forgotten", "run:", runs, since).where(
        runs.c.ended_at.is_(None), since < before, asks.exists()
    )


def _select(kind: str, prefix: str, table: sa.Table, since: sa.Column[datetime]) -> sa.Select[Any]:
    return (
        sa.select(
            sa.literal(kind).label("kind"),
            (sa.literal(prefix) + table.c.id).label("subject"),
            table.c.incident,
            table.c.unit if "unit" in table.c else incidents.c.unit,
            since.label("since"),
        )
        .outerjoin_from(table, incidents, incidents.c.id == table.c.incident)
        .order_by(since)
    )


def _is(column: sa.Column[str], state: str) -> sa.ColumnElement[bool]:
    return column == sa.literal_column(f"'{state}'")
