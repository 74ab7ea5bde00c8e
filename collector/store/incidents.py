"""Incidents as rows. An incident's row is the lock for its clocks and alarms: who changes them holds it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.vocabulary import Level

from ..incident import State
from .once import insert_once
from .rows import among
from .schema import incidents


class Incident(Struct, frozen=True, kw_only=True, rename={"klass": "class"}):
    """An incident as it stands.

    Fields:
        fingerprint: What makes two findings the same matter; one incident that is not closed stands for it.
        level: None where nobody here grades it.
        level_by: The regime whose annex gave the level.
        proposed: The level rests on unverified criteria only and waits for a person's word; no clock does.
        confirmed_level, confirmed_by: The level that a person has confirmed, and who.
        reasons, next_level: As `duty explain` answers them.
        standard: The level by GB/T 20986's own matrix, where a person has told what it asks for.
        facts, times: Names of `duty explain`; JSON values.
        evidence: The newest reports, oldest first.
        version: Counts changes; a change made on an older version is not taken.
    """

    id: str
    fingerprint: str
    unit: str
    asset: str | None
    node: str | None
    klass: str
    level: Level | None
    level_by: str | None
    reasons: list[dict[str, Any]]
    next_level: dict[str, Any] | None
    state: State
    acknowledged_by: str | None
    title: str
    title_en: str
    facts: dict[str, Any]
    times: dict[str, Any]
    evidence: list[dict[str, Any]]
    count: int
    first_seen: datetime
    last_seen: datetime
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    late: bool
    plan_hint: str | None
    plan_pending: bool
    drill: bool
    version: int
    proposed: bool = False
    confirmed_level: Level | None = None
    confirmed_by: str | None = None
    standard: dict[str, Any] | None = None


_NAMES = Incident.__struct_fields__
_COLUMNS = tuple(incidents.c["class" if name == "klass" else name] for name in _NAMES)


async def insert_incident(connection: AsyncConnection, incident: Incident) -> bool:
    """Add a new incident; False where one that is not closed already stands for its fingerprint."""
    values = asdict(incident)
    values["class"] = values.pop("klass")
    return await insert_once(connection, incidents, values)


async def lock_incident(connection: AsyncConnection, key: str) -> Incident | None:
    """Return an incident and keep every other transaction from changing it until this one ends."""
    query = sa.select(*_COLUMNS).where(incidents.c.id == key).with_for_update()
    return _one(await connection.execute(query))


async def lock_live(connection: AsyncConnection, fingerprint: str) -> Incident | None:
    """Return, locked, the incident that is not closed and stands for a fingerprint."""
    query = (
        sa.select(*_COLUMNS)
        .where(incidents.c.fingerprint == fingerprint, incidents.c.closed_at.is_(None))
        .with_for_update()
    )
    return _one(await connection.execute(query))


async def get_live(connection: AsyncConnection, fingerprint: str) -> Incident | None:
    """Return the incident that is not closed and stands for a fingerprint."""
    query = sa.select(*_COLUMNS).where(
        incidents.c.fingerprint == fingerprint, incidents.c.closed_at.is_(None)
    )
    return _one(await connection.execute(query))


async def lock_free(connection: AsyncConnection, keys: Iterable[str]) -> list[Incident]:
    """Return, locked, those of the incidents that no other transaction holds."""
    query = (
        sa.select(*_COLUMNS)
        .where(among(connection, incidents.c.id, sorted(keys)))
        .order_by(incidents.c.id)
        .with_for_update(skip_locked=True)
    )
    return _all(await connection.execute(query))


async def get_incident(connection: AsyncConnection, key: str) -> Incident | None:
    """Return an incident as it stands."""
    query = sa.select(*_COLUMNS).where(incidents.c.id == key)
    return _one(await connection.execute(query))


async def get_incidents(connection: AsyncConnection, keys: Iterable[str]) -> list[Incident]:
    """Return incidents as they stand, in no order."""
    query = sa.select(*_COLUMNS).where(among(connection, incidents.c.id, list(keys)))
    return _all(await connection.execute(query))


async def update_incident(connection: AsyncConnection, old: Incident, new: Incident) -> None:
    """Write what differs between the two and count the version on; the caller holds the incident locked."""
    before, after = asdict(old), asdict(new)
    values = {name: value for name, value in after.items() if value != before[name]}
    if not values:
        return
    if "klass" in values:
        values["class"] = values.pop("klass")
    statement = (
        sa.update(incidents)
        .where(incidents.c.id == old.id, incidents.c.version == old.version)
        .values(**values, version=old.version + 1)
    )
    if (await connection.execute(statement)).rowcount != 1:
        raise RuntimeError(f"incident {old.id} was changed without its lock, at version {old.version}")


def _one(found: sa.CursorResult[Any]) -> Incident | None:
    incidents = _all(found)
    return incidents[0] if incidents else None


def _all(found: sa.CursorResult[Any]) -> list[Incident]:
    # A thousand at once, so no mapping is made of each row.
    return [Incident(**dict(zip(_NAMES, row, strict=True))) for row in found.all()]
