"""The way to the collectors: HTTP over mutual TLS to the first address that answers."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

import aiohttp
from msgspec import Struct
from msgspec.structs import replace

from .backoff import seconds_asked

_MOST_BYTES = 4 * 1024 * 1024
_CONNECT_SECONDS = 10.0
_QUICK_SECONDS = 2.0
# Longer than a heartbeat's distance, so that the connection it uses is still there for the next one.
_KEEP_ALIVE_SECONDS = 100.0
# What says "not me" rather than "not now": another address may do better.
_ELSEWHERE = frozenset({404, 421, 502, 504})
# What says "not now". Said so often in a row it is believed to be "not me": a full disk, a lost database.
_NOT_NOW = frozenset({500, 503, 507})
_PATIENCE = 3
_NOT_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class Reply(Struct, frozen=True):
    """What a collector answered.

    Fields:
        retry_after: Seconds it asks to wait; None where it does not.
        date: The collector's clock; None where it does not say.
        bodies: How many addresses took the body, this one included.
    """

    status: int
    body: bytes
    retry_after: float | None = None
    date: datetime | None = None
    bodies: int = 1


class UnreachableError(ConnectionError):
    """No address answered; retryable.

    Attributes:
        bodies: How many of them were connected to and may have taken the body.
    """

    def __init__(self, why: str, bodies: int = 1) -> None:
        super().__init__(why)
        self.bodies = bodies


class Way(Protocol):
    """What asks the collectors; `Transport` is one."""

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 30.0,
    ) -> Reply:
        """Ask; raises `UnreachableError`."""
        ...


class Transport:
    """Keeps few, long-lived connections; sticks to the address that answered last.

    Attributes:
        offset: Seconds by which this host's clock is ahead of the collector's, by its last answer.
    """

    def __init__(self, addresses: Sequence[str], tls: ssl.SSLContext, now: Callable[[], datetime]) -> None:
        """Open nothing yet; to be made inside a running event loop.

        Args:
            addresses: `https://HOST:PORT`, at least one, in the order in which they are tried.
            tls: What proves who we are and whom we trust.
            now: The host's clock, for `Retry-After` given as a date.
        """
        self.addresses = tuple(address.rstrip("/") for address in addresses)
        self._now = now
        self.offset: float | None = None
        self._current = 0
        self._put_off: dict[str, int] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, keepalive_timeout=_KEEP_ALIVE_SECONDS, limit=4),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 30.0,
    ) -> Reply:
        """Ask the collectors, one after the other until one answers.

        One that has put off the same path again and again is left for the next time: another may have room.
        Several requests are on their way at once: each goes round by itself, and what one of them learns late
        of an address moves nobody away from the one that was found since.

        Raises:
            UnreachableError: none did within `seconds` each.
        """
        failures = []
        bodies = 0
        first = self._current
        for turn in range(len(self.addresses)):
            at = (first + turn) % len(self.addresses)
            address = self.addresses[at]
            try:
                reply = await self._ask(method, address + path, body, headers, seconds)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                failures.append(f"{address}: {' '.join(str(error).split()) or type(error).__name__}")
                bodies += not isinstance(error, _NOT_CONNECTED)
            else:
                bodies += 1
                if reply.status not in _ELSEWHERE:
                    if self._is_put_off(path.partition("?")[0], reply.status):
                        self._leave(at)
                    return replace(reply, bodies=bodies)
                failures.append(f"{address}: status {reply.status}")
            self._leave(at)
        raise UnreachableError("; ".join(failures), bodies)

    def _is_put_off(self, path: str, status: int) -> bool:
        """Count the answers in a row that put a path off; whether there were too many."""
        if status not in _NOT_NOW:
            self._put_off.pop(path, None)
            return False
        self._put_off[path] = self._put_off.get(path, 0) + 1
        return self._put_off[path] >= _PATIENCE

    def _leave(self, at: int) -> None:
        """Begin at the next address from now on, unless another request has moved on already."""
        if self._current == at:
            self._current = (at + 1) % len(self.addresses)
            self._put_off.clear()

    async def _ask(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None, seconds: float
    ) -> Reply:
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)
        asked = self._now()
        async with self._session.request(
            method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as answer:
            content = bytearray()
            async for piece in answer.content.iter_any():
                content += piece
                if len(content) > _MOST_BYTES:
                    raise ValueError(f"the answer has more than {_MOST_BYTES} bytes")
            date = _date(answer.headers.get("Date"))
            self._measure(asked, date)
            # A date of theirs is told from by their clock: this host's may be a day off.
            waits = seconds_asked(answer.headers.get("Retry-After"), date or self._now())
            return Reply(
                status=answer.status,
                body=bytes(content),
                retry_after=waits,
                date=date,
            )

    def _measure(self, asked: datetime, date: datetime | None) -> None:
        """Compare the clocks: a `Date` is cut to the second; a long poll's answer was written at its end."""
        answered = self._now()
        if date and (answered - asked).total_seconds() <= _QUICK_SECONDS:
            between = asked + (answered - asked) / 2
            self.offset = (between - date).total_seconds() - 0.5

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


def _date(header: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(header or "")
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None
    return found if found.tzinfo else None
