"""The two doors of a collector: agents knock at one with a certificate, people and machines at the other."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.codec import encode
from wire.messages import DrillAnswer, DrillNotice, Filing, Outcome, Receipt, Signed
from wire.signed import digest_of

from .. import api, console
from ..authority import hear, receive
from ..desk.application import make_application
from ..desk.world import Desk
from ..duty.presence import OpenIncident
from ..eventlog.port import EventLog
from ..ingest.enrol import Enroller
from ..ingest.links import Link
from ..ingest.listener import Listener, server_context
from ..ingest.orders import OrderDesk
from ..ingest.program import ProgramDesk
from ..ingest.receive import Receiver
from ..ingest.routes import Flows, routes
from ..ingest.standings import Standings
from ..ingest.tally import Tally
from ..settings import Console
from ..stages.clones import cloned
from ..store import nodes, orders
from ..store.engine import Store
from ..store.nodes import Standing
from ..trust.ca import Authority, ServerCertificate
from ..trust.signing import Signer
from .live import Live

GRACE_SECONDS = 2.0
_log = logging.getLogger(__name__)
_CERTIFICATE_SECONDS = 3600.0
Clock = Callable[[], datetime]


class AgentsDoor:
    """The agents' listener with everything behind its routes.

    Attributes:
        tally: What it counts.
        watches: Coroutines that keep it fresh, by name; they run until cancelled.
    """

    def __init__(
        self, store: Store, log: EventLog, live: Live, clock: Clock, *, open_incident: OpenIncident
    ) -> None:
        settings = live.settings()
        self.tally = Tally()
        self._store = store
        self._clock = clock
        self._open_incident = open_incident
        self._authority = Authority.at(settings.state, settings.unit, clock())
        self._certificate = ServerCertificate(settings.state, self._authority, settings.listen.agents.names)
        self._signer = Signer(settings.state, self._authority)
        self._standings = Standings(self._standing, self._revoked, self.tally)
        self._desk = OrderDesk(self._open_orders, self._busy_nodes, store.changed, self.tally)
        self._registry = live.registry
        self._unit = settings.unit
        flows = Flows(
            receiver=Receiver(log, self.tally, authorities=digest_of(self._authority.trusted)),
            enroller=Enroller(store, self._authority, live.registry),
            orders=self._desk,
            program=ProgramDesk(live.rules, self._signer.sign),
            end_order=self._end_order,
            receive_filing=self._receive_filing,
            hear_drill=self._hear_drill,
            forked=self._forked,
        )
        self._listener = Listener(routes(flows), self._standings, self.tally, clock)
        self.watches = {
            "standings": self._standings.keep_fresh,
            "orders": self._desk.watch,
            "certificate": self._keep_certificate,
        }

    def link(self, node: str) -> Link:
        """Return how a node's connections stand."""
        return self._listener.links.of(node)

    async def open(self, host: str, port: int) -> int:
        """Begin to listen; returns the port."""
        self._certificate.ensure(self._clock())
        self._context = server_context(
            str(self._certificate.certificate_file), str(self._certificate.key_file), self._authority.trusted
        )
        return await self._listener.start(host, port, self._context)

    async def close(self) -> None:
        """Take no more connections and let what is in work end; who waits for orders waits in vain."""
        self._desk.dismiss()
        await self._listener.stop(GRACE_SECONDS)

    async def _keep_certificate(self) -> None:
        """Renew the listener's certificate in time; new connections get the new one."""
        while True:
            await asyncio.sleep(_CERTIFICATE_SECONDS)
            try:
                if self._certificate.ensure(self._clock()):
                    self._context.load_cert_chain(
                        self._certificate.certificate_file, self._certificate.key_file
                    )
            except OSError as error:
                # A third of the old one's life is left: a full disk is no reason to end the process.
                _log.warning("the listener's certificate is not renewed yet: %s", error)

    async def _standing(self, node: str) -> Standing | None:
        async with self._store.read() as conn:
            return await nodes.standing(conn, node)

    async def _revoked(self) -> set[str]:
        async with self._store.read() as conn:
            return await nodes.watched_nodes(conn)

    async def _open_orders(self, node: str) -> list[Signed]:
        now = self._clock()
        async with self._store.read() as conn:
            found = await orders.open_orders(conn, node, now)
        return [self._signer.sign(order.id, "order", encode(order), now) for order in found]

    async def _busy_nodes(self) -> set[str]:
        async with self._store.read() as conn:
            return await orders.busy_nodes(conn, self._clock())

    async def _forked(self, peer: Standing, now: datetime) -> None:
        """Take the old key of a cloned node out of use and raise one alert."""

        async def write(conn: AsyncConnection) -> bool:
            row = await nodes.node(conn, peer.id)
            if row is None or not await nodes.mark_cloned(conn, peer.id, now):
                return False
            await self._open_incident(conn, cloned(row, now), now, now)
            return True

        if await self._store.run(write):
            self._standings.forget(peer.id)

    async def _end_order(self, outcome: Outcome, peer: Standing, now: datetime) -> None:
        await self._store.run(lambda conn: orders.end_order(conn, outcome, peer.id, now))

    async def _receive_filing(self, peer: Standing, filing: Filing, body: bytes, now: datetime) -> Receipt:
        return await self._store.run(
            lambda conn: receive(
                conn,
                peer,
                filing,
                body,
                registry=self._registry(),
                issuer=self._unit,
                now=now,
                open_incident=self._open_incident,
            )
        )

    async def _hear_drill(self, peer: Standing, notice: DrillNotice, now: datetime) -> DrillAnswer:
        return await self._store.run(
            lambda conn: hear(conn, peer, notice, registry=self._registry(), now=now)
        )


class DeskDoor:
    """Console and API in one HTTP application."""

    def __init__(self, desk: Desk) -> None:
        self._application = make_application(desk, (api.room(desk), console.room(desk)))
        self._runner = web.AppRunner(self._application, access_log=None, shutdown_timeout=GRACE_SECONDS)

    async def open(self, where: Console) -> int:
        """Begin to listen; returns the port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, where.host, where.port).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()
