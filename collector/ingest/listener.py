"""The agents' listener: TLS 1.3, HTTP/1.1, and the way from a connection to a route.

    TCP -> TLS (a certificate of another authority ends here)
        -> path and method -> identity -> standing (revoked, unknown: 403)
        -> length (411, 413) -> budget (429, 503) -> body -> route -> answer or problem

Whatever arrives, the answer is never a 500 for what the sender did wrong, and every refusal is counted by
its reason (`connection.py` has the HTTP of it).
"""

import asyncio
import resource
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError

from wire.codec import WireError

from ..errors import RetryableError
from ..eventlog.port import StorageFullError
from ..store.nodes import Standing
from ..trust.ca import NODE_URN
from .answers import RefusedError, Reply, problem
from .connection import Connection, Head
from .links import Links, keep_asking
from .routes import Call, Route
from .standings import Standings
from .tally import Tally

BODY_SECONDS = 30.0
HANDSHAKE_SECONDS = 20.0
MAX_CONNECTIONS = 50_000
_BUSY_RETRY = 2
_FULL_RETRY = 30
_BACKLOG = 4096
_OTHER_FILES = 256
_SECOND = timedelta(seconds=1)

Clock = Callable[[], datetime]
Identify = Callable[[asyncio.BaseTransport], str]


def server_context(certificate_file: str, key_file: str, trusted: str) -> ssl.SSLContext:
    """Return a TLS 1.3 context that asks for a client certificate of the trusted authorities.

    A certificate is asked for, not demanded: enrolment has none yet. One of another authority, or out of its
    time, ends the handshake.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate_file, key_file)
    context.load_verify_locations(cadata=trusted)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.num_tickets = 0  # agents keep their connection; tickets only make the handshake dearer
    return context


def certified_node(transport: asyncio.BaseTransport) -> str:
    """Return the node id of the verified certificate, empty where none was shown or it names no node."""
    certificate: Mapping[str, Any] = transport.get_extra_info("peercert") or {}
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "URI"]
    common = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return common[0] if len(common) == 1 and names == [NODE_URN + common[0]] else ""


class Listener:
    """Serves the routes; made once, started and stopped once."""

    def __init__(
        self,
        routes: Mapping[str, Route],
        standings: Standings,
        tally: Tally,
        clock: Clock,
        identify: Identify = certified_node,
    ) -> None:
        self.tally = tally
        self.links = Links()
        self._identify = identify
        self._routes = routes
        self._standings = standings
        self._clock = clock
        self._most = MAX_CONNECTIONS
        self._date = ""
        self._date_until = datetime.min.replace(tzinfo=UTC)
        self._server: asyncio.Server | None = None
        self._web: web.Server | None = None

    async def start(self, host: str, port: int, context: ssl.SSLContext | None) -> int:
        """Begin to listen and return the port (of use where 0 was asked for).

        Args:
            host: Address to listen on.
            port: TCP port.
            context: See `server_context`; None only where a benchmark measures the cost of TLS.
        """
        loop = asyncio.get_running_loop()
        self._most = _allow_connections()
        # aiohttp's server only keeps the list of connections here; requests never reach its handler.
        self._web = server = web.Server(_unreachable, handler_cancellation=True)
        self._server = await loop.create_server(
            lambda: Connection(self, server, loop),
            host,
            port,
            ssl=context,
            backlog=_BACKLOG,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if context else None,
        )
        for listening in self._server.sockets:
            keep_asking(listening)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self, grace: float) -> None:
        """Take no more connections, let what is in work end within `grace` seconds, then cut."""
        if self._server is None or self._web is None:
            return
        self._server.close()
        self._web.pre_shutdown()
        await self._web.shutdown(grace)
        await self._server.wait_closed()
        self._server = self._web = None

    def date(self) -> str:
        """See `Door.date`; made anew once a second."""
        now = self._clock()
        if now >= self._date_until:
            self._date_until = now.replace(microsecond=0) + _SECOND
            self._date = format_datetime(now, usegmt=True)
        return self._date

    def opened(self, transport: asyncio.BaseTransport) -> str | None:
        """See `Door.opened`."""
        self.tally.connections += 1
        if self.tally.connections > self._most:
            self.tally.refused["connections"] += 1
            return None
        node = self._identify(transport)
        self.links.opened(node, transport)
        return node

    def closed(self, node: str, transport: asyncio.BaseTransport, *, by_peer: bool) -> None:
        """See `Door.closed`."""
        self.tally.connections -= 1
        self.links.closed(node, transport, by_peer=by_peer, at=self._clock())

    async def handle(self, head: Head, proceed: Callable[[], None]) -> Reply:
        """See `Door.handle`."""
        try:
            return await self._serve(head, proceed)
        except RefusedError as error:
            return self.refuse(error.reason, error.status, str(error), error.retry_after)
        except WireError as error:
            return self.refuse(error.reason, error.status, str(error))
        except StorageFullError as error:
            return self.refuse("full", 507, str(error), _FULL_RETRY)
        except RetryableError as error:
            return self.refuse("unavailable", 503, str(error), _BUSY_RETRY)

    def refuse(self, reason: str, status: int, text: str, retry_after: int | None = None) -> Reply:
        """See `Door.refuse`."""
        self.tally.refused[reason] += 1
        return problem(reason, status, text, retry_after)

    async def _serve(self, head: Head, proceed: Callable[[], None]) -> Reply:
        path, _, query = head.target.partition("?")
        route = self._routes.get(path)
        if route is None:
            raise RefusedError("path", 404, f"no route {path[:100]!r} on the agents' listener")
        if head.method != route.method:
            raise RefusedError("method", 405, f"{path} takes {route.method}, not {head.method[:20]}")
        peer = await self._peer(head, route)
        size = _length(head, route.most) if route.method == "POST" else 0
        budget = route.budget if peer or not route.strangers else route.strangers
        with budget.hold(peer.id if peer else head.address, size):
            body = await _body(head, size, proceed)
            encoding = head.headers.get("Content-Encoding", "")
            return await route.serve(Call(peer, body, encoding.lower(), query, self._clock(), head.serial))

    async def _peer(self, head: Head, route: Route) -> Standing | None:
        if head.node:
            peer = await self._standings.active(head.node)
            if not route.strangers:
                self._standings.hold_clone(peer, head.serial)
            return peer
        if route.strangers:
            return None
        raise RefusedError("certificate", 403, "this route needs a node's client certificate; enrol first")


def _allow_connections() -> int:
    """Raise the process's limit of open files to what it may be; return how many may be connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MAX_CONNECTIONS + _OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        files = min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return files - _OTHER_FILES


def _length(head: Head, most: int) -> int:
    given = head.headers.get("Content-Length")
    if given is None:
        raise RefusedError("length", 411, "a body needs a Content-Length")
    size = int(given)
    if size > most:
        raise RefusedError("oversize", 413, f"body has {size} bytes, at most {most} are taken")
    return size


async def _body(head: Head, size: int, proceed: Callable[[], None]) -> bytes:
    if not size:
        return b""
    payload = head.payload
    try:
        body = payload.read_nowait()
        if len(body) == size:
            return body
        if head.headers.get("Expect", "").lower() == "100-continue":
            proceed()
        parts = [body]
        async with asyncio.timeout(BODY_SECONDS):
            while part := await payload.readany():
                parts.append(part)
    except TimeoutError:
        raise RefusedError("slow", 408, f"the body did not come within {BODY_SECONDS:.0f} s") from None
    except (ClientError, HttpProcessingError, web.RequestPayloadError, ConnectionError) as error:
        raise RefusedError("truncated", 400, f"the body broke off: {error}") from None
    return b"".join(parts)


async def _unreachable(request: web.BaseRequest) -> web.StreamResponse:
    raise NotImplementedError(request.path)
