"""The far side of the agent's network: a TLS server that judges batches by `wire.session` and keeps them."""

import asyncio
import ctypes
import os
import ssl
import subprocess
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent.clock import Clock, host_clock
from agent.enrolment import Host, Identity, enrol
from wire import codec, messages
from wire.session import Held, Refuse, Slice, Take, receive
from wire.signed import SIGNER, statement

CLONE_NEWNET = 0x40000000
Behave = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


class Authority:
    """A certificate authority of one test."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._build(self.name, self.key.public_key(), authority=True)
        self._signer: tuple[ec.EllipticCurvePrivateKey, str] | None = None

    def _build(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *,
        authority: bool,
        days: int = 90,
        ago: timedelta = timedelta(hours=1),
        names: list[x509.GeneralName] | None = None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)  # noqa: TID251 - certificates are judged by the real clock
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - ago)
            .not_valid_after(now - ago + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName(
                    names or [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
                ),
                critical=False,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if authority:
            nothing = dict.fromkeys(
                ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
            )
            usage = x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
                **nothing,
            )
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self.key, hashes.SHA256())

    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def sign(self, csr: str, node: str) -> str:
        request = x509.load_pem_x509_csr(csr.encode())
        assert request.is_signature_valid
        key = request.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, node)])
        return self._build(subject, key, authority=False).public_bytes(serialization.Encoding.PEM).decode()

    def server(self, *, ago: timedelta = timedelta(hours=1), days: int = 90) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "collector")])
        certificate = self._build(subject, key.public_key(), authority=False, ago=ago, days=days)
        file = self.folder / "server.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(file)
        context.load_verify_locations(cadata=self.pem())
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def signer(self, name: str = SIGNER) -> tuple[ec.EllipticCurvePrivateKey, str]:
        """A key that signs orders, and its certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
        names = [x509.UniformResourceIdentifier(name)]
        certificate = self._build(subject, key.public_key(), authority=False, names=names)
        return key, certificate.public_bytes(serialization.Encoding.PEM).decode()

    def signed(self, order: messages.Order) -> messages.Signed:
        """The order as a collector signs it."""
        return self.signed_as("order", codec.encode(order), order.id)

    def signed_as(
        self, purpose: messages.Purpose, body: bytes, identifier: str = "signed-1"
    ) -> messages.Signed:
        """Any bytes as a collector signs them."""
        if self._signer is None:
            self._signer = self.signer()
        key, certificate = self._signer
        return messages.Signed(
            id=identifier,
            purpose=purpose,
            body=body,
            certificate=certificate,
            signature=key.sign(statement(purpose, body), ec.ECDSA(hashes.SHA256())),
        )

    def token(self, url: str, word: str = "first", made: datetime | None = None) -> str:
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        at = made or datetime.now(UTC)  # noqa: TID251 - certificates are judged by the real clock
        said = {"url": url, "ca": b64encode(der).decode(), "secret": word, "made": int(at.timestamp())}
        plain = msgspec.json.encode(said)
        return "fs1." + urlsafe_b64encode(plain).decode().rstrip("=")


class FarSide:
    """A collector's listener as far as an agent can tell; what it committed is in `reports`."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.held: dict[str, Held] = {}
        self.reports: list[messages.Report] = []
        self.orders: list[messages.Signed] = []
        self.outcomes: list[messages.Outcome] = []
        self.requests: list[messages.EnrolmentRequest] = []
        self.behave: dict[str, Behave] = {}
        self.connections: set[int] = set()
        self.encodings: list[str] = []
        self.news = asyncio.Condition()
        self.url = ""
        self.trusted = ""
        self._batches = codec.Codec(messages.Batch)

    async def until(self, holds: Callable[[], bool], seconds: float = 10.0) -> None:
        async with asyncio.timeout(seconds), self.news:
            await self.news.wait_for(holds)

    def kinds(self) -> list[str]:
        return [report.kind for report in self.reports]

    @web.middleware
    async def front(self, request: web.Request, handler: Callable[..., Awaitable[web.Response]]) -> object:
        if request.transport is not None:
            self.connections.add(id(request.transport))
        behave = self.behave.get(request.path)
        answer = await behave(request) if behave else None
        if answer is None:
            answer = await handler(request)
        async with self.news:
            self.news.notify_all()
        return answer

    async def enrol(self, request: web.Request) -> web.Response:
        asked = msgspec.json.decode(await request.read(), type=messages.EnrolmentRequest)
        self.requests.append(asked)
        granted = messages.Enrolment(
            version=1,
            node="node-1",
            unit="district",
            certificate=self.authority.sign(asked.csr, "node-1"),
            authorities=self.authority.pem(),
        )
        return answered(granted)

    async def batches(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        assert request.transport.get_extra_info("peercert"), "no client certificate"
        encoding = request.headers.get("Content-Encoding", "")
        self.encodings.append(encoding)
        batch = self._batches.decode(codec.unpack(await request.read(), encoding))
        step = receive(
            self.held.get(batch.epoch, Held()),
            Slice(batch.after, batch.after_id, [r.seq for r in batch.reports], [r.id for r in batch.reports]),
        )
        if isinstance(step, Refuse):
            return answered(self.refusal(batch.epoch, step), 409)
        if isinstance(step, Take):
            self.held[batch.epoch] = step.held
            self.reports += batch.reports[len(batch.reports) - step.fresh :]
        return answered(
            messages.Ack(
                version=1,
                epoch=batch.epoch,
                highest=step.held.highest,
                highest_id=step.held.highest_id,
                received_at=batch.sent_at,
                authorities=self.trusted,
            )
        )

    def refusal(self, epoch: str, step: Refuse) -> messages.Refusal:
        held = step.held
        return messages.Refusal(
            version=1, reason=step.reason, epoch=epoch, highest=held.highest, highest_id=held.highest_id
        )

    async def poll(self, request: web.Request) -> web.Response:
        wait = float(request.query["wait"])
        open_orders = [
            order for order in self.orders if order.id not in {outcome.order for outcome in self.outcomes}
        ]
        if not open_orders:
            async with self.news:
                try:
                    async with asyncio.timeout(wait):
                        await self.news.wait_for(lambda: bool(self.orders) and not self.outcomes)
                except TimeoutError:
                    return answered(messages.Orders(version=1, orders=[]))
            open_orders = self.orders
        return answered(messages.Orders(version=1, orders=open_orders))

    async def outcome(self, request: web.Request) -> web.Response:
        self.outcomes.append(msgspec.json.decode(await request.read(), type=messages.Outcome))
        return web.Response(status=204)

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self.front], client_max_size=codec.MAX_PACKED + 1)
        application.router.add_post("/v1/enrol", self.enrol)
        application.router.add_post("/v1/batches", self.batches)
        application.router.add_get("/v1/orders", self.poll)
        application.router.add_post("/v1/outcomes", self.outcome)
        return application


def answered(message: object, status: int = 200) -> web.Response:
    return web.Response(body=codec.encode(message), status=status, content_type=codec.JSON)


async def serve(far: FarSide) -> AsyncIterator[FarSide]:
    # The bodies are unpacked by `wire.codec`, as the collector does it.
    runner = web.AppRunner(far.application(), access_log=None, auto_decompress=False, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=far.authority.server())
    await site.start()
    far.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    yield far
    await runner.cleanup()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def far_side(authority: Authority) -> AsyncIterator[FarSide]:
    async for far in serve(FarSide(authority)):
        yield far


@pytest.fixture
def clock() -> Clock:
    return host_clock()


@pytest.fixture
async def identity(far_side: FarSide, tmp_path: Path, clock: Clock) -> Identity:
    """An identity enrolled at the far side."""
    token = far_side.authority.token(far_side.url)
    return await enrol(token, "", tmp_path / "state", Host("host-1"), clock.now)


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture
def own_network() -> Callable[[Callable[[], Coroutine[Any, Any, None]]], None]:
    """Run a coroutine in a thread with a network namespace of its own; what it starts lives there too."""
    if os.geteuid() != 0:
        pytest.skip("needs root")

    def enter(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        failures: list[BaseException] = []

        def inside() -> None:
            try:
                assert ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0
                run("ip", "link", "set", "lo", "up")
                asyncio.run(work())
            except BaseException as error:  # noqa: BLE001 - raised again outside the thread
                failures.append(error)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if failures:
            raise failures[0]

    return enter
