"""What nodes, collectors below and systems of others tell a collector."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from collector.api import cursor, endpoint
from collector.authority import line
from collector.channels import signing
from collector.channels.calling import Answer
from collector.channels.sms import said
from collector.desk.answers import NoAnswerError, read_answer
from collector.desk.problem import ProblemError
from collector.errors import PermanentError
from collector.ingest import receive, routes
from collector.ingest.answers import RefusedError
from collector.intake import alertmanager, grafana
from collector.stages import bodies
from collector.statement import read_statement
from collector.trust.ca import Authority
from collector.trust.links import LinkError, Links
from collector.trust.tokens import EnrolmentToken, read_token, write_token
from tests.collector.desk.test_answers import READ_RECEIPT, delivery_status, reply
from tests.collector.ingest.tower import batch
from tests.collector.trust.test_ca import request
from tests.fuzz.hostile import Decoder, of_text
from wire import beacon, codec, messages

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
GOLDEN = Path(__file__).parents[1] / "golden"
WIRE = (codec.WireError,)
with tempfile.TemporaryDirectory(prefix="fuzz-") as _home:
    AUTHORITY = Authority.at(Path(_home), "city", NOW)
    LINKS = Links.at(Path(_home))
LINK = LINKS.write("019cac18-4e40-7000-8000-000000000000", NOW).encode()
CSR = request(ec.generate_private_key(ec.SECP256R1()))
TOKEN = write_token(EnrolmentToken(url="https://c:8443", ca=b"DER", secret="s")).encode()
INCIDENT = msgspec.json.encode(
    {
        "key": "files:/var/www", "class": "NAWEBMOD", "severity_hint": "high", "facts": {"x_since": NOW},
        "first_seen": NOW, "last_seen": NOW, "target": "/var/www", "count": 2, "evidence": [{"path": "x"}],
    }
)  # fmt: skip
EXITS = msgspec.json.encode(
    {
        "links": [{"name": "eth0", "kind": "wired", "addresses": [{"address": "10.0.0.7", "prefix": 24}]}],
        "routes": [{"family": 4, "destination": "0.0.0.0/0", "gateway": "10.0.0.1", "interface": "eth0"}],
        "proxies": [{"name": "http", "value": "10.0.0.9:3128"}],
        "mail": [{"host": "mx"}],
        "reached": [{"interface": "eth0", "beacon": "b", "seen_address": "203.0.113.9"}],
    }
)  # fmt: skip
SOCKETS = b'{"connections":[{"local_address":"10.0.0.7","remote_address":"203.0.113.9","remote_port":443}]}'
ASSET = b'{"host_name":"h","listening_services":[{"protocol":"tcp","address":"::","port":22}]}'
FILING = codec.encode(
    messages.Filing(
        version=1, key="k", incident_id="i", unit="u", obligation="r/s", recipient="p", level=None,
        filed_at=NOW, due_at=None, complete=True, incident={"class": "OTH"}, content={"a": 1},
    )
)  # fmt: skip
OUTCOME = codec.encode(messages.Outcome(version=1, order="o", state="done", at=NOW, detail={"size": 3}))
NOTICE = codec.encode(
    messages.DrillNotice(
        version=1, id="d", unit="u", name="演练", name_en="drill", form="live", starts_at=NOW, ends_at=NOW
    )
)
ENROLMENT = codec.encode(messages.EnrolmentRequest(version=1, token="t", csr="c", host_name="h"))
BATCH = batch(1, 3)


def _enveloped(encoding: str) -> "tuple[bytes, str]":
    return codec.pack(BATCH + b" " * 2000, zstd=encoding == codec.ZSTD)


def _packed(encoding: str) -> Decoder:
    body, used = _enveloped(encoding)
    assert used == encoding
    return Decoder(
        f"body in {encoding}", "wire/codec.py", lambda data: receive._read(data, encoding), WIRE, (body,)
    )


def _body(kind: messages.ReportKind, sample: bytes) -> Decoder:
    # RecursionError cannot come: the batch around it was decoded, and refused, at the same depth.
    return Decoder(
        f"body: {kind}", "collector/stages/bodies.py",
        lambda data: bodies.decode_body(kind, msgspec.Raw(data)), (ValueError,), (sample,),
    )  # fmt: skip


def _headers(data: bytes) -> dict[str, str]:
    text = data.decode("latin-1")
    return {"webhook-id": text, "webhook-timestamp": text, "webhook-signature": text}


class Move(msgspec.Struct):
    """A body of the API, with a part of any form."""

    reason: str
    more: dict[str, object] = {}


def _statement(data: bytes) -> object:
    return read_statement(msgspec.json.decode(data, type=dict[str, object]))


def _gateway(data: bytes) -> object:
    return said(Answer(status=200, body=data))


def _query(text: str) -> object:
    return routes._wait(text), routes._have(text)


DECODERS = (
    Decoder("batch", "collector/ingest/receive.py", lambda data: receive._read(data, ""), WIRE, (BATCH,)),
    _packed(codec.ZSTD),
    _packed(codec.GZIP),
    Decoder(
        "enrolment request",
        "wire/messages.py",
        codec.Codec(messages.EnrolmentRequest).decode,
        WIRE,
        (ENROLMENT,),
    ),
    Decoder(
        "certificate request",
        "collector/trust/ca.py",
        of_text(lambda text: AUTHORITY.sign_node(text, "n", NOW)),
        (PermanentError,),
        (CSR.encode(),),
        most=8192,
    ),
    Decoder(
        "outcome of an order", "wire/messages.py", codec.Codec(messages.Outcome).decode, WIRE, (OUTCOME,)
    ),
    Decoder(
        "filing of a collector below",
        "wire/messages.py",
        codec.Codec(messages.Filing).decode,
        WIRE,
        (FILING,),
    ),
    Decoder(
        "drill of a collector below",
        "wire/messages.py",
        codec.Codec(messages.DrillNotice).decode,
        WIRE,
        (NOTICE,),
    ),
    Decoder(
        "query of a node",
        "collector/ingest/routes.py",
        of_text(_query),
        (RefusedError, ValueError),
        (b"wait=50&have=ab",),
        (b"a=1&", b"&"),
        8190,
    ),
    _body("incident", INCIDENT),
    _body("exits", EXITS),
    _body("sockets", SOCKETS),
    _body("asset", ASSET),
    _body("heartbeat", b'{"version":"1","exit_days":[{"unit":"u"}]}'),
    Decoder(
        "statement of a filing",
        "collector/statement.py",
        _statement,
        (ValueError, RecursionError),
        (b'{"unit":"u","items":[]}',),
    ),
    Decoder(
        "Alertmanager",
        "collector/intake/alertmanager.py",
        alertmanager.read,
        (),
        ((GOLDEN / "intake/alertmanager.json").read_bytes(),),
    ),
    Decoder(
        "Grafana",
        "collector/intake/grafana.py",
        grafana.read,
        (),
        ((GOLDEN / "intake/grafana.json").read_bytes(),),
    ),
    Decoder(
        "answer to a mailed report",
        "collector/desk/answers.py",
        read_answer,
        (NoAnswerError,),
        (delivery_status("failed"), reply(), READ_RECEIPT),
        (
            b"\n--b\n",
            b"a: b\n",
            b"Content-Type: multipart/mixed; boundary=b\n",
            b"=?utf-8?B?",
            b"<a@b>",
            b'"',
            b"(",
        ),
    ),
    Decoder(
        "answer of an SMS gateway", "collector/channels/sms.py", _gateway, (ValueError,), (b'{"code":"0"}',)
    ),
    Decoder(
        "answer of the collector above",
        "collector/authority/line.py",
        of_text(line.asked),
        (),
        (b"120", b""),
        most=8190,
    ),
    Decoder(
        "question to a beacon",
        "wire/beacon.py",
        beacon.asked,
        (beacon.BeaconError,),
        (beacon.question("0" * 32),),
        most=beacon.MAX_BYTES,
    ),
    Decoder(
        "enrolment token",
        "collector/trust/tokens.py",
        of_text(read_token),
        (PermanentError,),
        (TOKEN,),
        (b"fs1.",),
    ),
    Decoder(
        "link in a notice",
        "collector/trust/links.py",
        of_text(lambda text: LINKS.read(text, NOW)),
        (LinkError,),
        (LINK,),
        most=8190,
    ),
    Decoder(
        "body of a request to the API",
        "collector/api/endpoint.py",
        lambda data: endpoint.decoded(data, Move),
        (ProblemError,),
        (b'{"reason":"x"}',),
    ),
    Decoder(
        "signature of a webhook",
        "collector/channels/signing.py",
        lambda data: signing.verify(b"k" * 32, _headers(data), data, NOW),
        (),
        (b"1772424000", b"x"),
        most=8190,
    ),
    Decoder(
        "cursor of a list",
        "collector/api/cursor.py",
        of_text(lambda text: cursor.place(text, [str, str])),
        (ProblemError,),
        (cursor.mark(["node-1", "eth0"]).encode(),),
        most=8190,
    ),
)
