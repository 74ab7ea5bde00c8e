"""How a drill went, read from the rows of its incidents, and held against the limits."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ..drills import Sheet, score
from ..drills.score import Course, Owing, Stepped
from ..drills.script import Limits
from ..incident import STATES
from .clocks import Clock, clocks_of
from .drills import Drill, incidents_of_drill
from .incidents import Incident, get_incidents
from .schema import filings, journal, run_steps, runs

_PERSONAL = ("manual", "approve")


async def sheet_of(conn: AsyncConnection, drill: Drill, now: datetime) -> Sheet:
    """Return the score of a drill as of now; one that is over keeps the sheet of its end."""
    script = drill.written
    keys = list((await incidents_of_drill(conn, drill.id)).values())
    found = sorted(await get_incidents(conn, keys), key=lambda one: one.id)
    reached = await _reached(conn, keys)
    courses = [_course(one, reached.get(one.id, {})) for one in found]
    filed = await _filed(conn, keys)
    owing = [_owing(clock, filed) for clock in await clocks_of(conn, keys) if _counts(clock)]
    steps = await _steps(conn, {one.id for one in found})
    return score(courses, owing, steps, script.limits if script else Limits(), now)


async def _reached(conn: AsyncConnection, keys: Collection[str]) -> dict[str, dict[str, datetime]]:
    """When each incident first was at a state or beyond, by the journal."""
    query = (
        sa.select(journal.c.incident, journal.c.at, journal.c.detail)
        .where(journal.c.incident.in_(keys), journal.c.action == "incident.moved")
        .order_by(journal.c.id)
    )
    found: dict[str, dict[str, datetime]] = {}
    for row in await conn.execute(query):
        to, by_drill = row.detail.get("to"), row.detail.get("drill_ended")
        if to in STATES and not by_drill:
            for state in STATES[1 : STATES.index(to) + 1]:
                found.setdefault(row.incident, {}).setdefault(state, row.at)
    return found


def _course(one: Incident, reached: dict[str, datetime]) -> Course:
    return Course(
        incident=one.id,
        title=one.title,
        title_en=one.title_en,
        opened_at=one.opened_at,
        acknowledged_at=reached.get("acknowledged"),
        contained_at=reached.get("contained"),
    )


async def _filed(conn: AsyncConnection, keys: Collection[str]) -> dict[str, datetime]:
    """When each clock's report was filed, with a receipt that is there."""
    query = sa.select(filings.c.clock, filings.c.filed_at).where(
        filings.c.incident.in_(keys), filings.c.receipt_at.is_not(None)
    )
    return {row.clock: row.filed_at for row in await conn.execute(query)}


def _counts(clock: Clock) -> bool:
    """Whether the report was owed within the drill: what was never due is nobody's failure."""
    return clock.due_at is not None or clock.target_at is not None or clock.met_at is not None


def _owing(clock: Clock, filed: dict[str, datetime]) -> Owing:
    return Owing(
        incident=clock.incident,
        obligation=clock.obligation,
        opened_at=clock.opened_at,
        due_at=clock.due_at or clock.target_at,
        filed_at=filed.get(clock.id),
    )


async def _steps(conn: AsyncConnection, keys: Collection[str]) -> list[Stepped]:
    query = (
        sa.select(run_steps, runs.c.incident, runs.c.plan_body)
        .join(runs, runs.c.id == run_steps.c.run)
        .where(runs.c.incident.in_(keys), run_steps.c.state != "skipped")
        .where(sa.or_(run_steps.c.deadline.is_not(None), run_steps.c.kind.in_(_PERSONAL)))
        .order_by(run_steps.c.ready_at, run_steps.c.step, run_steps.c.visit)
    )
    return [_stepped(row) for row in (await conn.execute(query)).mappings()]


def _stepped(row: sa.RowMapping) -> Stepped:
    title = (row["plan_body"].get("steps", {}).get(row["step"]) or {}).get("title") or {}
    return Stepped(
        incident=row["incident"],
        step=row["step"],
        title=title.get("zh", row["step"]),
        title_en=title.get("en", row["step"]),
        ready_at=row["ready_at"],
        deadline=row["deadline"],
        ended_at=row["ended_at"],
        done=row["state"] == "done",
    )
