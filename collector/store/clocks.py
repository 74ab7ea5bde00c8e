"""Clocks and their alarms as rows. Who changes them holds the incident's row locked (`store.incidents`).

A clock's stored state `open` turns `overdue` when the alarm `due` fires; at the very moment it is due, and
between due time and firing, `state_at` tells the law's answer.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import compress
from operator import ne
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import asdict, astuple
from sqlalchemy.ext.asyncio import AsyncConnection

from .rows import among, insert_rows
from .schema import alarms, clocks

ClockState = Literal[
    "open", "met", "met_late", "overdue", "not_yet", "cannot_compute", "no_number", "withdrawn"
]
AlarmState = Literal["armed", "fired", "cancelled"]


class Clock(Struct, frozen=True, kw_only=True):
    """An obligation of an incident with its times.

    Fields:
        obligation: `regime/stage[/recipient]`.
        anchor, anchor_at: What the time runs from, and when that was.
        due_at: By when, by law; None where the law names no number or nothing has triggered it yet.
        target_at: The unit's own target; not law.
        state: As the answer of `duty explain`; `withdrawn` by a person's word.
        generation: Counts the due times it has had; alarms belong to one.
        met_by: The filing whose receipt met it.
        doubted_at: When it passed its due time by a host clock that had jumped; a person has to confirm it.
    """

    id: str
    incident: str
    obligation: str
    regime: str
    stage: str
    recipient: str
    anchor: str
    anchor_at: datetime | None
    due_at: datetime | None
    target_at: datetime | None
    state: ClockState
    missing: list[str] | None
    content: list[str]
    source: str
    verified: bool
    generation: int
    opened_at: datetime
    met_at: datetime | None
    met_by: str | None
    doubted_at: datetime | None = None

    def state_at(self, now: datetime) -> ClockState:
        """Return the state at `now`: still open at the very moment it is due, overdue right after."""
        if self.state not in {"open", "overdue"} or self.due_at is None:
            return self.state
        return "overdue" if now > self.due_at else "open"


class Alarm(Struct, frozen=True, kw_only=True):
    """A moment at which something is done once.

    Fields:
        clock: Its clock; empty for a step of the escalation chain and for a re-grade.
        generation: Of the clock, or of the chain.
        kind: `half`, `four_fifths`, `due`, `overdue_<n>`, `target`, `escalate_<n>`, `regrade`.
    """

    id: str
    incident: str
    clock: str
    generation: int
    kind: str
    at: datetime
    state: AlarmState = "armed"
    fired_at: datetime | None = None


_CLOCKS = sa.select(*(clocks.c[name] for name in Clock.__struct_fields__))
_ALARMS = sa.select(*(alarms.c[name] for name in Alarm.__struct_fields__))


async def clocks_of(connection: AsyncConnection, incidents: Iterable[str]) -> list[Clock]:
    """Return the clocks of incidents in the order they were opened."""
    query = _CLOCKS.where(among(connection, clocks.c.incident, list(incidents))).order_by(
        clocks.c.incident, clocks.c.opened_at, clocks.c.obligation
    )
    return _clocks(await connection.execute(query))


async def get_clock(connection: AsyncConnection, key: str) -> Clock | None:
    """Return a clock as it stands."""
    found = _clocks(await connection.execute(_CLOCKS.where(clocks.c.id == key)))
    return found[0] if found else None


async def insert_clocks(connection: AsyncConnection, new: Sequence[Clock]) -> None:
    """Add clocks."""
    if new:
        await connection.execute(sa.insert(clocks), [asdict(clock) for clock in new])


async def update_clocks(connection: AsyncConnection, changed: Iterable[tuple[Clock, Clock]]) -> None:
    """Write what differs between clocks as they were and as they are; all with the same change at once."""
    alike: dict[bytes, tuple[dict[str, Any], list[str]]] = {}
    for old, new in changed:
        after = astuple(new)
        values = dict(
            compress(zip(Clock.__struct_fields__, after, strict=True), map(ne, astuple(old), after))
        )
        if values:
            alike.setdefault(msgspec.json.encode(values), (values, []))[1].append(new.id)
    for values, keys in alike.values():
        await connection.execute(sa.update(clocks).where(among(connection, clocks.c.id, keys)).values(values))


async def arm(connection: AsyncConnection, new: Sequence[Alarm]) -> None:
    """Add alarms."""
    await insert_rows(connection, alarms, Alarm.__struct_fields__, [astuple(alarm) for alarm in new])


async def end_alarms(
    connection: AsyncConnection, keys: Sequence[str], state: AlarmState, now: datetime
) -> None:
    """Write down that armed alarms have fired or were cancelled."""
    if keys:
        await connection.execute(
            sa.update(alarms)
            .where(among(connection, alarms.c.id, keys), alarms.c.state == "armed")
            .values(state=state, fired_at=now if state == "fired" else None)
        )


async def due_incidents(
    connection: AsyncConnection, now: datetime, limit: int, skip: Collection[str] = ()
) -> list[str]:
    """Return the incidents of the `limit` alarms that are due longest, in that order, but for `skip`."""
    query = (
        sa.select(alarms.c.incident)
        .where(alarms.c.state == sa.literal_column("'armed'"), alarms.c.at <= now)
        .order_by(alarms.c.at)
        .limit(limit)
    )
    if skip:
        query = query.where(alarms.c.incident.not_in(list(skip)))
    return list(dict.fromkeys((await connection.execute(query)).scalars()))


async def armed_of(connection: AsyncConnection, incidents: Iterable[str]) -> list[Alarm]:
    """Return the armed alarms of incidents, earliest first."""
    query = _ALARMS.where(
        among(connection, alarms.c.incident, list(incidents)), alarms.c.state == "armed"
    ).order_by(alarms.c.at, alarms.c.id)
    return _alarms(await connection.execute(query))


async def alarms_of(connection: AsyncConnection, incident: str) -> list[Alarm]:
    """Return every alarm an incident has had, by time."""
    query = _ALARMS.where(alarms.c.incident == incident).order_by(alarms.c.at, alarms.c.id)
    return _alarms(await connection.execute(query))


async def last_generations(
    connection: AsyncConnection, incidents: Iterable[str]
) -> dict[str, dict[str, int]]:
    """Return, an incident, the highest generation of its own kinds of alarm; `escalate_<n>` count as one."""
    query = (
        sa.select(alarms.c.incident, alarms.c.kind, sa.func.max(alarms.c.generation))
        .where(among(connection, alarms.c.incident, list(incidents)), alarms.c.clock == "")
        .group_by(alarms.c.incident, alarms.c.kind)
    )
    found: dict[str, dict[str, int]] = {}
    for incident, kind, generation in await connection.execute(query):
        kinds = found.setdefault(incident, {})
        name = kind.partition("_")[0]
        kinds[name] = max(generation, kinds.get(name, 0))
    return found


async def next_alarm_at(connection: AsyncConnection, skip: Collection[str] = ()) -> datetime | None:
    """Return when the earliest armed alarm is due, but for the incidents in `skip`."""
    query = (
        sa.select(alarms.c.at)
        .where(alarms.c.state == sa.literal_column("'armed'"))
        .order_by(alarms.c.at)
        .limit(1)
    )
    if skip:
        query = query.where(alarms.c.incident.not_in(list(skip)))
    found: datetime | None = (await connection.execute(query)).scalar()
    return found


async def count_overdue(connection: AsyncConnection, now: datetime) -> int:
    """Return how many clocks are past due and not met, whether their alarm has fired or not."""
    # Literals, for SQLite takes a partial index only where the query itself holds its condition.
    told = sa.and_(
        sa.text("clocks.state IN ('open', 'overdue', 'no_number', 'cannot_compute')"),
        clocks.c.state == "overdue",
    )
    untold = sa.and_(clocks.c.state == sa.literal_column("'open'"), clocks.c.due_at < now)
    counts = [sa.select(sa.func.count()).select_from(clocks).where(one) for one in (told, untold)]
    return sum([(await connection.execute(query)).scalar_one() for query in counts])


def clock_values(clock: Clock) -> dict[str, Any]:
    """Return what of a clock stands in the journal when it is opened or moved."""
    return {
        "obligation": clock.obligation,
        "anchor": clock.anchor,
        "anchor_at": clock.anchor_at,
        "due_at": clock.due_at,
        "target_at": clock.target_at,
        "state": clock.state,
        "source": clock.source,
        "verified": clock.verified,
    }


def _clocks(found: sa.CursorResult[Any]) -> list[Clock]:
    return [Clock(**dict(zip(Clock.__struct_fields__, row, strict=True))) for row in found.all()]


def _alarms(found: sa.CursorResult[Any]) -> list[Alarm]:
    return [Alarm(**dict(zip(Alarm.__struct_fields__, row, strict=True))) for row in found.all()]
