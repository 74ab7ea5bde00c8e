"""What the watch over the office itself has found: holes in rosters, late alarms, clocks that jumped."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from .desk import Units
from .schema import incidents, journal

# Literal, for SQLite takes a partial index only where the query itself holds its condition.
_FINDINGS = sa.text("journal.action = 'audit.finding'")
_READ = 500


class Found(Struct, frozen=True, kw_only=True):
    """One thing that was found, however often.

    Fields:
        finding: Its kind, as `detail.finding` of the journal.
        subject: `kind:id` of what it is about.
        what: What the finder says, in English; empty where the kind says it all.
        incident: The last one that it concerned.
        last: When it was found last.
        times: How often.
    """

    finding: str
    subject: str
    what: str
    incident: str | None
    last: datetime
    times: int


async def read_findings(conn: AsyncConnection, *, units: Units, since: datetime) -> list[Found]:
    """Return what was found since a time, newest first; of a reader who sees some units, what concerns those.

    Of a storm of findings the newest five hundred are looked at.
    """
    query = (
        sa.select(journal.c.at, journal.c.subject, journal.c.incident, journal.c.detail)
        .where(_FINDINGS, journal.c.at >= since)
        .order_by(journal.c.id.desc())
        .limit(_READ)
    )
    if units is not None:
        own = sa.select(incidents.c.id).where(incidents.c.unit.in_(units))
        query = query.where(
            sa.or_(journal.c.incident.in_(own), journal.c.subject.in_([f"unit:{one}" for one in units]))
        )
    return _grouped(await conn.execute(query))


def _grouped(rows: Iterable[Any]) -> list[Found]:
    groups: dict[tuple[str, str, str], Found] = {}
    for at, subject, incident, detail in rows:
        what = detail.get("what")
        key = (str(detail.get("finding", "")), subject, what if isinstance(what, str) else "")
        known = groups.get(key)
        groups[key] = Found(
            finding=key[0],
            subject=key[1],
            what=key[2],
            incident=known.incident if known else incident,
            last=known.last if known else at,
            times=known.times + 1 if known else 1,
        )
    return list(groups.values())
