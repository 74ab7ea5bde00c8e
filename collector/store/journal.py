"""The journal: every change once, in the transaction that makes it, as a link of this process's chain."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ..sealing import Head, seal_text, texts_of
from .engine import chain_end
from .rows import insert_rows
from .schema import journal

_PAGE = 1000
_COLUMNS = tuple(column.name for column in journal.c if column.name != "id")
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
        fields = {name: getattr(self, name) for name in _SEALED}
        return fields | {"at": _instant(self.at)}


async def write(connection: AsyncConnection, entry: Entry, now: datetime) -> int:
    """Append one entry to this process's chain and return its number in the chain."""
    return await write_all(connection, (entry,), now)


async def write_all(connection: AsyncConnection, entries: Iterable[Entry], now: datetime) -> int:
    """Append entries in their order in one statement; return the last one's number in the chain."""
    end = chain_end(connection)
    rows = []
    head, at = end.head, _instant(now)
    for entry in entries:
        detail, following = _link(entry, head, at)
        place = (head.chain, following.n, now)
        said = (entry.actor, entry.action, entry.subject, entry.incident, detail)
        rows.append((*place, *said, head.hash, following.hash))
        head = following
    await insert_rows(connection, journal, _COLUMNS, rows, as_text={"detail"})
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


class _Link(Struct, frozen=True, kw_only=True):
    """What an entry's hash covers besides `previous`, its fields in the order of canonical JSON."""

    action: str
    actor: str
    at: str
    chain: str
    detail: msgspec.Raw
    incident: str | None
    n: int
    subject: str


def _link(entry: Entry, head: Head, at: str) -> tuple[str, Head]:
    """Return an entry's detail as it is stored, and where the chain ends with it."""
    stored, hashed = texts_of(entry.detail)
    link = _Link(
        action=entry.action,
        actor=entry.actor,
        at=at,
        chain=head.chain,
        detail=msgspec.Raw(hashed),
        incident=entry.incident,
        n=head.n + 1,
        subject=entry.subject,
    )
    return stored.decode(), Head(head.chain, link.n, seal_text(head.hash, _encode(link)))


_encode = msgspec.json.Encoder().encode


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
