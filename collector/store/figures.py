"""The database's share of the metrics, in one cheap set of queries, shared by scrapes that come together."""

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from msgspec import Struct, to_builtins
from sqlalchemy.ext.asyncio import AsyncConnection

from ..drills import KINDS
from ..drills.yearly import LACKS, prove
from ..metrics import LATENESS_BOUNDS, Buckets, State
from ..registry import Registry
from . import schema
from .calendars import missing_years
from .desk import Units
from .drills import held_drills
from .engine import Store
from .exit_days import latest
from .facts import DIFFERENCES, UPKEEP
from .reach import unreached_since

SILENT = timedelta(minutes=5)
_OVERLAP = timedelta(minutes=1)
_VERDICTS = ("sanctioned", "available", "used", "bridging", "exposed_service", "unknown")
_LEVELS = ("I", "II", "III", "IV")
_UNSENT = ("waiting", "sending")


class Listener(Struct, frozen=True, kw_only=True):
    """An agent's own metrics listener, as its last heartbeat names it."""

    node: str
    unit: str
    host_name: str
    assets: list[str]
    address: str


async def metrics_listeners(conn: AsyncConnection, *, units: Units) -> list[Listener]:
    """Return active agents whose last heartbeat names a `metrics_address`, by id."""
    nodes, facts = schema.nodes, schema.node_facts
    query = (
        sa.select(nodes.c.id, nodes.c.unit, nodes.c.host_name, nodes.c.assets, facts.c.body)
        .join(facts, sa.and_(facts.c.node == nodes.c.id, facts.c.kind == "heartbeat"))
        .where(nodes.c.state == "active", nodes.c.kind == "agent")
        .order_by(nodes.c.id)
    )
    if units is not None:
        query = query.where(nodes.c.unit.in_(units))
    return [
        Listener(node=row.id, unit=row.unit, host_name=row.host_name, assets=row.assets, address=address)
        for row in (await conn.execute(query)).all()
        if isinstance(row.body, Mapping)
        and isinstance(address := row.body.get("metrics_address"), str)
        and address
    ]


class Reader:
    """Reads the figures, of `unit` and below, at most once in `fresh`; counts how late alarms were since."""

    def __init__(
        self, store: Store, registry: Callable[[], Registry], unit: str, *, fresh: timedelta, since: datetime
    ) -> None:
        self._store = store
        self._unit = unit
        self._registry = registry
        self._fresh = fresh
        self._lock = asyncio.Lock()
        self._read: tuple[datetime, State] | None = None
        self._lateness = Lateness(since)

    async def read(self, now: datetime) -> State:
        """Return figures no older than `fresh`."""
        async with self._lock:
            if self._read is None or now - self._read[0] >= self._fresh or now < self._read[0]:
                async with self._store.read() as conn:
                    await self._lateness.follow(conn, now)
                    state = await _state(conn, self._registry(), self._unit, now, self._lateness)
                    self._read = now, state
            return self._read[1]


class Lateness:
    """Counts how late alarms fired; a row may commit after one that fired later: a minute is read again."""

    def __init__(self, since: datetime) -> None:
        self._since = since
        self._known: dict[str, datetime] = {}
        self._counts = [0] * (len(LATENESS_BOUNDS) + 1)
        self._total = 0.0

    async def follow(self, conn: AsyncConnection, now: datetime) -> None:
        """Count the alarms that fired since the last call."""
        alarms = schema.alarms
        query = sa.select(alarms.c.id, alarms.c.at, alarms.c.fired_at).where(
            alarms.c.state == "fired", alarms.c.fired_at >= self._since
        )
        for row in (await conn.execute(query)).all():
            if row.id not in self._known:
                self._known[row.id] = row.fired_at
                late = max(0.0, (row.fired_at - row.at).total_seconds())
                self._counts[bisect_left(LATENESS_BOUNDS, late)] += 1
                self._total += late
        self._since = max(self._since, now - _OVERLAP)
        self._known = {key: at for key, at in self._known.items() if at >= self._since}

    @property
    def buckets(self) -> Buckets:
        """What has been counted."""
        return Buckets(LATENESS_BOUNDS, tuple(self._counts), self._total)


async def _state(
    conn: AsyncConnection, registry: Registry, unit: str, now: datetime, lateness: Lateness
) -> State:
    nodes, clocks = schema.nodes.c, schema.clocks.c
    notices, filings = schema.notices.c, schema.filings.c
    quiet = sa.and_(
        nodes.state == "active",
        nodes.kind == "agent",
        sa.func.coalesce(nodes.last_seen, nodes.enrolled_at) < now - SILENT,
    )
    held, lacking = await _drilled(conn, registry, unit, now)
    levels = await _counted(conn, schema.incidents.c.level, schema.incidents.c.closed_at.is_(None))
    counted, findings = await _nodes(conn, registry)
    return State(
        nodes=counted,
        node_findings=findings,
        silent_agents=await _scalar(conn, sa.select(sa.func.count()).select_from(schema.nodes).where(quiet)),
        next_certificate_expiry=await _earliest(conn, nodes.certificate_expires, nodes.state == "active"),
        exits=dict.fromkeys(_VERDICTS, 0)
        | await _counted(conn, schema.exits.c.verdict, schema.exits.c.gone_at.is_(None)),
        exit_days={row.unit: to_builtins(row) for row in await latest(conn)},
        incidents=dict.fromkeys(_LEVELS, 0) | levels,
        obligations=await _counted(conn, clocks.state),
        next_due=await _earliest(conn, clocks.due_at, clocks.state == "open"),
        next_target=await _earliest(conn, clocks.target_at, clocks.state.in_(("open", "no_number"))),
        notices=await _counted(conn, notices.state),
        oldest_notice=await _earliest(conn, notices.created_at, notices.state.in_(_UNSENT)),
        filings=await _counted(conn, filings.state),
        orders=await _orders(conn),
        oldest_filing=await _earliest(conn, filings.created_at, filings.state.in_(_UNSENT)),
        unreached=await unreached_since(conn),
        runs=await _counted(conn, schema.runs.c.state),
        drills_held=held,
        units_lacking=lacking,
        calendars_missing=Counter(region for region, _ in await missing_years(conn, now)),
        quarantined=await _scalar(conn, sa.select(sa.func.count()).select_from(schema.quarantine)),
        lateness=lateness.buckets,
    )


async def _orders(conn: AsyncConnection) -> dict[tuple[str, str], int]:
    columns = (schema.orders.c.kind, schema.orders.c.state)
    rows = await conn.execute(sa.select(*columns, sa.func.count()).group_by(*columns))
    return {(kind, state): count for kind, state, count in rows.all()}


async def _nodes(
    conn: AsyncConnection, registry: Registry
) -> tuple[dict[tuple[str, str, str], int], dict[str, int]]:
    """Return nodes by state, zone and grade, and active ones by what is noted at them."""
    nodes = schema.nodes.c
    found: Counter[tuple[str, str, str]] = Counter()
    noted = Counter(dict.fromkeys((*DIFFERENCES, *UPKEEP), 0))
    for row in (await conn.execute(sa.select(nodes.state, nodes.assets, nodes.findings))).all():
        asset = registry.asset_of(row.assets)
        zone = (asset and asset.zone) or "unknown"
        grade = str((asset and asset.mlps_grade) or "unknown")
        found[row.state, zone, grade] += 1
        if row.state == "active":
            noted.update({finding["kind"] for finding in row.findings})
    return dict(found), dict(noted)


async def _drilled(
    conn: AsyncConnection, registry: Registry, unit: str, now: datetime
) -> tuple[dict[str, int], dict[str, int]]:
    """Return drills held by kind, and units by what their own year lacks."""
    known = await held_drills(conn)
    lacking = Counter[str]()
    for key in registry.below(unit):
        zone = registry.units[key].timezone
        year = now.astimezone(ZoneInfo(zone)).year
        lacking.update(lack for proof in prove([(key, zone)], known, year, now) for lack in proof.lacks)
    held = Counter(one.kind for one in known if one.state == "done")
    return {kind: held[kind] for kind in KINDS}, {lack: lacking[lack] for lack in LACKS}


async def _counted(
    conn: AsyncConnection, column: sa.Column[str], condition: sa.ColumnElement[bool] | None = None
) -> dict[str, int]:
    query = sa.select(column, sa.func.count()).group_by(column)
    if condition is not None:
        query = query.where(condition)
    return {value or "none": count for value, count in (await conn.execute(query)).all()}


async def _earliest(
    conn: AsyncConnection, column: sa.Column[datetime], condition: sa.ColumnElement[bool]
) -> datetime | None:
    found: datetime | None = (await conn.execute(sa.select(sa.func.min(column)).where(condition))).scalar()
    return found


async def _scalar(conn: AsyncConnection, query: sa.Select[int]) -> int:
    return (await conn.execute(query)).scalar_one()
