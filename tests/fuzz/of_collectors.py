"""What a collector, a mirror, a beacon or a deputy tells a node: signed or not, believed or not."""

import socket
import tempfile
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import backoff, enrolment, orders, program, transport
from agent.cli.loading import parse
from agent.powers import deputy
from agent.release import bundle
from agent.release.mirror import Mirror, MirrorError
from agent.settings import overlaid
from agent.settings.pushed import PushedError
from agent.signatures import SignatureError, Signatures
from agent.sources.network import reach
from agent.sources.programs.scanner import ScannerError, heard
from agent.texts import SaidError
from agent.transport import Reply
from agent.uplink import uplink
from tests.agent.conftest import Authority
from tests.agent.release.conftest import Signer
from tests.agent.release.conftest import bundle as made_bundle
from tests.fuzz.hostile import Decoder, of_file, of_text
from tests.wire.test_beacon import LINE
from tests.wire.test_program import rule
from wire import beacon, codec, messages, releases
from wire.orders import ParamsError, read_params
from wire.program import Pattern, Program, ProgramError, Text, encode_program, read_program

NOW = datetime.now(UTC)  # noqa: TID251 - certificates of the tests are of now
AUTHORITY = Authority(Path("/nowhere"))
SIGNATURES = Signatures(AUTHORITY.pem().encode())
ORDER = messages.Order(
    id="o1",
    node="node-1",
    kind="block_address",
    params={"address": "203.0.113.9", "seconds": 60},
    issued_at=NOW,
    deadline=NOW + timedelta(hours=1),
)
CONDITIONS = (Text("Image", "ends", ["/nc"]), Pattern("Image", "a+b"))
RULES = tuple(encode_program(Program(made_at=NOW, rules=[rule(when)])) for when in CONDITIONS)
TOKEN = AUTHORITY.token("https://collector:8443").encode()
ACK = codec.encode(messages.Ack(version=1, epoch="e", highest=3, highest_id="r3", received_at=NOW))
REFUSAL = codec.encode(messages.Refusal(version=1, reason="gap", epoch="e", highest=3, highest_id="r3"))
GRANTED = codec.encode(messages.Enrolment(version=1, node="n", unit="u", certificate="c", authorities="a"))
BEACON = Ed25519PrivateKey.generate()
PLACE = reach.BeaconSettings(address="203.0.113.1:1", public_key=BEACON.public_key().public_bytes_raw().hex())
SAW = msgspec.json.encode(beacon.Saw("0" * 32, "203.0.113.200", NOW))
BELIEVED = beacon.encode(beacon.Answer(SAW, BEACON.sign(beacon.signed(SAW))))


class _Nobody:
    """A way that is not asked, an outbox that holds nothing."""

    async def order_ended(self, order: str) -> bool:
        del order
        return False

    async def conclude(self, *_: object) -> bool:
        return True


class _NobodyElse(_Nobody):
    def block(self, *_: object, **__: object) -> None:
        pass

    unblock = isolate = release = refresh = stop = capture = block


def _done(work: Coroutine[Any, Any, object]) -> object:
    """Run what waits for nobody."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waited")


def _orders() -> orders.Orders:
    nobody: Any = _Nobody()
    return orders.Orders(
        nobody,
        nobody,
        {},
        node="node-1",
        signatures=SIGNATURES,
        now=lambda: NOW,
        random=lambda: 0.5,
        language="en",
    )


def _programs() -> program.Programs:
    nobody: Any = _Nobody()
    return program.Programs(
        nobody,
        Path("/nowhere"),
        SIGNATURES,
        now=lambda: NOW,
        use=print,
        refuse=nobody.conclude,
        random=lambda: 0.5,
    )


def _one_order(raw: bytes) -> object:
    """Read and judge it; what nobody foresaw is caught only around this, and counts as a fault here."""
    asked = _orders()
    try:
        return _done(asked._carry_out(asked._job(raw, NOW)))
    except orders._EndedError as end:
        return end.state


def _signed_as(purpose: messages.Purpose, read: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """A collector of ours signed it, whatever it is."""
    return lambda body: read(codec.encode(AUTHORITY.signed_as(purpose, body)))


def _params(data: bytes) -> object:
    return read_params("block_address", msgspec.json.decode(data, type=dict[str, Any]))


def _pushed(data: bytes) -> object:
    return overlaid(parse("", "x"), msgspec.json.decode(data, type=dict[str, Any]))


def _asked(data: bytes) -> object:
    """A line that somebody wrote to the deputy's socket."""
    nobody: Any = _NobodyElse()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data[:4096])
        theirs.shutdown(socket.SHUT_WR)
        return deputy._answered(ours, nobody, deputy._VERBS)


def _unpacked(root: Path) -> object:
    (root / "to").mkdir()
    return bundle.unpack(root / "b.tar", root / "to", 1_000_000)


def _bundle() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return made_bundle(Path(folder), "0.2.0").read_bytes()


def _scanned(data: bytes) -> object:
    return heard(data)


def _retry_after(text: str) -> object:
    return backoff.seconds_asked(text, NOW)


def _mirror() -> dict[str, bytes]:
    """The files of a mirror with one release, by their paths."""
    with tempfile.TemporaryDirectory() as folder:
        signer = Signer(Path(folder))
        signer.offer("0.2.0")
        found = (path for path in signer.folder.rglob("*") if path.is_file())
        return {path.relative_to(signer.folder).as_posix(): path.read_bytes() for path in found}


def _mirrored(name: str) -> Callable[[bytes], object]:
    """A mirror of which one file says something else, and the root that the node was installed with."""

    def read(data: bytes) -> object:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as made:
            folder = Path(made)
            for path, content in (FILES | {name: data}).items():
                (folder / "mirror" / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / "mirror" / path).write_bytes(content)
            root = folder / "mirror" / MIRROR[0]
            return Mirror(str(folder / "mirror"), root, folder / "seen", most=10_000).index()

    return read


def _problem(body: bytes) -> object:
    return uplink._reason(Reply(500, body)), uplink._told(Reply(500, body))


def _identity(root: Path) -> object:
    return enrolment.load_identity(root)


FILES = _mirror()
MIRROR = tuple(f"metadata/{name}.json" for name in ("1.root", "timestamp", "2.snapshot", "2.targets"))
WIRE = (codec.WireError,)
HELD = msgspec.json.encode({"node": "n", "unit": "u", "collector": "https://c"})
DECODERS = (
    Decoder("answer to a batch: taken", "wire/messages.py", codec.Codec(messages.Ack).decode, WIRE, (ACK,)),
    Decoder(
        "answer to a batch: refused",
        "wire/messages.py",
        codec.Codec(messages.Refusal).decode,
        WIRE,
        (REFUSAL,),
    ),
    Decoder(
        "answer to an enrolment",
        "agent/enrolment.py",
        codec.Codec(messages.Enrolment).decode,
        WIRE,
        (GRANTED,),
    ),
    Decoder(
        "enrolment token at the node",
        "agent/enrolment.py",
        of_text(enrolment.read_token),
        (SaidError,),
        (TOKEN,),
        (b"fs1.",),
    ),
    Decoder(
        "identity of a node",
        "agent/enrolment.py",
        of_file("identity/identity.json", _identity),
        (SaidError,),
        (HELD,),
    ),
    Decoder(
        "Retry-After",
        "agent/backoff.py",
        of_text(_retry_after),
        (),
        (b"120", b"Mon, 02 Mar 2026 01:10:30 GMT"),
        (b"1 ", b"("),
        8190,
    ),
    Decoder(
        "Date of an answer",
        "agent/transport.py",
        of_text(transport._date),
        (),
        (b"Mon, 02 Mar 2026 01:10:30 GMT", b"Mon, 02 Mar 99999999999999999999 01:10:30 -0000"),
        (b"1 ", b"("),
        8190,
    ),
    Decoder(
        "problem of a collector",
        "agent/uplink/uplink.py",
        _problem,
        (),
        (b'{"type":"urn:fengsui:problem:rekey","title":"t","detail":"d"}',),
    ),
    Decoder(
        "certificate of a signer",
        "agent/signatures.py",
        of_text(SIGNATURES._certificate),
        (SignatureError,),
        (AUTHORITY.signed(ORDER).certificate.encode(),),
        most=8192,
    ),
    Decoder("order: envelope", "agent/orders.py", _one_order, WIRE, (codec.encode(AUTHORITY.signed(ORDER)),)),
    Decoder(
        "order: signed",
        "agent/orders.py",
        _signed_as("order", _one_order),
        (),
        (codec.encode(ORDER),),
        most=32 * 1024,
    ),
    Decoder(
        "order: parameters",
        "wire/orders.py",
        _params,
        (ParamsError, ValueError, RecursionError),
        (b'{"address":"203.0.113.9","seconds":60}',),
    ),
    Decoder(
        "rule program: envelope",
        "agent/program.py",
        lambda data: _programs()._believed(data, NOW),
        (ProgramError, SignatureError),
        (codec.encode(AUTHORITY.signed_as("program", RULES[0])),),
    ),
    Decoder(
        "rule program: signed",
        "agent/program.py",
        _signed_as("program", lambda data: _programs()._believed(data, None)),
        (ProgramError, SignatureError),
        RULES,
        most=32 * 1024,
    ),
    Decoder(
        "rule program",
        "wire/program.py",
        read_program,
        (ProgramError,),
        RULES,
        (b'{"op":"not","of":', b"(a+", b"a|", b"["),
    ),
    Decoder(
        "settings a collector pushes",
        "agent/settings/pushed.py",
        _pushed,
        (PushedError, ValueError, RecursionError),
        (
            b'{"heartbeat_seconds":10,"collectors":["https://10.0.0.1:8443"]}',
            b'{"internal_ranges":["10.0.0.0/8"]}',
        ),
    ),
    Decoder(
        "answer of a beacon",
        "wire/beacon.py",
        beacon.decode,
        (beacon.BeaconError,),
        (LINE,),
        most=beacon.MAX_BYTES,
    ),
    Decoder(
        "answer of a beacon: believed",
        "agent/sources/network/reach.py",
        lambda data: reach.believed(data, PLACE, "0" * 32),
        (reach.ReachError,),
        (BELIEVED,),
        most=2 * beacon.MAX_BYTES,
    ),
    Decoder(
        "answer of the scanning child",
        "agent/sources/programs/scanner.py",
        _scanned,
        (ScannerError,),
        (b'{"matches":[{"rule":"x"}]}',),
    ),
    Decoder(
        "list of releases",
        "wire/releases.py",
        releases.read_index,
        (ValueError,),
        (b'{"releases":[{"version":"0.2.0","path":"a.tar"}],"withdrawn":["0.1.0"]}',),
    ),
    *(
        Decoder(
            f"{name} of a mirror (TUF)",
            "agent/release/mirror.py",
            _mirrored(name),
            (MirrorError,),
            (FILES[name],),
            most=16 * 1024,
        )
        for name in MIRROR
    ),
    Decoder(
        "bundle of a release",
        "agent/release/bundle.py",
        of_file("b.tar", _unpacked),
        (bundle.BundleError,),
        (_bundle(),),
    ),
    Decoder(
        "what the deputy is asked",
        "agent/powers/deputy.py",
        _asked,
        (),
        (b'{"verb":"block","address":"203.0.113.9","seconds":60}\n',),
        most=4096,
    ),
)
