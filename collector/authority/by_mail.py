"""Sends filings to authorities by mail, and keeps the servers' word that they took them.

    filing row ──claim──> the mail is made once and kept ──> SMTP
        250                    sent: proof of sending, and no receipt
        4xx, no server         again, later and later
        5xx                    refused: a person is needed
        no answer after DATA   unknown whether it arrived: again

A server's 250 proves that the report left, not that the authority has it: the clock goes on until its
answer is recorded, or the mail that says so is handed in (`answered`). What is sent again, after a process
died between the server's word and the commit too, is the very same mail: its bytes are kept with the incident
before the first attempt, and its id comes from the filing's key.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from ..channels import Channel, Failed, Sent
from ..channels.mail import MailChannel
from ..errors import PermanentError, RetryableError
from ..settings import Route
from ..statement import read_statement
from ..store.drafts import add_attachment, attachment_named
from ..store.engine import Store
from ..store.filings import Filing, claim_filings, next_filing_at, record_failure, record_sent
from .letter import Enclosure, letter, letter_name, message_id
from .upstream import RecordFiling

LEASE = timedelta(minutes=3)  # above the longest conversation with a server and the making of the documents
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)
_POLL = timedelta(seconds=5)
_MEDIA_TYPE = "message/rfc822"
_random = SystemRandom()
_log = logging.getLogger(__name__)


class Make(Protocol):
    """Makes a document about a report (`documents.Printer.make`)."""

    def __call__(
        self, incident: str, kind: str, *, clock: str | None, language: str, now: datetime
    ) -> Awaitable[tuple[str, str, bytes]]:
        """Return its name, media type and bytes."""
        ...


class ByMail:
    """Sends what waits; `run` for ever, `step` once.

    Args:
        store: The state.
        routes: Recipient to its way out.
        channels: The open channels by name.
        make: Makes the documents that go with a mail.
        record_filing: Lets what runs from a filing begin.
        language: Of mails.
        clock: The time.
    """

    def __init__(
        self,
        store: Store,
        *,
        routes: Callable[[], Mapping[str, Route]],
        channels: Callable[[], Mapping[str, Channel]],
        make: Make,
        record_filing: RecordFiling,
        language: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._routes = routes
        self._channels = channels
        self._make = make
        self._record_filing = record_filing
        self._language = language
        self._clock = clock

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            seen = self._store.changed.count
            pause = _POLL
            try:
                pause = await self.step()
            except RetryableError as error:
                _log.warning("filings by mail wait: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause.total_seconds()):
                    await self._store.changed.wait(seen)

    async def step(self) -> timedelta:
        """Send what is due; return for how long nothing else will be.

        Raises:
            RetryableError: The database is away.
        """
        while True:
            now = self._clock()
            async with self._store.read() as conn:
                next_at = await next_filing_at(conn, "mail")
            if next_at is None or next_at > now:
                return min(next_at - now, _POLL) if next_at else _POLL
            owner = self._store.incarnation
            async with self._store.write() as conn:
                claimed = await claim_filings(conn, owner=owner, now=now, lease=LEASE, limit=1, way="mail")
            for filing in claimed:
                await self._send(filing)

    async def _send(self, filing: Filing) -> None:
        route = self._routes().get(filing.recipient, Route())
        channel = self._channels().get(route.channel)
        if route.way != "mail" or not isinstance(channel, MailChannel):
            await self._failed(filing, f"the settings name no mail to {filing.recipient}")
            return
        try:
            raw = await self._letter(filing, route, channel.sender)
        except PermanentError as error:
            await self._failed(filing, str(error))
            return
        began = self._clock()
        identity = message_id(filing.key, route.to, channel.sender)
        result = await channel.deliver(route.to, raw, identity)
        if isinstance(result, Sent):
            await self._sent(filing, {**result.detail, "to": route.to}, began)
        elif isinstance(result, Failed):
            await self._failed(filing, result.why, refused=result.permanent)
        else:
            await self._failed(
                filing, f"unknown whether it arrived, so it goes again as it was: {result.why}"
            )

    async def _letter(self, filing: Filing, route: Route, sender: str) -> bytes:
        """The filing's mail: made at the first attempt, kept, and the same ever after."""
        name = letter_name(filing.key)
        async with self._store.read() as conn:
            kept = await attachment_named(conn, filing.incident, name)
        if kept is not None:
            return kept
        said = read_statement(filing.payload.get("content", {}))
        if said is None:
            raise PermanentError(f"{filing.key}: found no statement in what is to be filed")
        enclosures = [
            Enclosure(
                *await self._make(
                    filing.incident, kind, clock=filing.clock, language=self._language, now=self._clock()
                )
            )
            for kind in route.attach
        ]
        raw = letter(filing, said, enclosures, sender=sender, to=route.to, language=self._language)

        async def keep(conn: AsyncConnection) -> None:
            await add_attachment(
                conn,
                filing.incident,
                name=name,
                media_type=_MEDIA_TYPE,
                body=raw,
                actor="system",
                now=self._clock(),
            )

        await self._store.run(keep)
        async with self._store.read() as conn:
            return await attachment_named(conn, filing.incident, name) or raw

    async def _sent(self, filing: Filing, proof: Mapping[str, object], began: datetime) -> None:
        complete = bool(filing.payload.get("complete", True))

        async def record(conn: AsyncConnection) -> None:
            now = self._clock()
            if await record_sent(conn, filing, dict(proof), filed_at=began, now=now):
                await self._record_filing(conn, filing.clock, filing.id, began, None, complete, "system", now)

        await self._store.run(record)

    async def _failed(self, filing: Filing, why: str, *, refused: bool = False) -> None:
        longest = min(_FIRST_PAUSE * 2 ** min(filing.attempts - 1, 16), _LONGEST_PAUSE)
        pause = longest * (0.5 + _random.random() / 2)

        async def record(conn: AsyncConnection) -> None:
            now = self._clock()
            await record_failure(conn, filing, refused=refused, why=why, next_at=now + pause, now=now)

        await self._store.run(record)
