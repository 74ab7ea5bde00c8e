"""A whole agents' listener on loopback: real TLS, real event log, real state database."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import ClientSession, TCPConnector
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Raw, Struct

from collector.eventlog.sqlite import SqliteLog
from collector.ingest.enrol import Enroller
from collector.ingest.listener import Listener, server_context
from collector.ingest.orders import OrderDesk
from collector.ingest.program import ProgramDesk
from collector.ingest.receive import Receiver
from collector.ingest.routes import Flows, routes
from collector.ingest.standings import Standings
from collector.ingest.tally import Tally
from collector.registry import Registry
from collector.store import nodes as rows
from collector.store.engine import Store
from collector.store.nodes import Standing, TokenRow
from collector.trust.ca import Authority, ServerCertificate, key_pem
from collector.trust.signing import Signer
from collector.trust.tokens import EnrolmentToken, digest, new_secret, write_token
from wire.codec import encode
from wire.ids import uuid7
from wire.messages import (
    VERSION,
    Batch,
    DrillAnswer,
    DrillNotice,
    EnrolmentRequest,
    Filing,
    Order,
    Outcome,
    Receipt,
    Report,
    Signed,
)
from wire.signed import digest_of

if TYPE_CHECKING:
    from wire.program import Rule

REGISTRY = """
zones: {internet: {exits: free}}
units:
  city:
    {name: 市, name_en: City, kind: local_government, level: prefecture, region: CN-12, sector: government}
assets:
  portal: {name: 门户, unit: city, role: portal, mlps_grade: 3, zone: internet}
  vault: {name: 密, unit: city, classified: true}
"""


class Identity(Struct, frozen=True):
    """What an enrolled node keeps."""

    node: str
    unit: str
    key: bytes
    certificate: str
    authorities: str

    def context(self, folder: Path) -> ssl.SSLContext:
        return client_context(self.authorities, self.certificate, self.key, folder)


def client_context(trusted: str, certificate: str, key: bytes, folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=trusted)
    if certificate:
        pair = folder / f"{uuid7(datetime(2026, 1, 1, tzinfo=UTC))}.pem"
        pair.write_bytes(certificate.encode() + key)
        context.load_cert_chain(pair)
    return context


def request_certificate() -> tuple[bytes, str]:
    """A new key and a certificate request for it that asks for a name it will not get."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody else")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return key_pem(key), csr.public_bytes(serialization.Encoding.PEM).decode()


class Tower:
    """A collector's listener with all that stands behind it, and a clock that tests move."""

    def __init__(self, folder: Path, store: Store, log: SqliteLog, registry: Registry) -> None:
        self.folder = folder
        self.store = store
        self.log = log
        self.now = datetime.now(UTC)  # noqa: TID251 - certificates are checked against the host's clock
        self.tally = Tally()
        self.orders: list[tuple[str, Order]] = []
        self.outcomes: list[tuple[str, Outcome]] = []
        self.filings: list[bytes] = []
        self.alerts: list[str] = []
        self.rules: Sequence[Rule] = ()
        self.drills: list[tuple[str, DrillNotice]] = []
        self.standings = Standings(self._standing, self._revoked, self.tally)
        self.desk = OrderDesk(self._orders_of, self._ordered, store.changed, self.tally)
        self._registry = registry
        self.port = 0
        self._build()

    def _build(self) -> None:
        self.authority = Authority.at(self.folder, "city", self.now)
        self.signer = Signer(self.folder, self.authority)
        enroller = Enroller(self.store, self.authority, lambda: self._registry)
        flows = Flows(
            receiver=Receiver(self.log, self.tally, authorities=digest_of(self.authority.trusted)),
            enroller=enroller,
            orders=self.desk,
            program=ProgramDesk(lambda: self.rules, self.signer.sign),
            end_order=self._end_order,
            receive_filing=self._receive_filing,
            hear_drill=self._hear_drill,
            forked=self._forked,
        )
        self.listener = Listener(routes(flows), self.standings, self.tally, lambda: self.now)

    async def begin_anew(self) -> None:
        """Stop and start, as a collector does for a step of a rotation."""
        await self.listener.stop(0.2)
        self._build()
        await self.start()

    async def start(self, port: int = 0) -> None:
        certificate = ServerCertificate(self.folder, self.authority, ["localhost", "127.0.0.1"])
        certificate.ensure(self.now)
        files = (str(certificate.certificate_file), str(certificate.key_file))
        self.port = await self.listener.start(
            "127.0.0.1", port, server_context(*files, self.authority.trusted)
        )

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    async def token(
        self, kind: str = "agent", uses: int = 1, life: timedelta = timedelta(hours=1), unit: str = "city"
    ) -> str:
        secret = new_secret()
        row = TokenRow(
            id=uuid7(self.now),
            secret_sha256=digest(secret),
            unit=unit,
            kind=kind,  # type: ignore[arg-type]
            created_at=self.now,
            expires_at=self.now + life,
            uses_left=uses,
        )
        await self.store.run(lambda connection: rows.add_token(connection, row))
        return write_token(EnrolmentToken(url=self.url, ca=self.authority.der, secret=secret))

    @asynccontextmanager
    async def session(self, identity: Identity | None = None) -> AsyncIterator[ClientSession]:
        context = (
            identity.context(self.folder)
            if identity
            else client_context(self.authority.trusted, "", b"", self.folder)
        )
        async with ClientSession(self.url, connector=TCPConnector(ssl=context)) as session:
            yield session

    async def enrol(self, kind: str = "agent") -> Identity:
        key, csr = request_certificate()
        asked = EnrolmentRequest(version=VERSION, token=await self.token(kind), csr=csr, host_name="web-1")
        async with self.session() as session, session.post("/v1/enrol", data=encode(asked)) as answer:
            assert answer.status == 201, await answer.text()
            said = await answer.json()
        return Identity(said["node"], said["unit"], key, said["certificate"], said["authorities"])

    async def _standing(self, node: str) -> Standing | None:
        async with self.store.read() as connection:
            return await rows.standing(connection, node)

    async def _revoked(self) -> set[str]:
        async with self.store.read() as connection:
            return await rows.revoked_nodes(connection)

    async def _orders_of(self, node: str) -> list[Signed]:
        return [
            self.signer.sign(order.id, "order", encode(order), self.now)
            for to, order in self.orders
            if to == node
        ]

    async def _ordered(self) -> set[str]:
        return {to for to, _ in self.orders}

    async def _end_order(self, outcome: Outcome, peer: Standing, now: datetime) -> None:
        assert now == self.now
        self.outcomes.append((peer.id, outcome))

    async def _forked(self, peer: Standing, now: datetime) -> None:
        if await self.store.run(lambda connection: rows.mark_cloned(connection, peer.id, now)):
            self.standings.forget(peer.id)
            self.alerts.append(peer.id)

    async def _receive_filing(self, peer: Standing, filing: Filing, raw: bytes, now: datetime) -> Receipt:
        self.filings.append(raw)
        return Receipt(
            version=VERSION, key=filing.key, number=1, received_at=now, sha256="00", issuer=peer.unit
        )

    async def _hear_drill(self, peer: Standing, notice: DrillNotice, now: datetime) -> DrillAnswer:
        self.drills.append((peer.id, notice))
        return DrillAnswer(version=VERSION, id=notice.id, state="waiting", at=now)


def report(seq: int, tag: str = "r") -> Report:
    return Report(
        id=f"{tag}{seq}",
        seq=seq,
        kind="heartbeat",
        source="heartbeat",
        observed_at=datetime(2026, 3, 2, 4, tzinfo=UTC),
        boot_id="boot",
        monotonic=1.5,
        body=Raw(b"{}"),
    )


def batch(first: int, last: int, tag: str = "r") -> bytes:
    reports = [report(n, tag) for n in range(first, last + 1)]
    after_id = f"{tag}{first - 1}" if first > 1 else ""
    return encode(
        Batch(
            version=VERSION,
            epoch="e",
            after=first - 1,
            after_id=after_id,
            sent_at=datetime(2026, 3, 2, 4, tzinfo=UTC),
            reports=reports,
        )
    )
