"""The collector's ingest alone, for the benchmarks: event log, listener and nodes, no reader.

python server.py FOLDER PORT tls|plain [NODES]
"""

import asyncio
import gc
import itertools
import signal
import ssl
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

sys.path.insert(0, str(Path(__file__).parents[1]))

from collector.eventlog.sqlite import SqliteLog
from collector.ingest.listener import Listener, certified_node, server_context
from collector.ingest.orders import OrderDesk
from collector.ingest.program import ProgramDesk
from collector.ingest.receive import Receiver
from collector.ingest.routes import Flows, routes
from collector.ingest.standings import Standings
from collector.ingest.tally import Tally
from collector.store.nodes import Standing
from collector.store.signal import Signal
from collector.tasks import spawn
from collector.trust.ca import Authority, ServerCertificate, key_pem
from wire.messages import Order


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a process of its own


def client_pairs(folder: Path, count: int) -> Iterator[tuple[bytes, str]]:
    """Certificate with key, and what to trust, of as many nodes, signed by the folder's authority."""
    authority = Authority.at(folder, "benchmark", now())
    for number in range(count):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
        csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
        pem = csr.public_bytes(serialization.Encoding.PEM).decode()
        issued = authority.sign_node(pem, f"node-{number}", now())
        yield issued.pem.encode() + key_pem(key), authority.trusted


def client_contexts(folder: Path, count: int) -> list[ssl.SSLContext]:
    """TLS contexts of as many nodes, each with its own key."""
    contexts = []
    file = folder / "client.pem"
    for pair, trusted in client_pairs(folder, count):
        file.write_bytes(pair)
        context = ssl.create_default_context(cadata=trusted)
        context.load_cert_chain(file)
        contexts.append(context)
    return contexts


async def serve(folder: Path, port: int, *, tls: bool) -> None:
    tally = Tally()
    log = await SqliteLog.open(folder / "events.db")

    async def standing(node: str) -> Standing:
        return Standing(node, "unit", "agent", "active")

    async def nobody() -> set[str]:
        return set()

    async def no_orders(_: str) -> list[Order]:
        return []

    async def unused(*_: object) -> None:
        raise NotImplementedError

    desk = OrderDesk(no_orders, nobody, Signal(), tally)
    flows = Flows(
        receiver=Receiver(log, tally),
        enroller=None,
        orders=desk,
        program=ProgramDesk(list, unused),
        end_order=unused,
        receive_filing=unused,
        hear_drill=unused,
        forked=unused,
    )
    numbers = itertools.count()
    identify = certified_node if tls else lambda _: f"node-{next(numbers)}"
    listener = Listener(routes(flows), Standings(standing, nobody, tally), tally, now, identify)
    context = None
    if tls:
        authority = Authority.at(folder, "benchmark", now())
        certificate = ServerCertificate(folder, authority, ["localhost", "127.0.0.1"])
        certificate.ensure(now())
        files = (str(certificate.certificate_file), str(certificate.key_file))
        context = server_context(*files, authority.trusted)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    watch = spawn("orders", desk.watch(), lambda *_: ended.set())
    await listener.start("127.0.0.1", port, context)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    await ended.wait()
    watch.cancel()
    await listener.stop(1.0)
    await log.close()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2]), tls=sys.argv[3] == "tls"))
