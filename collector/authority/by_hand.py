"""Reports as persons file them: written in the console, sent up, or filed elsewhere and proved here.

    written ──> draft ──submit──> upstream: the same row the automatic filing would make
                             ├──> person:   12387, web form, fax: number, time, proof ──> the clock is met
                             └──> answer:   the mail that says whether the mailed report arrived

A report is filed once: its key is unique. What waits for a line that is down may be taken over by a person.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.messages import Filing as Message

from ..desk.answers import Answer, NoAnswerError
from ..desk.papers import Handed, Report
from ..errors import PermanentError
from ..registry import Registry
from ..settings import Route
from ..statement import Ransom, read_statement
from ..store.clocks import Clock, clocks_of, get_clock
from ..store.drafts import draft_of, get_attachment, save_draft
from ..store.drills import drill_of_incident
from ..store.filings import (
    Filing,
    add_filing,
    filing_of,
    filings_of,
    record_proof,
    record_returned,
    take_over,
)
from ..store.incidents import Incident, get_incident
from .answered import arrived_at, read_heard, told
from .upstream import Compose, NoSuchClockError, RecordFiling, Upstream, compose, key_of


class AlreadyFiledError(PermanentError):
    """The report was filed before, or is on its way."""


class NoProofError(PermanentError):
    """What was handed in proves no filing."""


class ByHand:
    """Does for persons what `Upstream` does by itself.

    Args:
        upstream: Files what is to go up.
        registry: Units and assets.
        routes: Recipient to its way out.
        record_filing: Lets a proof meet its clock, in the transaction of the proof.
        statement: Says what a report holds.
    """

    def __init__(
        self,
        upstream: Upstream,
        *,
        registry: Callable[[], Registry],
        routes: Callable[[], Mapping[str, Route]],
        record_filing: RecordFiling,
        statement: Compose,
    ) -> None:
        self._upstream = upstream
        self._registry = registry
        self._routes = routes
        self._record_filing = record_filing
        self._statement = statement

    async def reports(self, conn: AsyncConnection, incident: str, now: datetime) -> list[Report]:
        """Return what an incident owes, earliest due first."""
        filed = {filing.clock: filing for filing in await filings_of(conn, incident)}
        clocks = [clock for clock in await clocks_of(conn, [incident]) if clock.state != "withdrawn"]
        clocks.sort(key=lambda clock: (_wanted(clock) is None, _wanted(clock) or now, clock.obligation))
        row = await get_incident(conn, incident)
        drill = row is not None and row.drill
        return [await self._report(conn, clock, filed.get(clock.id), now, drill=drill) for clock in clocks]

    async def save(
        self,
        conn: AsyncConnection,
        incident: str,
        clock: str,
        *,
        texts: Mapping[int, str],
        ransom: Ransom | None,
        actor: str,
        now: datetime,
    ) -> None:
        """Keep what a person wrote.

        Raises:
            NoSuchClockError: The incident has no such clock.
            AlreadyFiledError: The report has left.
        """
        found, _ = await self._owed(conn, incident, clock)
        said = await self._statement(conn, found, now)
        unknown = set(texts) - {item.number for item in said.items}
        if unknown:
            numbers = ", ".join(map(str, sorted(unknown)))
            raise NoSuchClockError(f"items: found {numbers}; {clock} asks {len(said.items)} items")
        filing = await filing_of(conn, key_of(incident, found.obligation))
        if filing is None or filing.receipt_at is None:
            await save_draft(conn, found, texts=texts, ransom=ransom, actor=actor, now=now)
        elif any(text.strip() for text in texts.values()):
            raise _filed(filing)

    async def submit(
        self, conn: AsyncConnection, incident: str, clock: str, handed: Handed, *, actor: str, now: datetime
    ) -> str:
        """File a report, once.

        Returns:
            The filing's id.

        Raises:
            NoSuchClockError: The incident has no such clock.
            AlreadyFiledError: It was filed, or is on its way.
            NoProofError: Nothing proves that it was filed, or its time cannot be.
            NoAnswerError: What was handed in as an answer says nothing of the report.
        """
        found, row = await self._owed(conn, incident, clock)
        filing = await filing_of(conn, key_of(incident, found.obligation))
        if filing is not None and filing.receipt_at is not None:
            raise _filed(filing)
        if handed.way == "answer":
            return await self._hear(conn, found, row, filing, handed=handed, actor=actor, now=now)
        if handed.way == "person":
            return await self._prove(conn, found, row, filing, handed=handed, actor=actor, now=now)
        if not row.drill and self._routes().get(found.recipient, Route()).way == "person":
            raise NoProofError(
                f"way: found upstream, but settings.routes name no way up to {found.recipient}; file it by "
                "the authority's own channel and record the proof"
            )
        if filing is not None:
            raise _filed(filing)
        return await self._upstream.file(conn, clock, actor, now, complete=True, content={})

    async def answer(self, conn: AsyncConnection, incident: str, clock: str, attachment: str) -> Answer:
        """Return what a mail that was handed in says of the report's own.

        Raises:
            NoSuchClockError: The incident has no such clock.
            NoAnswerError: It says nothing of it.
        """
        found, _ = await self._owed(conn, incident, clock)
        filing = await filing_of(conn, key_of(incident, found.obligation))
        return (await read_heard(conn, filing, incident, attachment))[1]

    async def _hear(
        self,
        conn: AsyncConnection,
        clock: Clock,
        incident: Incident,
        filing: Filing | None,
        *,
        handed: Handed,
        actor: str,
        now: datetime,
    ) -> str:
        attachment, answer = await read_heard(conn, filing, incident.id, handed.attachment)
        assert filing is not None  # noqa: S101 - what has an answer was mailed
        if answer.outcome == "pending":
            raise NoAnswerError(
                "attachment: found a mail that says neither that it arrived nor that it came back"
            )
        if answer.outcome == "returned":
            why, heard = f"the mail came back: {answer.why}", told(attachment, answer)
            if not await record_returned(conn, filing, why=why, answer=heard, actor=actor, now=now):
                raise AlreadyFiledError(f"{filing.key}: is being sent just now; look again in a minute")
            return filing.id
        at = handed.filed_at or arrived_at(answer, filing.filed_at or filing.created_at, now)
        proof = msgspec.structs.replace(handed, way="person", medium="mail", filed_at=at)
        more = {"answer": told(attachment, answer)}
        return await self._prove(conn, clock, incident, filing, handed=proof, actor=actor, now=now, more=more)

    async def _prove(
        self,
        conn: AsyncConnection,
        clock: Clock,
        incident: Incident,
        filing: Filing | None,
        *,
        handed: Handed,
        actor: str,
        now: datetime,
        more: Mapping[str, Any] | None = None,
    ) -> str:
        filed_at = receipt_at = handed.filed_at or now
        proof = await _proof(conn, incident, handed, filed_at, actor=actor, now=now)
        proof |= more or {}
        message = await self._message(conn, clock, incident, filed_at, now)
        if filing is None:
            await add_filing(conn, message=message, clock=clock.id, way="person", actor=actor, now=now)
        elif filing.state == "sent" and filing.filed_at is not None:
            # It left by mail, and this is the authority's answer: it was filed then, as it was sent.
            filed_at = filing.filed_at
            message = msgspec.convert(filing.payload, Message)
        elif filing.way in {"upstream", "mail"} and not await take_over(conn, filing, actor=actor, now=now):
            raise AlreadyFiledError(f"{filing.key}: is being sent just now; look again in a minute")
        held = await filing_of(conn, message.key)
        assert held is not None  # noqa: S101 - it was there or has just been added
        kept = await record_proof(
            conn,
            held,
            filed_at=filed_at,
            receipt_at=receipt_at,
            proof=proof,
            actor=actor,
            now=now,
            message=message,
        )
        if not kept:
            raise _filed(held)
        await self._record_filing(conn, clock.id, held.id, filed_at, receipt_at, message.complete, actor, now)
        return held.id

    async def _message(
        self, conn: AsyncConnection, clock: Clock, incident: Incident, filed_at: datetime, now: datetime
    ) -> Message:
        """Return the report as it stands."""
        said = await self._statement(conn, clock, now)
        return compose(
            clock,
            incident,
            self._registry(),
            filed_at,
            complete=said.complete,
            content=said.content(),
            drill=await drill_of_incident(conn, incident.id) if incident.drill else None,
        )

    async def _owed(self, conn: AsyncConnection, incident: str, clock: str) -> tuple[Clock, Incident]:
        found = await get_clock(conn, clock)
        row = await get_incident(conn, incident)
        if found is None or row is None or found.incident != incident or found.state == "withdrawn":
            raise NoSuchClockError(f"clock {clock!r}: the incident owes no such report")
        return found, row

    async def _report(
        self, conn: AsyncConnection, clock: Clock, filing: Filing | None, now: datetime, *, drill: bool
    ) -> Report:
        filed = read_statement(filing.payload.get("content", {})) if filing else None
        said = filed or await self._statement(conn, clock, now)
        return Report(
            clock=clock.id,
            obligation=clock.obligation,
            regime=clock.regime,
            stage=clock.stage,
            recipient=clock.recipient,
            state=clock.state_at(now),
            due_at=clock.due_at,
            target_at=clock.target_at,
            upstream=self._routes().get(clock.recipient, Route()).way == "upstream",
            mail=self._routes().get(clock.recipient, Route()).to,
            mailed=filing is not None and filing.way == "mail",
            filing=filing.id if filing else None,
            filing_state=filing.state if filing else None,
            receipt_at=filing.receipt_at if filing else None,
            version=(await draft_of(conn, clock)).version,
            complete=said.complete,
            drill=drill,
            statement=said,
        )


def _wanted(clock: Clock) -> datetime | None:
    return clock.due_at or clock.target_at


async def _proof(
    conn: AsyncConnection,
    incident: Incident,
    handed: Handed,
    filed_at: datetime,
    *,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    if filed_at.tzinfo is None or not incident.first_seen <= filed_at <= now:
        first = incident.first_seen.isoformat()
        raise NoProofError(f"filed_at: found {filed_at.isoformat()}, expected a time from {first} until now")
    if not (handed.number.strip() or handed.attachment):
        raise NoProofError("number: found neither a number nor an attachment, one of them proves the filing")
    attachment = await get_attachment(conn, incident.id, handed.attachment) if handed.attachment else None
    if handed.attachment and attachment is None:
        raise NoProofError(f"attachment: the incident has none with the id {handed.attachment!r}")
    kept = {"id": attachment.id, "name": attachment.name, "sha256": attachment.sha256} if attachment else None
    return {
        "number": handed.number.strip(),
        "medium": handed.medium,
        "attachment": kept,
        "by": actor,
        "recorded_at": now.isoformat(),
    }


def _filed(filing: Filing) -> AlreadyFiledError:
    when = (
        filing.filed_at.isoformat() if filing.filed_at else f"waiting since {filing.created_at.isoformat()}"
    )
    return AlreadyFiledError(f"{filing.key}: was filed before ({when}); what is new goes into the supplement")
