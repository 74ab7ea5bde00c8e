"""Lines of Zeek's logs as JSON: notices, the capture's losses, and connections that nobody answered.

Which log a line belongs to stands in `_path` where the site writes it, else in the file's name
(`conn.log`, `conn.10:00:00-11:00:00.log`), else it shows by its fields.

>>> row = b'{"ts":1772413800.5,"note":"SSH::Password_Guessing","src":"203.0.113.9"}'
>>> seen = ZeekReader().read(row, "notice.log")
>>> seen.finding.incident_class, seen.finding.source_address
('NACRED', '203.0.113.9')
"""

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from wire.codec import UNREADABLE

from ..clock import moment
from .loss import Counted
from .record import Contact, RecordError, Seen, address, bounded, port, when
from .repeats import Finding, Severity

CLASSES: dict[str, tuple[str, Severity]] = {
    "scan::": ("NASCAN", "medium"),
    "ssh::password_guessing": ("NACRED", "medium"),
    "ssh::login_by_password_guesser": ("NACRED", "high"),
    "ssh::": ("ABACCESS", "low"),
    "ftp::bruteforcing": ("NACRED", "medium"),
    "ftp::": ("ABACCESS", "low"),
    "http::sql_injection": ("NAEXPLOIT", "medium"),
    "http::": ("NAOTH", "low"),
    "heartbleed::": ("NAEXPLOIT", "high"),
    "software::vulnerable": ("SHEVULN", "low"),
    "ssl::": ("SHECONFIG", "low"),
    "ssl::heartbeat": ("NAEXPLOIT", "high"),
    "intel::": ("NAOTH", "high"),
    "teamcymrumalwarehashregistry::": ("MPOTH", "high"),
    "signatures::": ("NAOTH", "medium"),
    "dns::external_name": ("ABTRAFFIC", "low"),
    "smtp::": ("ICSPAM", "low"),
    "traceroute::": ("NASCAN", "low"),
    "weird::": ("ABTRAFFIC", "low"),
    "packetfilter::dropped_packets": ("DETECH", "medium"),
    "captureloss::": ("DETECH", "medium"),
}
"""Beginnings of notice types, in small letters, to subclasses of GB/T 20986; the longest that fits counts."""
_OTHER: tuple[str, Severity] = ("NAOTH", "low")
# Zeek's states of a connection whose first packet met no answer, or a refusal.
_SILENT = frozenset({"S0", "REJ"})
_WORKED = frozenset({"SF", "S1", "S2", "S3", "RSTO", "RSTR"})


class _Row(Struct, frozen=True):
    """The fields of all the logs we read; what a log lacks has its default."""

    ts: float | str
    path: str = msgspec.field(name="_path", default="")
    note: str = ""
    msg: str = ""
    sub: str = ""
    src: str = ""
    dst: str = ""
    p: int = 0
    n: int = 0
    origin: str = msgspec.field(name="id.orig_h", default="")
    responder: str = msgspec.field(name="id.resp_h", default="")
    responder_port: int = msgspec.field(name="id.resp_p", default=0)
    proto: str = ""
    conn_state: str = ""
    peer: str = ""
    gaps: int | None = None
    acks: int | None = None
    percent_lost: float | None = None
    pkts_proc: int | None = None
    pkts_dropped: int | None = None
    ts_delta: float = 0.0


_decode = msgspec.json.Decoder(_Row).decode


class ZeekReader:
    """Reads lines one after the other; it adds up what Zeek counts by interval."""

    sensor = "zeek"

    def __init__(self) -> None:
        self._sums: dict[str, tuple[int, int]] = {}

    def read(self, line: bytes, log: str = "") -> Seen:
        """Return what a line of the log `log` (a file's name) tells.

        Raises:
            RecordError: no row of a log in JSON.
        """
        if line.startswith(b"#"):
            raise RecordError("Zeek's table format; write JSON: redef LogAscii::use_json = T")
        try:
            row = _decode(line)
        except UNREADABLE as error:
            raise RecordError(f"no row of a Zeek log in JSON: {str(error)[:200]}") from None
        at = when(row.ts)
        kind = row.path or _kind(log, row)
        if kind == "notice" and row.note:
            return Seen(at, finding=_notice(row))
        if kind == "capture_loss" and row.acks is not None and row.gaps is not None:
            reader = f"capture_loss {row.peer[:40]}"
            return Seen(at, counted=self._counted(reader, row, row.acks - row.gaps, row.gaps), reader=reader)
        if kind == "stats" and row.pkts_proc is not None and row.pkts_dropped is not None:
            reader = f"stats {row.peer[:40]}"
            return Seen(
                at, counted=self._counted(reader, row, row.pkts_proc, row.pkts_dropped), reader=reader
            )
        if kind == "conn":
            return Seen(at, contact=_contact(row))
        return Seen(at)

    def _counted(self, reader: str, row: _Row, seen: int, lost: int) -> Counted:
        """Return sums that grow, as the meter wants them; Zeek writes what came in each interval."""
        before = self._sums.get(reader, (0, 0))
        if len(self._sums) >= 64 and reader not in self._sums:
            self._sums.clear()
        begun = None if reader in self._sums else _begun(row)
        self._sums[reader] = before[0] + max(0, seen), before[1] + max(0, lost)
        return Counted(when(row.ts), *self._sums[reader], begun)


def _begun(row: _Row) -> datetime:
    """Return when the interval began that a row counts."""
    at = when(row.ts)
    try:
        return at - timedelta(seconds=max(0.0, row.ts_delta))
    except OverflowError:
        return at


def _kind(log: str, row: _Row) -> str:
    stem = log.rsplit("/", 1)[-1].split(".", 1)[0]
    if stem in {"notice", "conn", "capture_loss", "stats"}:
        return stem
    if row.note:
        return "notice"
    if row.percent_lost is not None:
        return "capture_loss"
    return "conn" if row.conn_state else ""


def _notice(row: _Row) -> Finding:
    note = row.note.lower()
    fitting = [start for start in CLASSES if note.startswith(start)]
    incident_class, severity = CLASSES[max(fitting, key=len)] if fitting else _OTHER
    source, target = address(row.src or row.origin), address(row.dst or row.responder)
    at = when(row.ts)
    group = f"zeek:{bounded(row.note, 80)}"
    return Finding(
        key=f"{group}:{source or '-'}",
        group=group,
        incident_class=incident_class,
        severity=severity,
        at=at,
        source_address=source,
        target_address=target,
        target=bounded(row.note),
        times=1,
        item={
            "at": moment(at),
            "note": bounded(row.note),
            "message": bounded(row.msg),
            "more": bounded(row.sub),
            "source_address": source,
            "target_address": target,
            "target_port": port(row.p or row.responder_port),
        },
    )


def _contact(row: _Row) -> Contact | None:
    source, target, door = address(row.origin), address(row.responder), port(row.responder_port)
    if row.proto != "tcp" or not (source and target and door) or row.conn_state not in _SILENT | _WORKED:
        return None
    return Contact(source, target, door, row.conn_state in _WORKED)
