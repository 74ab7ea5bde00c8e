"""Acknowledging by the one-time link of a notice: looking changes nothing, only using does.

Scanners of mail gateways and previews of messengers open every link. So opening one only shows what it is
for; the person's own press of the button uses it.
"""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import PermanentError
from ..registry import Person
from ..store.acknowledgements import used
from ..store.incidents import Incident, get_incident
from ..store.notices import Notice, get_notice
from ..trust.links import LinkError, Links
from .problem import ProblemError
from .world import Desk

GOOD_FOR = timedelta(hours=24)
_CHAIN = "escalate"


class Linked(Struct, frozen=True, kw_only=True):
    """What a link is for.

    Fields:
        state: `ready` to be used; `used`; `over`: the incident needs nobody's word any more, or this person
            has given theirs.
    """

    notice: str
    person: Person
    incident: Incident
    state: Literal["ready", "used", "over"]


def link_of(notice: Notice, links: Links, url: str) -> str | None:
    """Return the address by which a notice's person acknowledges; None where there is nothing to acknowledge.

    Args:
        notice: Only a step of an escalation chain asks for somebody's word.
        links: Makes the link; the same for every attempt at the notice.
        url: Where the console is reached; empty: no link would lead there.
    """
    kind = str(notice.payload.get("kind", ""))
    if not url or notice.person is None or notice.incident is None or not kind.startswith(_CHAIN):
        return None
    return f"{url.rstrip('/')}/a/{links.write(notice.id, notice.created_at + GOOD_FOR)}"


async def look(desk: Desk, word: str) -> Linked:
    """Return what a link is for; nothing is changed.

    Raises:
        ProblemError: not-found: no link of ours, its time is over, or its person has left the register.
    """
    notice = _notice_of(desk, word)
    async with desk.store.read() as conn:
        return await _linked(desk, conn, notice)


async def use(desk: Desk, word: str, now: datetime) -> Linked:
    """Acknowledge in the name of the link's person, once; return how it stands after.

    Raises:
        ProblemError: As `look`; conflict where the incident was taken on in the meantime.
    """
    notice = _notice_of(desk, word)
    acknowledge = desk.acknowledge
    assert acknowledge is not None  # noqa: S101 - `_notice_of` has seen to it

    async def work(conn: AsyncConnection) -> Linked:
        linked = await _linked(desk, conn, notice)
        if linked.state != "ready":
            return linked
        try:
            actor = f"person:{linked.person.id}"
            await acknowledge(conn, linked.incident.id, actor, now, way="link", link=linked.notice)
        except PermanentError as error:
            raise ProblemError("conflict", str(error)) from error
        return await _linked(desk, conn, notice)

    return await desk.store.run(work)


def _notice_of(desk: Desk, word: str) -> str:
    if desk.links is None or desk.acknowledge is None:
        raise ProblemError("not-found", "this collector makes no links")
    try:
        return desk.links.read(word, desk.clock())
    except LinkError as error:
        raise ProblemError("not-found", str(error)) from error


async def _linked(desk: Desk, conn: AsyncConnection, key: str) -> Linked:
    notice = await get_notice(conn, key)
    person = desk.registry().person(notice.person) if notice else None
    incident = await get_incident(conn, notice.incident or "") if notice else None
    if person is None or incident is None:
        raise ProblemError("not-found", "what this link stood for is gone")
    if await used(conn, key) is not None:
        return Linked(notice=key, person=person, incident=incident, state="used")
    return Linked(
        notice=key, person=person, incident=incident, state="ready" if incident.state == "open" else "over"
    )
