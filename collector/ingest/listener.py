"""The agents' listener: TLS 1.3, HTTP/1.1, and the way from a connection to a route.

    TCP -> TLS (a certificate of another authority ends here)
        -> path and method -> identity -> standing (revoked, unknown: 403)
        -> length (411, 413) -> budget (429, 503) -> body -> route -> answer or problem

Whatever arrives, the answer is never a 500 for what the sender did wrong, and every refusal is counted by
its reason. aiohttp's low-level server is used: its application, router and signals cost as much again as
parsing a request.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from wire.codec import MAX_PACKED, WireError

from ..errors import RetryableError
from ..eventlog.port import StorageFullError
from ..store.nodes import Standing
from ..trust.ca import NODE_URN
from .answers import RefusedError, Reply, problem
from .routes import Call, Route
from .standings import Standings
from .tally import Tally

BODY_SECONDS = 30.0
FIRST_REQUEST_SECONDS = 20.0
HANDSHAKE_SECONDS = 20.0
KEEPALIVE_SECONDS = 120.0
MAX_CONNECTIONS = 50_000
_BUSY_RETRY = 2
_FULL_RETRY = 30
_BACKLOG = 4096

Clock = Callable[[], datetime]
Identify = Callable[[asyncio.BaseTransport], str]
_log = logging.getLogger(__name__)


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
        self.identify = identify
        self._routes = routes
        self._standings = standings
        self._clock = clock
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
        self._web = server = web.Server(self.handle, access_log=None)
        self._server = await loop.create_server(
            lambda: _Connection(self, server, loop),
            host,
            port,
            ssl=context,
            backlog=_BACKLOG,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if context else None,
        )
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

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            reply = await self._serve(request)
        except RefusedError as error:
            reply = self.refuse(error.reason, error.status, str(error), error.retry_after)
        except WireError as error:
            reply = self.refuse(error.reason, error.status, str(error))
        except StorageFullError as error:
            reply = self.refuse("full", 507, str(error), _FULL_RETRY)
        except RetryableError as error:
            reply = self.refuse("unavailable", 503, str(error), _BUSY_RETRY)
        return response(reply)

    def refuse(self, reason: str, status: int, text: str, retry_after: int | None = None) -> Reply:
        """Count a refusal and return its problem document."""
        self.tally.refused[reason] += 1
        return problem(reason, status, text, retry_after)

    async def _serve(self, request: web.BaseRequest) -> Reply:
        path, _, query = request.raw_path.partition("?")
        route = self._routes.get(path)
        if route is None:
            raise RefusedError("path", 404, f"no route {path[:100]!r} on the agents' listener")
        if request.method != route.method:
            raise RefusedError("method", 405, f"{path} takes {route.method}, not {request.method[:20]}")
        peer = await self._peer(request, route)
        size = _length(request) if route.method == "POST" else 0
        with route.budget.hold(peer.id if peer else _address(request), size):
            body = await _body(request, size)
            encoding = request.headers.get("Content-Encoding", "")
            return await route.serve(Call(peer, body, encoding.lower(), query, self._clock()))

    async def _peer(self, request: web.BaseRequest, route: Route) -> Standing | None:
        connection = request.protocol
        node = connection.node if isinstance(connection, _Connection) else ""
        if node:
            return await self._standings.active(node)
        if route.open_to_strangers:
            return None
        raise RefusedError("certificate", 403, "this route needs a node's client certificate; enrol first")


class _Connection(RequestHandler):
    """One connection: knows its node, and does not wait for ever for a first request."""

    __slots__ = ("_first", "_listener", "node")

    def __init__(self, listener: Listener, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=KEEPALIVE_SECONDS,
            access_log=None,  # type: ignore[arg-type]  # None is how aiohttp itself switches it off
            auto_decompress=False,
            lingering_time=1.0,
        )
        self._listener = listener
        self._first: asyncio.TimerHandle | None = None
        self.node = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        tally = self._listener.tally
        tally.connections += 1
        super().connection_made(transport)
        self.node = self._listener.identify(transport)
        if tally.connections > MAX_CONNECTIONS:
            tally.refused["connections"] += 1
            self.force_close()
        else:
            self._first = self._loop.call_later(FIRST_REQUEST_SECONDS, self._idle)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._listener.tally.connections -= 1
        if self._first is not None:
            self._first.cancel()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what aiohttp could not parse (4xx), and what is our own fault (500)."""
        if status >= 500:
            _log.error("fault while serving %s", request.raw_path[:100], exc_info=exc)
            reply = self._listener.refuse("fault", 500, "a fault of the collector; it was logged")
        else:
            reply = self._listener.refuse("http", status, f"not HTTP as we speak it: {(message or '')[:200]}")
        answer = response(reply)
        answer.force_close()
        return answer

    def _idle(self) -> None:
        if self._current_request is None and self._request_count == 0:
            self._listener.tally.refused["idle"] += 1
            self.force_close()


def response(reply: Reply) -> web.Response:
    """Return an answer as aiohttp's."""
    headers = {"Content-Type": reply.content_type}
    if reply.retry_after is not None:
        headers["Retry-After"] = str(reply.retry_after)
    return web.Response(status=reply.status, body=reply.body, headers=headers)


def _length(request: web.BaseRequest) -> int:
    given = request.headers.get("Content-Length")
    if given is None:
        raise RefusedError("length", 411, "a body needs a Content-Length")
    size = int(given)
    if size > MAX_PACKED:
        raise RefusedError("oversize", 413, f"body has {size} bytes, at most {MAX_PACKED} are taken")
    return size


async def _body(request: web.BaseRequest, size: int) -> bytes:
    if not size:
        return b""
    content = request.content
    try:
        body = content.read_nowait()
        if len(body) == size:
            return body
        parts = [body]
        async with asyncio.timeout(BODY_SECONDS):
            while part := await content.readany():
                parts.append(part)
    except TimeoutError:
        raise RefusedError("slow", 408, f"the body did not come within {BODY_SECONDS:.0f} s") from None
    except (ClientError, HttpProcessingError, ConnectionError) as error:
        raise RefusedError("truncated", 400, f"the body broke off: {error}") from None
    return b"".join(parts)


def _address(request: web.BaseRequest) -> str:
    transport = request.transport
    peer = transport.get_extra_info("peername") if transport else None
    return str(peer[0]) if peer else ""
