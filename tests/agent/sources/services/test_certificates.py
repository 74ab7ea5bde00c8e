import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import host_clock
from agent.sources.rounds.matters import Finding
from agent.sources.rounds.patrol import NoNotes
from agent.sources.services.certificates import Certificates, CertificatesSettings, of_file

Made = Callable[..., Path]
NOW = host_clock().now()


def found(**settings: tuple[str, ...]) -> list[Finding]:
    source = Certificates(CertificatesSettings(**settings), state=None)  # type: ignore[arg-type] # texts all
    return list(source.look(NOW, NoNotes(), alone=True).findings)


@pytest.mark.parametrize(
    ("days", "severity", "fault"),
    [(20, "low", "expires_soon"), (3, "medium", "expires_soon"), (-1, "high", "expired")],
)
def test_a_certificate_gets_graver_towards_its_end(
    certificate: Made, days: int, severity: str, fault: str
) -> None:
    path = certificate(days=days)
    (finding,) = found(files=(str(path),))

    assert finding.klass == "SHECONFIG"
    assert finding.key == f"certificates:{path}"
    assert finding.severity_hint == severity
    assert finding.evidence[0]["fault"] == fault
    assert finding.evidence[0]["subject"] == "CN=www.example.gov.cn"


def test_a_certificate_that_holds_for_long_is_no_matter(certificate: Made) -> None:
    assert found(files=(str(certificate(days=90)),)) == []


def test_one_that_is_not_valid_yet_is_as_good_as_ended(certificate: Made) -> None:
    (finding,) = found(files=(str(certificate(days=90, from_days=2)),))

    assert (finding.severity_hint, finding.evidence[0]["fault"]) == ("high", "not_yet_valid")


@pytest.fixture
def served(certificate: Made) -> Iterator[str]:
    """A TLS port that still shows a certificate that ends in two days."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(days=2))
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                with context.wrap_socket(connection, server_side=True) as shown:
                    shown.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


def test_what_a_port_shows_counts_whatever_the_file_holds(served: str) -> None:
    (finding,) = found(ports=(served,))

    assert finding.target == served
    assert finding.severity_hint == "medium"


def test_what_can_not_be_read_is_named_and_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate here")
    settings = CertificatesSettings(
        files=(f"{tmp_path}/empty.pem", f"{tmp_path}/gone/*.pem"), ports=("203.0.113.9:443",)
    )
    look = Certificates(settings, state=None).look(NOW + timedelta(days=1), NoNotes(), alone=True)

    assert [what for what, _ in look.unreadable] == [
        f"{tmp_path}/empty.pem",
        "203.0.113.9:443",
        f"{tmp_path}/gone/*.pem",
    ]
    assert f"certificates:{tmp_path}/empty.pem" in look.blind


@given(st.binary(max_size=300))
def test_any_bytes_are_a_certificate_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.pem"
    path.write_bytes(b"-----BEGIN CERTIFICATE-----" + data + b"-----END CERTIFICATE-----")

    with suppress(ValueError):
        of_file(path)


def test_a_pipe_that_nobody_writes_to_is_named_at_once(tmp_path: Path) -> None:
    """To wait for its writer would leave every other certificate unwatched."""
    os.mkfifo(tmp_path / "pipe.pem")

    with pytest.raises(OSError, match="is no regular file"):
        of_file(tmp_path / "pipe.pem")
