"""Lines of Suricata's EVE log (one JSON object a line): alerts, and the counters that tell of lost packets.

Of a line only the named fields are decoded. Addresses, host names and signatures in it come from the
network, so that every one is bounded; a line that is no EVE event is refused with the reason.

>>> line = b'{"timestamp":"2026-03-02T01:10:00.0+0000","event_type":"alert","src_ip":"203.0.113.9",'
>>> line += b'"alert":{"signature_id":2010935,"category":"Detection of a Network Scan","severity":2}}'
>>> event = EveReader().read(line)
>>> event.finding.key, event.finding.incident_class, event.finding.severity
('suricata:2010935:203.0.113.9', 'NASCAN', 'medium')
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from wire.codec import UNREADABLE

from ..clock import moment
from .loss import Counted
from .record import RecordError, Seen, address, bounded, port, when
from .repeats import Finding, Severity

CLASSES = {
    "not suspicious traffic": "ABOTH",
    "unknown traffic": "ABTRAFFIC",
    "potentially bad traffic": "ABTRAFFIC",
    "generic protocol command decode": "ABTRAFFIC",
    "a non-standard protocol or event": "ABTRAFFIC",
    "misc activity": "ABOTH",
    "misc attack": "NAOTH",
    "attempted information leak": "NASCAN",
    "detection of a network scan": "NASCAN",
    "information leak": "DSDATALEAK",
    "large scale information leak": "DSDATALEAK",
    "potential corporate privacy violation": "ABACCESS",
    "attempted denial of service": "NADOS",
    "denial of service": "NADOS",
    "detection of a denial of service attack": "NADOS",
    "attempted user privilege gain": "NAEXPLOIT",
    "attempted administrator privilege gain": "NAEXPLOIT",
    "unsuccessful user privilege gain": "NAEXPLOIT",
    "web application attack": "NAEXPLOIT",
    "access to a potentially vulnerable web application": "NAEXPLOIT",
    "executable code was detected": "NAEXPLOIT",
    "decode of an rpc query": "NAEXPLOIT",
    "a suspicious string was detected": "NAOTH",
    "a suspicious filename was detected": "NAOTH",
    "successful user privilege gain": "NAHACKED",
    "successful administrator privilege gain": "NAHACKED",
    "a network trojan was detected": "MPTROJ",
    "malware command and control activity detected": "MPTROJ",
    "domain observed used for c2 detected": "MPTROJ",
    "targeted malicious activity was detected": "NAAPT",
    "exploit kit activity detected": "MPWEB",
    "crypto currency mining activity detected": "MPMINER",
    "possibly unwanted program detected": "MPOTH",
    "device retrieving external ip address detected": "ABACCESS",
    "possible social engineering attempted": "NAPHISH",
    "an attempted login using a suspicious username was detected": "NACRED",
    "attempt to login by a default username and password": "NACRED",
    "successful credential theft detected": "NACRED",
}
"""Texts of Suricata's classification file, in small letters, to subclasses of GB/T 20986."""
_OTHER = "NAOTH"
_SEVERITY: dict[int, Severity] = {1: "high", 2: "medium"}


class _Alert(Struct, frozen=True):
    signature_id: int = 0
    gid: int = 1
    signature: str = ""
    category: str = ""
    severity: int = 3
    action: str = ""


class _Capture(Struct, frozen=True):
    kernel_packets: int | None = None
    kernel_drops: int | None = None
    kernel_ifdrops: int = 0


class _Stats(Struct, frozen=True):
    capture: _Capture = _Capture()


class _Event(Struct, frozen=True):
    timestamp: str
    event_type: str
    src_ip: str = ""
    src_port: int = 0
    dest_ip: str = ""
    dest_port: int = 0
    proto: str = ""
    app_proto: str = ""
    in_iface: str = ""
    alert: _Alert | None = None
    stats: _Stats | None = None


_decode = msgspec.json.Decoder(_Event).decode


class EveReader:
    """Reads lines one after the other."""

    sensor = "suricata"

    def read(self, line: bytes, log: str = "") -> Seen:  # noqa: ARG002 - every file holds every event
        """Return what a line tells.

        Raises:
            RecordError: no EVE event.
        """
        try:
            event = _decode(line)
        except UNREADABLE as error:
            raise RecordError(f"no EVE event: {str(error)[:200]}") from None
        at = when(event.timestamp)
        if event.event_type == "alert" and event.alert:
            return Seen(at, finding=_alert(event, event.alert, at))
        if event.event_type == "stats" and event.stats:
            return Seen(at, counted=_counted(event.stats.capture, at))
        return Seen(at)


def _counted(capture: _Capture, at: datetime) -> Counted | None:
    """Return what the capture counts; not every way of capturing does."""
    if capture.kernel_packets is None or capture.kernel_drops is None:
        return None
    lost = capture.kernel_drops + capture.kernel_ifdrops
    # AF_PACKET and pcap count drops within the packets.
    return Counted(at, max(0, capture.kernel_packets - capture.kernel_drops), lost)


def _alert(event: _Event, alert: _Alert, at: datetime) -> Finding:
    source, target = address(event.src_ip), address(event.dest_ip)
    signature = (
        f"suricata:{alert.signature_id}" if alert.gid == 1 else f"suricata:{alert.gid}:{alert.signature_id}"
    )
    item: dict[str, Any] = {
        "at": moment(at),
        "signature": bounded(alert.signature),
        "category": bounded(alert.category),
        "source_address": source,
        "source_port": port(event.src_port),
        "target_address": target,
        "target_port": port(event.dest_port),
        "protocol": bounded(event.app_proto or event.proto, 32),
        "blocked": alert.action == "blocked",
    }
    return Finding(
        key=f"{signature}:{source or '-'}",
        group=signature,
        incident_class=CLASSES.get(alert.category.strip().lower(), _OTHER),
        severity=_SEVERITY.get(alert.severity, "low"),
        at=at,
        source_address=source,
        target_address=target,
        target=bounded(alert.signature),
        item=item,
    )
