"""What happened in a drill, as the report tells it: what was injected, and what people and the system did."""

from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct, convert
from sqlalchemy.ext.asyncio import AsyncConnection

from ..drills import Event
from ..drills.script import EventKind
from ..statement import Words
from .drills import Drill, events_of, incidents_of_drill
from .schema import journal

_MOST = 1000
_TOLD = ("to", "level", "obligation", "kind", "step", "state", "person", "number", "why", "reason")


class Injected(Struct, frozen=True, kw_only=True):
    """An event of the script, and what became of it."""

    n: int
    at: datetime
    kind: EventKind
    words: Words
    state: str
    done_at: datetime | None


class Deed(Struct, frozen=True, kw_only=True):
    """An entry of the journal, cut to what a reader wants."""

    at: datetime
    actor: str
    action: str
    gist: str


class Story(Struct, frozen=True, kw_only=True):
    """The drill from its first event to its last deed."""

    events: list[Injected]
    deeds: list[Deed]


async def story_of(conn: AsyncConnection, drill: Drill) -> Story:
    """Return what happened, oldest first; at most a thousand deeds."""
    events = [
        Injected(
            n=one.n,
            at=one.at,
            kind=convert(one.kind, EventKind),
            words=words_of(convert(one.body, Event)),
            state=one.state,
            done_at=one.done_at,
        )
        for one in await events_of(conn, drill.id)
    ]
    incidents = list((await incidents_of_drill(conn, drill.id)).values())
    query = (
        sa.select(journal.c.at, journal.c.actor, journal.c.action, journal.c.detail)
        .where(sa.or_(journal.c.incident.in_(incidents), journal.c.subject == f"drill:{drill.id}"))
        .order_by(journal.c.id)
        .limit(_MOST)
    )
    deeds = [
        Deed(at=row.at, actor=row.actor, action=row.action, gist=_gist(row.detail))
        for row in await conn.execute(query)
    ]
    return Story(events=events, deeds=deeds)


def words_of(event: Event) -> Words:
    """Say in a line what an event is."""
    if event.incident:
        title, klass = event.incident.title, event.incident.klass
        return Words(f"{title.zh}（{klass}）", f"{title.en} ({klass})")
    if event.facts:
        said = ", ".join(f"{name}={value}" for name, value in event.facts.set.items())
        return Words(said, said)
    if event.absent:
        minutes = int(event.absent.length.total_seconds() // 60)
        role = event.absent.role
        return Words(f"{role} 联系不上 {minutes} 分钟", f"{role} cannot be reached for {minutes} minutes")
    message = event.message
    assert message is not None  # noqa: S101 - an event is exactly one of the four
    return Words(f"→ {message.to}:{message.text.zh}", f"→ {message.to}: {message.text.en}")


def _gist(detail: dict[str, object]) -> str:
    said = ((name, detail.get(name)) for name in _TOLD)
    return " ".join(f"{name}={value}" for name, value in said if isinstance(value, str | int) and value != "")
