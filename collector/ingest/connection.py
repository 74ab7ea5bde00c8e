"""One HTTP/1.1 connection: aiohttp's parser and flow control, and a loop of our own that answers.

aiohttp's loop makes a task, a request, a writer and a response object for every request, which together
cost more than storing a batch. Ours hands the parsed head on and writes the answer as one piece of bytes:

    bytes -> aiohttp: parser, queue, back pressure -> start(): next head -> handler -> reply -> one write
                                                         idle too long -> closed

Who is on the other side is asked once a connection, not once a request.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import StreamReader, web
from aiohttp.web_protocol import RequestHandler
from msgspec import Struct

from .answers import Reply

FIRST_REQUEST_SECONDS = 20.0
KEEPALIVE_SECONDS = 120.0
LINGER_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Head(Struct, frozen=True, gc=False):
    """A parsed request; `node` is the id in the verified certificate, empty where there was none.

    Fields:
        serial: The certificate's serial number in hex.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    payload: StreamReader
    node: str
    address: str
    serial: str = ""


class Door(Protocol):
    """What a connection needs of its listener."""

    async def handle(self, head: Head, proceed: Callable[[], None]) -> Reply:
        """Answer a request; `proceed` tells a waiting sender to send its body (RFC 9110, 10.1.1)."""
        ...

    def refuse(self, reason: str, status: int, text: str) -> Reply:
        """Count a refusal and return its problem document."""
        ...

    def date(self) -> str:
        """Return the value of the header `Date`."""
        ...

    def opened(self, transport: asyncio.BaseTransport) -> str | None:
        """Count a connection in and say which node it is; None when there are too many."""
        ...

    def closed(self, node: str, transport: asyncio.BaseTransport, *, by_peer: bool) -> None:
        """Count it out; `by_peer`: the other side ended it."""
        ...


class Connection(RequestHandler):
    """Serves the requests of one connection, one after the other."""

    __slots__ = ("_address", "_door", "_first", "_line", "_node", "_ours", "_serial")

    def __init__(self, door: Door, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=KEEPALIVE_SECONDS,
            access_log=None,  # type: ignore[arg-type]  # None is how aiohttp itself switches it off
            auto_decompress=False,
        )
        self._door = door
        self._first: asyncio.TimerHandle | None = None
        self._node = ""
        self._address = ""
        self._ours = False
        self._serial = ""
        # aiohttp forgets its own reference when it is closed by force, before the end is told.
        self._line = asyncio.BaseTransport()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it in, or cut it where there are too many."""
        super().connection_made(transport)
        self._line = transport
        node = self._door.opened(transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        if node is None:
            self.force_close()
            return
        self._node = node
        self._serial = serial_of(transport)
        self._first = self._loop.call_later(FIRST_REQUEST_SECONDS, self._cut_silent)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it out; what was being served is cancelled, what was committed stays."""
        by_peer = not self._ours and not self._force_close and not isinstance(exc, TimeoutError)
        self._door.closed(self._node, self._line, by_peer=by_peer)
        if self._first is not None:
            self._first.cancel()
        super().connection_lost(exc)

    async def start(self) -> None:
        """Answer until either side closes."""
        try:
            while not self._force_close:
                message, payload = await self._next()
                self._request_in_progress = True
                try:
                    reply, close = await self._answer(message, payload)
                    close = await self._leave_unread(payload) or close or self._close
                    await self._write(reply, close=close)
                finally:
                    self._request_in_progress = False
                    if self._handler_waiter is not None and not self._handler_waiter.done():
                        self._handler_waiter.set_result(None)
                if close:
                    return
                self._stay()
        except ConnectionError:
            return
        finally:
            if self.transport is not None:
                self._ours = True
                self.transport.close()

    async def _next(self) -> tuple[Any, StreamReader]:
        if not self._messages:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        message, payload = self._messages.popleft()
        if self._parser is not None:
            self._parser.message_consumed()
        if self._buffer_paused and len(self._messages) <= self._msg_queue_resume_size:
            self._resume_reading_if_drained()
        return message, payload

    async def _answer(self, message: Any, payload: StreamReader) -> tuple[Reply, bool]:  # noqa: ANN401 - aiohttp's own
        """Return the answer, and whether the connection ends with it."""
        fault = getattr(message, "exc", None)
        if fault is not None:
            text = f"not HTTP as we speak it: {str(getattr(message, 'message', ''))[:200]}"
            return self._door.refuse("http", 400, text), True
        if message.upgrade:
            return self._door.refuse("http", 400, "nothing here can be upgraded to another protocol"), True
        head = Head(
            message.method, message.path, message.headers, payload, self._node, self._address, self._serial
        )
        try:
            reply = await self._door.handle(head, self._proceed)
        except Exception as error:  # noqa: BLE001 - the edge: told, counted, and the connection ends
            _log.exception("fault while serving %s", message.path[:100], exc_info=error)
            return self._door.refuse("fault", 500, "a fault of the collector; it was logged"), True
        return reply, message.should_close

    def _proceed(self) -> None:
        if self.transport is not None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def _leave_unread(self, payload: StreamReader) -> bool:
        """Read on a little where a body was refused, so that the sender gets to read why; then close."""
        if payload.is_eof():
            return False
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while not payload.is_eof():
                    await payload.readany()
        except Exception:  # noqa: BLE001 - whatever is wrong with a body nobody wants
            return True
        return False

    async def _write(self, reply: Reply, *, close: bool) -> None:
        if self.transport is None:
            return
        self.transport.write(render(reply, self._door.date(), close=close))
        if self._paused:
            await self._drain_helper()

    def _stay(self) -> None:
        """Be closed when nothing comes for long."""
        loop = self._loop
        self._next_keepalive_close_time = loop.time() + KEEPALIVE_SECONDS
        if self._keepalive_handle is None:
            self._keepalive_handle = loop.call_at(self._next_keepalive_close_time, self._process_keepalive)

    def _cut_silent(self) -> None:
        if self._request_count == 0:
            self._door.refuse("silent", 408, "nothing was asked for")
            self.force_close()


def serial_of(transport: asyncio.BaseTransport) -> str:
    """Return the serial number of the peer's certificate as rows have it: hex, without leading noughts."""
    certificate: Mapping[str, Any] = transport.get_extra_info("peercert") or {}
    return str(certificate.get("serialNumber", "")).lower().lstrip("0")


_heads: dict[tuple[int, str], str] = {
    (status, kind): f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {kind}\r\n"
    for status in (200, 201, 409)
    for kind in ("application/json",)
}


def render(reply: Reply, date: str, *, close: bool) -> bytes:
    """Return an answer as it goes over the wire."""
    head = _heads.get((reply.status, reply.content_type))
    if head is None:
        head = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n"
        head += f"Content-Type: {reply.content_type}\r\n" if reply.body else ""
    if reply.retry_after is not None:
        head += f"Retry-After: {reply.retry_after}\r\n"
    if close:
        head += "Connection: close\r\n"
    length = "" if reply.status == HTTPStatus.NO_CONTENT else f"Content-Length: {len(reply.body)}\r\n"
    return f"{head}Date: {date}\r\n{length}\r\n".encode() + reply.body
