"""Senders for the benchmarks: closed loops on keep-alive connections, or a fixed rate.

Each connection is a node with an epoch of its own and speaks the session rules, so every request stores
something new. Alertmanager gets alerts of the same size from the same loops.
"""

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from typing import Any

Build = Callable[[int, int], bytes]
"""Makes the request number n of connection c, whole with its head."""

_HEAD = (
    "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    "Content-Length: {size}\r\n\r\n"
)
_REPORT = (
    '{"id":"019cac18-4e40-7000-8000-%012x","seq":%d,"kind":"sockets","source":"sockets",'
    '"observed_at":"2026-03-02T01:10:00.123456Z","boot_id":"5f0c8a52-6a4e-4e0b-9a55-0d9ef6c0c1aa",'
    '"monotonic":123456.789,"body":{"process":"curl","local":"10.20.3.14:50210","remote":"203.0.113.77:443",'
    '"first_seen":"2026-03-02T01:09:31Z","last_seen":"2026-03-02T01:10:00Z","count":17,"direction":"out"}}'
)
_BATCH = (
    '{"version":1,"epoch":"%s","after":%d,"after_id":"%s","sent_at":"2026-03-02T01:10:00Z","reports":[%s]}'
)
_ALERT = (
    '{"labels":{"alertname":"exit","instance":"web-%d","n":"%d","process":"curl","remote":"203.0.113.77:443"},'
    '"annotations":{"local":"10.20.3.14:50210","first_seen":"2026-03-02T01:09:31Z",'
    '"last_seen":"2026-03-02T01:10:00Z","boot":"5f0c8a52-6a4e-4e0b-9a55-0d9ef6c0c1aa","direction":"outgoing",'
    '"summary":"a connection to an address outside the internal ranges"}}'
)


def _request(path: str, body: str) -> bytes:
    return (_HEAD.format(path=path, size=len(body)) + body).encode()


def batches(reports: int, epoch: str) -> Build:
    """Requests of `POST /v1/batches` with this many reports each."""

    def build(connection: int, number: int) -> bytes:
        first = number * reports + 1
        body = ",".join(_REPORT % (seq, seq) for seq in range(first, first + reports))
        after_id = "019cac18-4e40-7000-8000-%012x" % (first - 1) if number else ""
        return _request("/v1/batches", _BATCH % (f"{epoch}-{connection}", first - 1, after_id, body))

    return build


def alerts(count: int) -> Build:
    """Requests of Alertmanager's `POST /api/v2/alerts` with this many new alerts each."""

    def build(connection: int, number: int) -> bytes:
        first = number * count
        body = ",".join(_ALERT % (connection, n) for n in range(first, first + count))
        return _request("/api/v2/alerts", f"[{body}]")

    return build


class Outcome:
    """What one run saw."""

    def __init__(self) -> None:
        self.accepted = 0
        self.in_window = 0
        self.other: dict[str, int] = {}
        self.latencies: list[float] = []

    def quantile(self, share: float) -> float:
        """Return a latency in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class Sender(asyncio.Protocol):
    """One keep-alive connection with at most one request on its way.

    With `gaps` of zero it is a closed loop; else a request is due every `gap` seconds, and its latency counts
    from when it was due: a stall is charged to every request it delayed.
    """

    def __init__(
        self, number: int, build: Build, outcome: Outcome, gap: float, done: "asyncio.Future[None]"
    ) -> None:
        self._connection = number
        self._build = build
        self._outcome = outcome
        self._gap = gap
        self._done = done
        self._loop = asyncio.get_running_loop()
        self._number = 0
        self._buffer = b""
        self.window = (0.0, 0.0)
        self._due = 0.0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def go(self, begin: float, end: float, phase: float) -> None:
        self.window = (begin, end)
        self._due = time.perf_counter() + phase * self._gap
        self._next()

    def _next(self) -> None:
        now = time.perf_counter()
        if now >= self.window[1]:
            if not self._done.done():
                self._done.set_result(None)
            return
        if not self._gap:
            self._due = now
        elif now < self._due:
            self._loop.call_later(self._due - now, self._send)
            return
        self._send()

    def _send(self) -> None:
        self._transport.write(self._build(self._connection, self._number))
        self._number += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        at = lower.find(b"content-length: ")
        size = int(lower[at + 16 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(rest) < size:
            return
        self._buffer = b""
        self._answered(head[9:12].decode())

    def _answered(self, status: str) -> None:
        now = time.perf_counter()
        outcome = self._outcome
        if status == "200":
            outcome.accepted += 1
            if self.window[0] <= now < self.window[1]:
                outcome.in_window += 1
                outcome.latencies.append(now - self._due)
        else:
            outcome.other[status] = outcome.other.get(status, 0) + 1
        self._due += self._gap
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError(f"connection {self._connection} was cut: {exc}"))


async def run(
    port: int,
    build: Build,
    *,
    connections: int,
    warm: float,
    seconds: float,
    rate: float = 0.0,
    contexts: list[ssl.SSLContext] | None = None,
) -> Outcome:
    """Load a server and return what was seen within the window after the warm-up.

    Args:
        port: On loopback.
        build: Makes the requests.
        connections: How many keep-alive connections.
        warm: Seconds before counting begins.
        seconds: Length of the window.
        rate: Requests a second over all connections; 0: as fast as they are answered.
        contexts: One TLS context a connection; None: plain HTTP.
    """
    loop = asyncio.get_running_loop()
    outcome = Outcome()
    done = [loop.create_future() for _ in range(connections)]
    gap = connections / rate if rate else 0.0
    senders: list[Sender] = []
    for number in range(connections):
        tls = {"ssl": contexts[number], "server_hostname": "localhost"} if contexts else {}
        _, sender = await loop.create_connection(
            lambda number=number: Sender(number, build, outcome, gap, done[number]), "127.0.0.1", port, **tls
        )
        senders.append(sender)
    begin = time.perf_counter() + warm
    for number, sender in enumerate(senders):
        sender.go(begin, begin + seconds, number / connections)
    await asyncio.gather(*done)
    for sender in senders:
        sender._transport.close()  # noqa: SLF001 - the same module's
    return outcome


def report_size() -> int:
    """Bytes of one report in JSON."""
    text = _REPORT % (1, 1)
    json.loads(text)
    return len(text)
