"""The journal: every change once, in the transaction that makes it, as a link of this process's chain."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ..sealing import Head, seal
from .engine import chain_end
from .schema import journal

_PAGE = 1000
_SEALED = ("chain", "n", "at", "actor", "action", "subject", "incident", "detail")


class Entry(Struct, frozen=True, kw_only=True):
    """One change.

    Fields:
        actor: `system`, `node:<id>`, `user:<name>` or `person:<key>`.
        action: `incident.opened`, `clock.fired`, ... (the list in docs/architecture.md).
        subject: `kind:id` of what changed.
        incident: The incident it belongs to.
        detail: What changed, from what to what, and why.
    """

    actor: str
    action: str
    subject: str
    incident: str | None = None
    detail: Mapping[str, Any] = {}


class Row(Struct, frozen=True, kw_only=True):
    """An entry as it stands in the database, with its place in its chain."""

    id: int
    chain: str
    n: int
    at: datetime
    actor: str
    action: str
    subject: str
    incident: str | None
    detail: dict[str, Any]
    previous: str
    hash: str

    def sealed_fields(self) -> dict[str, Any]:
        """Return what `hash` covers besides `previous`."""
        return _fields({name: getattr(self, name) for name in _SEALED})


async def write(connection: AsyncConnection, entry: Entry, now: datetime) -> int:
    """Append one entry to this process's chain and return its number in the chain."""
    return await write_all(connection, (entry,), now)


async def write_all(connection: AsyncConnection, entries: Iterable[Entry], now: datetime) -> int:
    """Append entries in their order in one statement; return the last one's number in the chain."""
    end = chain_end(connection)
    rows = []
    head = end.head
    for entry in entries:
        row = _row(entry, head, now)
        rows.append(row)
        head = Head(head.chain, row["n"], row["hash"])
    if rows:
        await connection.execute(sa.insert(journal), rows)
        end.head = head
    return head.n


async def read_chains(connection: AsyncConnection) -> AsyncIterator[Row]:
    """Yield every entry, chain after chain, each from its first number on, a page at a time."""
    place = ("", 0)
    while True:
        query = (
            sa.select(journal)
            .where(sa.tuple_(journal.c.chain, journal.c.n) > place)
            .order_by(journal.c.chain, journal.c.n)
            .limit(_PAGE)
        )
        found = (await connection.execute(query)).mappings().all()
        for row in found:
            yield Row(**row)
        if len(found) < _PAGE:
            return
        place = (found[-1]["chain"], found[-1]["n"])


async def of_incident(connection: AsyncConnection, incident: str) -> list[Row]:
    """Return an incident's entries, oldest first."""
    query = sa.select(journal).where(journal.c.incident == incident).order_by(journal.c.id)
    return [Row(**row) for row in (await connection.execute(query)).mappings()]


async def findings_of(connection: AsyncConnection, incidents: Collection[str]) -> set[tuple[str, str]]:
    """Return which findings of the auditor, as kind and subject, the journal has for these incidents."""
    query = sa.select(journal.c.detail, journal.c.subject).where(
        journal.c.incident.in_(list(incidents)), journal.c.action == "audit.finding"
    )
    return {(detail["finding"], subject) for detail, subject in await connection.execute(query)}


def _row(entry: Entry, head: Head, now: datetime) -> dict[str, Any]:
    row = {
        "chain": head.chain,
        "n": head.n + 1,
        "at": now,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "incident": entry.incident,
        # What is hashed has to be what the database gives back: plain JSON values.
        "detail": msgspec.json.decode(msgspec.json.encode(entry.detail)),
    }
    return row | {"previous": head.hash, "hash": seal(head.hash, _fields(row))}


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "at": row["at"].astimezone(UTC).isoformat(timespec="microseconds")}
