"""When the certificates of this node's services end: files, and what a local TLS port shows.

A certificate that ends in a fortnight is a hidden danger; one that has ended makes the portal unreachable
for whoever heeds the warning. A service that shows an older certificate than the file on its disk holds was
not told to read it again, which is why both are looked at.
"""

import socket
import ssl
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Meta, Struct

from ...bounded import Seconds
from ...budget import Budget
from ...keeping import open_regular
from ..port import moment
from ..ranges import INTERNAL
from ..rounds.matters import Finding
from ..rounds.patrol import NoNotes, Patrol, Round
from . import probes

CLASS = "SHECONFIG"
_MAX_BYTES = 1 << 20
_MAX_FILES = 200
_SECONDS = 5.0
_Target = Annotated[str, Meta(pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\[\]]+):[0-9]{1,5}$")]


class CertificatesSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the certificates source; without files and ports it does not run.

    Fields:
        files: Patterns of PEM files; the first certificate of a file counts.
        ports: TLS services of this node or inside, as `HOST:PORT`.
        warn_days, urgent_days: Before the end, when it is told and when it is graver.
    """

    files: tuple[Annotated[str, Meta(pattern="^/")], ...] = ()
    ports: tuple[_Target, ...] = ()
    warn_days: Annotated[float, Meta(gt=0)] = 30.0
    urgent_days: Annotated[float, Meta(gt=0)] = 7.0
    poll: Seconds = 3600.0
    budget: Budget = Budget(stuck_after=300.0)


class Certificates(Patrol[NoNotes]):
    """The certificates source."""

    name = "certificates"

    def __init__(
        self,
        settings: CertificatesSettings | None = None,
        *,
        internal_ranges: tuple[str, ...] = INTERNAL,
        state: Path | None,
    ) -> None:
        self._settings = settings or CertificatesSettings()
        self._internal = internal_ranges
        super().__init__(poll=self._settings.poll, budget=self._settings.budget, state=state)

    def look(self, now: datetime, notes: NoNotes, *, alone: bool) -> Round:  # noqa: ARG002 - no memory
        """Look at every certificate."""
        findings: list[Finding] = []
        unreadable: list[tuple[str, str]] = []
        files = [str(path) for pattern in self._settings.files for path in _matching(pattern)]
        for place in [*files, *self._settings.ports]:
            try:
                certificate = of_file(Path(place)) if place in files else self._shown(place)
            except (OSError, ValueError) as error:
                unreadable.append((place, str(error)[:300]))
                continue
            if finding := self._judge(place, certificate, now):
                findings.append(finding)
        unreadable += [(pattern, "no such file") for pattern in self._settings.files if not _any(pattern)]
        blind = tuple(f"certificates:{place}" for place, _ in unreadable)
        return Round(findings=tuple(findings), unreadable=tuple(unreadable), blind=blind)

    def _shown(self, target: str) -> x509.Certificate:
        """Return the certificate a TLS service shows; whom it convinces is not asked here."""
        host, _, port = target.rpartition(":")
        host = host.strip("[]")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        _, address = probes.resolve(host, int(port), self._internal)
        with (
            closing(socket.create_connection((address, int(port)), _SECONDS)) as raw,
            context.wrap_socket(raw, server_hostname=host) as connection,
        ):
            shown = connection.getpeercert(binary_form=True)
        if not shown:
            raise ValueError("the service shows no certificate")
        return x509.load_der_x509_certificate(shown)

    def _judge(self, place: str, certificate: x509.Certificate, now: datetime) -> Finding | None:
        left = certificate.not_valid_after_utc - now
        if left > timedelta(days=self._settings.warn_days) and certificate.not_valid_before_utc <= now:
            return None
        severity: Literal["low", "medium", "high"] = "low"
        if left <= timedelta(days=self._settings.urgent_days):
            severity = "medium"
        if left <= timedelta() or certificate.not_valid_before_utc > now:
            severity = "high"
        return Finding(
            key=f"certificates:{place}",
            klass=CLASS,
            severity_hint=severity,
            target=place,
            evidence=[_facts(place, certificate, now)],
        )


def _facts(place: str, certificate: x509.Certificate, now: datetime) -> dict[str, Any]:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    state = "not_yet_valid" if begins > now else "expired" if ends <= now else "expires_soon"
    return {
        "fault": state,
        "path": place,
        "subject": certificate.subject.rfc4514_string()[:300],
        "issuer": certificate.issuer.rfc4514_string()[:300],
        "not_before": moment(begins),
        "not_after": moment(ends),
        "sha256": certificate.fingerprint(SHA256()).hex(),
    }


def of_file(path: Path) -> x509.Certificate:
    """Return the first certificate of a PEM file.

    Raises:
        OSError: it can't be read.
        ValueError: it holds none.
    """
    # A pipe among the files is no reason to wait for a writer, and to be blind to all others meanwhile.
    with open_regular(path) as file:
        data = file.read(_MAX_BYTES)
    begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
    start = data.find(begin)
    stop = data.find(end, start)
    if start < 0 or stop < 0:
        raise ValueError("no PEM certificate in it")
    return x509.load_pem_x509_certificate(data[start : stop + len(end)] + b"\n")


def _matching(pattern: str) -> list[Path]:
    return sorted(Path("/").glob(pattern.lstrip("/")))[:_MAX_FILES]


def _any(pattern: str) -> bool:
    return next(Path("/").glob(pattern.lstrip("/")), None) is not None
