"""What the network and its sensors say: frames, recordings, names, logs of Suricata and Zeek, answers."""

import io
import struct
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from agent.capture import frames, pcap
from agent.capture.child import Status
from agent.detection import dns, record, tls
from agent.detection.eve import EveReader
from agent.detection.tally import Tally
from agent.detection.webmail import Names, seen
from agent.detection.zeek import ZeekReader
from agent.rules import records
from agent.sources.logs.authlog import AuthReader, LineError
from agent.sources.network import packets
from tests.agent.capture import test_frames, test_pcap, test_sieve
from tests.agent.detection import test_dns, test_tls
from tests.fuzz.hostile import Decoder, of_text

GOLDEN = Path(__file__).parents[1] / "golden"
NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
QUESTION = (b"\x7f\0\0\1", dns.question(7, "set3.mail.qq.com", dns.A))
AUDIT = b'type=EXECVE msg=audit(1772413800.123:77): argc=2 a0="cat" a1=2F6574632F736861646F77'
USER = b"type=USER_CMD msg=audit(1772413800.123:78): pid=7 uid=0 msg='cwd=\"/root\" cmd=6964 res=success'"


def _lines(name: str, *, without: tuple[bytes, ...] = ()) -> tuple[bytes, ...]:
    rows = (GOLDEN / name).read_bytes().splitlines()
    return tuple(row for row in rows if row and not any(one in row for one in without))


def _eve(line: bytes) -> object:
    return EveReader().read(line)


def _zeek(line: bytes) -> object:
    return ZeekReader().read(line, "notice.log"), ZeekReader().read(line, "stats.log")


def _auth(text: str) -> object:
    return AuthReader(ZoneInfo("Asia/Shanghai")).line(text, NOW)


def _entry(line: bytes) -> object:
    return AuthReader().entry(line)


def _recording(data: bytes) -> object:
    return list(pcap.frames(io.BytesIO(data)))


def _frame(data: bytes) -> object:
    tally = Tally()
    for link in frames.KNOWN:
        protocol, begin = frames.network(link, data)
        frames.count(tally, protocol, data[begin:])
    return tally, seen(tally, Names({"qq": ["mail.qq.com"]}))


def _greeting(data: bytes) -> object:
    tally = Tally()
    tally.hello(b"\x7f\0\0\1", b"\x7f\0\0\2", data)
    return tls.server_name(data), seen(tally, Names({"qq": ["mail.qq.com"]}))


def _heard(data: bytes) -> object:
    tally = Tally()
    tally.dns(b"\x7f\0\0\1", data)
    tally.dns_answer((b"\x7f\0\0\1", b"\x7f\0\0\2"), b"\0\x35", data)
    return seen(tally, Names({"qq": ["mail.qq.com"]}))


UDP = test_frames.SYN[:9] + b"\x11" + test_frames.SYN[10:20] + b"\x9c\x40\x00\x35\0\0\0\0" + QUESTION[1]
GREETING = test_sieve.ipv4(6, test_sieve.data_to(443, test_tls.hello()))
ARP = b"\0\x01\x08\0\x06\x04\0\x01" + bytes(20)
CLASSIC = test_pcap.classic(b"one", b"two")
BLOCKS = test_pcap.SECTION + test_pcap.interface(1) + test_pcap.packet(0, 1, b"one")
EVE = _lines("sensors/eve.json", without=(b"cut off", b"["))
RFC_5424 = (
    b'<38>1 2026-03-02T01:10:02Z portal sshd 831 - [a b="c\\"d"][e] '
    b"Failed password for root from 203.0.113.9 port 1 ssh2"
)
JOURNAL = _lines("journal.jsonl", without=(b"no JSON", b"soon"))
STATUS = msgspec.json.encode({"status": Status(cpu_seconds=1.0, packets=2, lost=0, resting=False)})

DECODERS = (
    Decoder(
        "pcap and pcapng",
        "agent/capture/pcap.py",
        _recording,
        (pcap.PcapError,),
        (CLASSIC, BLOCKS),
        (test_pcap.block(5, b""), test_pcap.interface(1), struct.pack("<4I", 0, 0, 0, 0)),
    ),
    Decoder(
        "frames",
        "agent/capture/frames.py",
        _frame,
        (),
        (
            *(bytes(12) + b"\x08\0" + one for one in (test_frames.SYN, UDP, GREETING)),
            bytes(12) + b"\x08\x06" + ARP,
        ),
        (b"\x81\0\0\5",),
    ),
    Decoder(
        "DNS message",
        "agent/detection/dns.py",
        dns.read,
        (dns.DnsError,),
        (test_dns.ANSWER, QUESTION[1]),
        (b"\xc0\x0c", b"\1a", b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4"),
    ),
    Decoder(
        "DNS heard in packets",
        "agent/detection/webmail.py",
        _heard,
        (),
        (test_dns.ANSWER, QUESTION[1]),
        (b"\1a",),
    ),
    Decoder(
        "TLS ClientHello",
        "agent/detection/tls.py",
        _greeting,
        (tls.TlsError, tls.CutError),
        (test_tls.hello(), test_tls.records(test_tls.message(test_tls.named(b"mail.qq.com")), 9)),
        (b"\x16\3\1\0\1\1", b"\x16\3\1\0\1\0", test_tls.extension(0x6A6A, b""), b"\0\0\0\0"),
    ),
    Decoder("EVE line", "agent/detection/eve.py", _eve, (record.RecordError,), EVE, most=record.MAX_RECORD),
    Decoder(
        "Zeek line",
        "agent/detection/zeek.py",
        _zeek,
        (record.RecordError,),
        (*_lines("sensors/conn.log")[:3], *_lines("sensors/notice.log")),
        most=record.MAX_RECORD,
    ),
    Decoder(
        "auth log line",
        "agent/sources/logs/authlog.py",
        of_text(_auth),
        (LineError,),
        (*_lines("auth.log", without=(b"no log line", b"Mar 32")), RFC_5424),
        (
            b"Failed password for ",
            b" from 1.1.1.1 port 1",
            b"message repeated 5 times: [ ",
            b" : ",
            b'[a b="',
        ),
        most=8192,
    ),
    Decoder("journal entry: login", "agent/sources/logs/authlog.py", _entry, (LineError,), JOURNAL),
    Decoder("journal entry: rules", "agent/rules/records.py", records.entry_event, (ValueError,), JOURNAL),
    Decoder(
        "audit record",
        "agent/rules/records.py",
        records.audit_event,
        (),
        (AUDIT, USER),
        (b"a=", b"a='", b'a="'),
    ),
    Decoder(
        "syslog line",
        "agent/rules/records.py",
        records.line_event,
        (),
        (*_lines("auth.log"), RFC_5424),
        (b"Mar  2 ", b"<1>", b'[a b="', b"[a]"),
    ),
    Decoder(
        "what the capture says",
        "agent/sources/network/packets.py",
        packets.heard,
        (packets.ChildError,),
        (STATUS,),
    ),
)
