"""Who has taken an incident on, by which way; and when a person last did something for it."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7

from .schema import acknowledgements, journal


class Acknowledgement(Struct, frozen=True, kw_only=True):
    """One person's word that they have taken an incident on.

    Fields:
        way: `desk` (console and API) or `link`.
        link: The notice whose link was used.
        ended_at: When it ceased to hold: no progress, or the incident burns again.
    """

    id: str
    incident: str
    actor: str
    way: str
    link: str | None
    at: datetime
    ended_at: datetime | None


async def add_acknowledgement(
    connection: AsyncConnection, *, incident: str, actor: str, way: str, link: str | None, now: datetime
) -> None:
    """Write one down; the caller holds the incident locked and has looked at `standing` and `used`."""
    row = {"id": uuid7(now), "incident": incident, "actor": actor, "way": way, "link": link, "at": now}
    await connection.execute(sa.insert(acknowledgements).values(row))


async def standing(connection: AsyncConnection, incident: str) -> list[Acknowledgement]:
    """Return those of an incident that hold, earliest first."""
    query = (
        sa.select(acknowledgements)
        .where(acknowledgements.c.incident == incident, acknowledgements.c.ended_at.is_(None))
        .order_by(acknowledgements.c.at, acknowledgements.c.id)
    )
    return [Acknowledgement(**row) for row in (await connection.execute(query)).mappings()]


async def used(connection: AsyncConnection, link: str) -> Acknowledgement | None:
    """Return what a one-time link was used for."""
    query = sa.select(acknowledgements).where(acknowledgements.c.link == link)
    row = (await connection.execute(query)).mappings().one_or_none()
    return Acknowledgement(**row) if row else None


async def end_acknowledgements(
    connection: AsyncConnection, incidents: Collection[str], now: datetime
) -> None:
    """Let those of incidents that burn again hold no more."""
    if incidents:
        await connection.execute(
            sa.update(acknowledgements)
            .where(acknowledgements.c.incident.in_(incidents), acknowledgements.c.ended_at.is_(None))
            .values(ended_at=now)
        )


async def last_deeds(connection: AsyncConnection, incidents: Collection[str]) -> dict[str, datetime]:
    """Return, an incident, when a person last did anything that stands in its journal."""
    if not incidents:
        return {}
    person = sa.or_(*(journal.c.actor.startswith(kind) for kind in ("user:", "person:", "token:")))
    query = (
        sa.select(journal.c.incident, sa.func.max(journal.c.at))
        .where(journal.c.incident.in_(incidents), person)
        .group_by(journal.c.incident)
    )
    return {row[0]: row[1] for row in await connection.execute(query)}
