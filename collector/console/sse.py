"""Changes as they happen, over server-sent events whose ids are journal ids.

::

    journal   1 2 3 4 5 6        a browser that saw 3 reconnects with Last-Event-ID: 3
    stream            4 5 6      and is told 4 5 6, then what comes

Other processes write the journal too, so its highest id is asked for every half second, once for all
browsers together; a change by this process wakes at once. On PostgreSQL a lower id may commit after a
higher one: the last few ids are therefore read again, and each is told once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from time import monotonic

import msgspec
from aiohttp import web
from msgspec import Struct

from ..desk.problem import ProblemError
from ..desk.rights import scope
from ..desk.world import Desk
from ..store.board import entries_after, newest_entry, unit_of_incident
from ..store.engine import StoreBusyError
from ..store.views import AuditRow
from .sight import Sight

INTERVAL = 0.5
PULSE = 5.0
AT_ONCE = 200
"""Streams a collector holds; a browser beyond them is told to come back."""

_REREAD = 32
_BURST = 200


class Change(Struct, frozen=True, kw_only=True):
    """What a browser is told of a journal entry: `text` is one line in its language."""

    id: int
    action: str
    incident: str | None
    text: str


class Tail:
    """The journal's end as this process knows it, asked for once for everybody."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = asyncio.Lock()
        self._newest = 0
        self._asked = float("-inf")
        self._wakes = -1

    async def newest(self) -> int:
        """Return the highest journal id, no older than half a second or the last write of this process."""
        async with self._lock:
            wakes = self._desk.store.changed.count
            if monotonic() - self._asked >= INTERVAL or wakes != self._wakes:
                async with self._desk.store.read() as conn:
                    self._newest = await newest_entry(conn)
                self._asked, self._wakes = monotonic(), wakes
            return self._newest

    async def wait(self, seen: int) -> None:
        """Return when this process has written since `seen`, or half a second has gone."""
        with suppress(TimeoutError):
            async with asyncio.timeout(INTERVAL):
                await self._desk.store.changed.wait(seen)


class Streams:
    """Serves `/events`; ends all streams when the application stops."""

    def __init__(self, desk: Desk, see: Callable[[web.Request], Awaitable[Sight]]) -> None:
        self._desk = desk
        self._see = see
        self._tail = Tail(desk)
        self._open: set[web.StreamResponse] = set()
        self._ending = asyncio.Event()

    async def end(self, application: web.Application) -> None:
        """Let every stream finish."""
        del application
        self._ending.set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Stream changes to one browser until it goes away, its session ends, or the process stops."""
        sight = await self._see(request)
        if len(self._open) >= AT_ONCE:
            return web.Response(status=503, headers={"Retry-After": "5"})
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        self._open.add(response)
        try:
            await self._stream(request, response, sight)
            await response.write_eof()
        except ConnectionError:
            pass
        except (ProblemError, StoreBusyError):
            # The head is out: all that can be said now is the end, and the browser asks again.
            await response.write_eof()
        finally:
            self._open.discard(response)
        return response

    async def _stream(self, request: web.Request, response: web.StreamResponse, sight: Sight) -> None:
        last = await self._begin(request)
        await response.write(b"retry: 1000\n\n")
        told: set[int] = set()
        pulsed = float("-inf")
        while not self._ending.is_set():
            wakes = self._desk.store.changed.count
            if monotonic() - pulsed >= PULSE:
                await self._see(request)  # raises once the session is over, which ends the stream
                await response.write(_event("pulse", None, {"now": self._desk.clock()}))
                pulsed = monotonic()
            async for entry in self._fresh(last, told):
                last = max(last, entry.id)
                await response.write(_event("journal", last, await self._shown(entry, sight)))
            told = {one for one in told if one > last - _REREAD}
            await self._tail.wait(wakes)

    async def _fresh(self, last: int, told: set[int]) -> AsyncIterator[AuditRow]:
        if await self._tail.newest() == last and last in told:
            return
        first_id = min(told, default=last) - 1 if told else last
        async with self._desk.store.read() as conn:
            entries = await entries_after(conn, max(first_id, last - _REREAD), limit=_BURST)
        for entry in entries:
            if entry.id not in told:
                told.add(entry.id)
                yield entry

    async def _begin(self, request: web.Request) -> int:
        newest = await self._tail.newest()
        given = request.headers.get("Last-Event-ID") or request.query.get("after", "")
        asked = int(given) if given.isascii() and given.isdigit() and len(given) < 17 else newest
        return max(min(asked, newest), newest - _BURST)

    async def _shown(self, entry: AuditRow, sight: Sight) -> Change:
        principal = sight.principal
        units = scope(principal, self._desk.registry()) if principal else frozenset()
        if units is not None:
            async with self._desk.store.read() as conn:
                unit = await unit_of_incident(conn, entry.incident) if entry.incident else None
            if unit not in units:
                return Change(id=entry.id, action="", incident=None, text="")
        text = sight.word("action", entry.action)
        gist = sight.gist(entry)
        return Change(
            id=entry.id,
            action=entry.action,
            incident=entry.incident,
            text=f"{text}: {gist}" if gist else text,
        )


def _event(name: str, identifier: int | None, data: object) -> bytes:
    head = f"id: {identifier}\n" if identifier is not None else ""
    return f"{head}event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n".encode()
