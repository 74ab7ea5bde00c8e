"""Drills as rows: the year's plan, what the script injects when, which incidents belong to one.

A drill's row is the lock for its events: who plays one holds it. What a collector below announces stands
apart, with the word of a person here whether this side is in the drill.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.messages import DrillNotice, DrillState

from ..drills import Form, Held, Kind, Scope, Script, State
from . import journal
from .once import insert_once
from .schema import announced_drills, drill_events, drill_incidents, drills

Superior = Literal["outside", "waiting", "accepted", "declined"]
EventState = Literal["armed", "done", "failed", "cancelled"]


class Drill(Struct, frozen=True, kw_only=True):
    """A drill as it stands.

    Fields:
        unit, units: Who holds it, and all who take part.
        script: As JSON values; None: planned, and not written yet.
        superior: Whether the collector above is in it: `outside` (never asked), `waiting`, or its answer.
        sheet: The score, kept as it was at the end.
        lessons: What a person wrote of it afterwards.
    """

    id: str
    unit: str
    units: list[str]
    name: str
    name_en: str
    form: Form
    scope: Scope
    kind: Kind
    state: State
    script: dict[str, Any] | None
    planned_at: datetime
    started_at: datetime | None = None
    ends_at: datetime | None = None
    ended_at: datetime | None = None
    superior: Superior = "outside"
    superior_said: dict[str, Any] | None = None
    sheet: dict[str, Any] | None = None
    lessons: str = ""
    created_by: str
    created_at: datetime

    @property
    def written(self) -> Script | None:
        """The script, if one was written."""
        return None if self.script is None else msgspec.convert(self.script, Script)

    @property
    def held(self) -> Held:
        """The drill as the year's proof sees it."""
        names = set(Held.__struct_fields__) - {"points", "units"}
        points = (self.sheet or {}).get("points")
        return Held(**{name: getattr(self, name) for name in names}, units=tuple(self.units), points=points)


class DrillEvent(Struct, frozen=True, kw_only=True):
    """One thing that is injected, and what came of it."""

    drill: str
    n: int
    at: datetime
    kind: str
    body: dict[str, Any]
    state: EventState
    done_at: datetime | None = None
    result: dict[str, Any] | None = None


class Announced(Struct, frozen=True, kw_only=True):
    """A drill of a collector below, as it was announced, and what a person here said to it."""

    id: str
    node: str
    unit: str
    body: dict[str, Any]
    state: DrillState
    decided_by: str | None
    decided_at: datetime | None
    received_at: datetime

    @property
    def notice(self) -> DrillNotice:
        """What was announced."""
        return msgspec.convert(self.body, DrillNotice)


_DRILL = tuple(drills.c[name] for name in Drill.__struct_fields__)
_EVENT = tuple(drill_events.c[name] for name in DrillEvent.__struct_fields__)
_ANNOUNCED = tuple(announced_drills.c[name] for name in Announced.__struct_fields__)


async def add_drill(conn: AsyncConnection, drill: Drill, actor: str) -> None:
    """Put a drill into the plan."""
    await conn.execute(sa.insert(drills).values(asdict(drill)))
    detail = {"planned_at": drill.planned_at, "form": drill.form, "kind": drill.kind, "units": drill.units}
    await tell(conn, drill, "drill.planned", actor, drill.created_at, **detail)


async def get_drill(conn: AsyncConnection, key: str, *, lock: bool = False) -> Drill | None:
    """Return a drill; with `lock` nobody else changes it until this transaction ends."""
    query = sa.select(*_DRILL).where(drills.c.id == key)
    row = (await conn.execute(query.with_for_update() if lock else query)).mappings().first()
    return Drill(**row) if row else None


async def all_drills(
    conn: AsyncConnection, *, states: Collection[State] = (), units: Collection[str] | None = None
) -> list[Drill]:
    """Return drills in the order of their planned times."""
    query = sa.select(*_DRILL).order_by(drills.c.planned_at, drills.c.id)
    if states:
        query = query.where(drills.c.state.in_(states))
    found = [Drill(**row) for row in (await conn.execute(query)).mappings()]
    return [one for one in found if units is None or one.unit in units or set(one.units) & set(units)]


async def held_drills(conn: AsyncConnection) -> list[Held]:
    """Return all drills as the year's proof sees them, without scripts, sheets and so without points."""
    names = tuple(name for name in Held.__struct_fields__ if name != "points")
    rows = (await conn.execute(sa.select(*(drills.c[name] for name in names)))).mappings()
    return [Held(**{**row, "units": tuple(row["units"])}, points=None) for row in rows]


async def change_drill(conn: AsyncConnection, key: str, **values: Any) -> None:  # noqa: ANN401 - its columns
    """Write some columns of a drill that the caller holds locked."""
    await conn.execute(sa.update(drills).where(drills.c.id == key).values(**values))


async def arm_events(conn: AsyncConnection, events: Iterable[DrillEvent]) -> None:
    """Add what is to be injected."""
    rows = [asdict(event) for event in events]
    if rows:
        await conn.execute(sa.insert(drill_events), rows)


async def events_of(conn: AsyncConnection, drill: str) -> list[DrillEvent]:
    """Return a drill's events in the order of time."""
    query = (
        sa.select(*_EVENT).where(drill_events.c.drill == drill).order_by(drill_events.c.at, drill_events.c.n)
    )
    return [DrillEvent(**row) for row in (await conn.execute(query)).mappings()]


async def drills_with_work(conn: AsyncConnection, now: datetime) -> list[str]:
    """Return running drills of which an event is due, or the end."""
    due = sa.select(drill_events.c.drill).where(
        drill_events.c.drill == drills.c.id, drill_events.c.state == "armed", drill_events.c.at <= now
    )
    query = sa.select(drills.c.id).where(
        drills.c.state == "running", sa.or_(drills.c.ends_at <= now, due.exists())
    )
    return list((await conn.execute(query.order_by(drills.c.id))).scalars())


async def next_moment(conn: AsyncConnection) -> datetime | None:
    """Return when the next event or end of a running drill is due."""
    running = sa.select(drills.c.id).where(drills.c.state == "running")
    armed = sa.select(sa.func.min(drill_events.c.at)).where(
        drill_events.c.state == "armed", drill_events.c.drill.in_(running)
    )
    ends = sa.select(sa.func.min(drills.c.ends_at)).where(drills.c.state == "running")
    times = [(await conn.execute(query)).scalar() for query in (armed, ends)]
    return min((at for at in times if at is not None), default=None)


async def end_event(
    conn: AsyncConnection, event: DrillEvent, *, state: EventState, result: Mapping[str, Any], now: datetime
) -> None:
    """Write down what came of an event."""
    mine = (drill_events.c.drill == event.drill, drill_events.c.n == event.n)
    await conn.execute(
        sa.update(drill_events).where(*mine).values(state=state, done_at=now, result=dict(result))
    )


async def cancel_events(conn: AsyncConnection, drill: str, now: datetime) -> None:
    """Let what has not happened yet not happen any more."""
    left = (drill_events.c.drill == drill, drill_events.c.state == "armed")
    await conn.execute(sa.update(drill_events).where(*left).values(state="cancelled", done_at=now))


async def add_drill_incident(conn: AsyncConnection, drill: str, incident: str, name: str) -> None:
    """Say that an incident belongs to a drill."""
    await conn.execute(sa.insert(drill_incidents).values(drill=drill, incident=incident, name=name))


async def incidents_of_drill(conn: AsyncConnection, drill: str) -> dict[str, str]:
    """Return a drill's incidents: name in the script to id."""
    query = sa.select(drill_incidents.c.name, drill_incidents.c.incident)
    rows = await conn.execute(
        query.where(drill_incidents.c.drill == drill).order_by(drill_incidents.c.incident)
    )
    return {row.name: row.incident for row in rows}


async def drill_of_incident(conn: AsyncConnection, incident: str) -> Drill | None:
    """Return the drill that an incident belongs to."""
    mine = sa.select(drill_incidents.c.drill).where(drill_incidents.c.incident == incident)
    row = (await conn.execute(sa.select(*_DRILL).where(drills.c.id.in_(mine)))).mappings().first()
    return Drill(**row) if row else None


async def take_announced(conn: AsyncConnection, notice: DrillNotice, node: str, now: datetime) -> Announced:
    """Keep what a collector below announces, once, and return it with what was said to it so far."""
    row = {
        "id": notice.id,
        "node": node,
        "unit": notice.unit,
        "body": msgspec.to_builtins(notice),
        "state": "waiting",
        "received_at": now,
    }
    if await insert_once(conn, announced_drills, row):
        entry = journal.Entry(
            actor=f"node:{node}",
            action="drill.announced",
            subject=f"drill:{notice.id}",
            detail={"unit": notice.unit, "name": notice.name, "name_en": notice.name_en, "form": notice.form},
        )
        await journal.write(conn, entry, now)
    found = await get_announced(conn, notice.id)
    if found is None:
        raise RuntimeError(f"announced drill {notice.id} was just written and is not there")
    return found


async def get_announced(conn: AsyncConnection, key: str) -> Announced | None:
    """Return a drill that was announced from below."""
    query = sa.select(*_ANNOUNCED).where(announced_drills.c.id == key)
    row = (await conn.execute(query)).mappings().first()
    return Announced(**row) if row else None


async def all_announced(conn: AsyncConnection, *, units: Collection[str] | None = None) -> list[Announced]:
    """Return what collectors below announced, the newest first."""
    query = sa.select(*_ANNOUNCED).order_by(announced_drills.c.received_at.desc(), announced_drills.c.id)
    if units is not None:
        query = query.where(announced_drills.c.unit.in_(units))
    return [Announced(**row) for row in (await conn.execute(query)).mappings()]


async def decide_announced(
    conn: AsyncConnection, key: str, state: DrillState, actor: str, now: datetime
) -> Announced | None:
    """Write down whether this side is in a drill; None where none of this id was announced."""
    found = await get_announced(conn, key)
    if found is None:
        return None
    values = {"state": state, "decided_by": actor, "decided_at": now}
    await conn.execute(sa.update(announced_drills).where(announced_drills.c.id == key).values(**values))
    entry = journal.Entry(
        actor=actor, action=f"drill.{state}", subject=f"drill:{key}", detail={"unit": found.unit}
    )
    await journal.write(conn, entry, now)
    return msgspec.structs.replace(found, state=state, decided_by=actor, decided_at=now)


async def tell(
    conn: AsyncConnection,
    drill: Drill,
    action: str,
    actor: str,
    now: datetime,
    **detail: Any,  # noqa: ANN401 - JSON
) -> None:
    """Write into the journal what happened to a drill."""
    entry = journal.Entry(
        actor=actor,
        action=action,
        subject=f"drill:{drill.id}",
        detail={"unit": drill.unit, "name": drill.name, "name_en": drill.name_en, **detail},
    )
    await journal.write(conn, entry, now)
