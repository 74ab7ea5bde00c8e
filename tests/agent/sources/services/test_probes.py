import socket
import ssl
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from agent.sources.services import probes

INSIDE = ("10.0.0.0/8", "fc00::/7")


class Portal(BaseHTTPRequestHandler):
    """A page by its path: what the portal serves, and how it fails."""

    def do_GET(self) -> None:
        if self.path == "/broken":
            self.send_error(502)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"<h1>{self.headers['Host']} 政务服务</h1>".encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def portal() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


def nobody() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_page_that_is_served_is_well(portal: int) -> None:
    page = f"http://127.0.0.1:{portal}/"

    assert probes.url(page, 5, INSIDE) == ""
    assert probes.url(page, 5, INSIDE, host="www.example.gov.cn", contains="www.example.gov.cn 政务") == ""


def test_a_page_that_is_not_served_is_told_with_its_reason(portal: int, silent: int) -> None:
    assert probes.url(f"http://127.0.0.1:{portal}/broken", 5, INSIDE) == "status 502"
    assert "does not hold '政务公开'" in probes.url(
        f"http://127.0.0.1:{portal}/", 5, INSIDE, contains="政务公开"
    )
    assert probes.url(f"http://127.0.0.1:{nobody()}/", 5, INSIDE) == "Connection refused"
    assert probes.url(f"http://127.0.0.1:{silent}/", 0.1, INSIDE) == "no answer in time"
    assert probes.url(f"https://127.0.0.1:{portal}/", 5, INSIDE)


def test_a_page_over_tls_is_asked_without_judging_its_certificate(
    certificate: Callable[..., Path],
) -> None:
    server = HTTPServer(("127.0.0.1", 0), Portal)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(days=1))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    assert probes.url(f"https://127.0.0.1:{server.server_port}/", 5, INSIDE, contains="政务服务") == ""
    server.shutdown()
    server.server_close()


def test_a_port_is_well_when_somebody_listens(silent: int) -> None:
    assert probes.port(f"127.0.0.1:{silent}", 5, INSIDE) == ""
    assert probes.port(f"127.0.0.1:{nobody()}", 5, INSIDE) == "Connection refused"


@pytest.mark.parametrize("target", ["203.0.113.9:443", "[2001:db8::1]:443"])
def test_an_address_outside_is_never_asked(target: str) -> None:
    with pytest.raises(probes.OutsideError, match="not asked"):
        probes.port(target, 5, INSIDE)
    with pytest.raises(probes.OutsideError, match="not asked"):
        probes.url(f"https://{target}/", 5, INSIDE)


def test_a_page_that_trickles_for_ever_is_no_answer() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def trickle() -> None:
            connection, _ = server.accept()
            with closing(connection):
                connection.recv(4096)
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
                try:
                    while True:
                        connection.sendall(b"x")
                except OSError:
                    return

        threading.Thread(target=trickle, daemon=True).start()
        page = f"http://127.0.0.1:{server.getsockname()[1]}/"

        assert probes.url(page, 0.2, INSIDE, contains="never") in {
            "the page did not come whole in time",
            "the page does not hold 'never'",
        }


def systemctl(folder: Path, lines: str, status: int = 0) -> tuple[str]:
    """A systemctl that answers as the real one does (systemctl(1), `show`)."""
    path = folder / "systemctl"
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{lines}\nEND\nexit {status}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return (str(path),)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("LoadState=loaded\nActiveState=active\nSubState=running", ""),
        ("LoadState=loaded\nActiveState=failed\nSubState=failed", "failed (failed)"),
        ("LoadState=loaded\nActiveState=inactive\nSubState=dead", "inactive (dead)"),
        ("LoadState=not-found\nActiveState=inactive\nSubState=dead", "there is no such unit"),
    ],
)
def test_a_unit_is_what_systemctl_says(tmp_path: Path, lines: str, why: str) -> None:
    assert probes.unit("nginx.service", systemctl(tmp_path, lines), 5) == why


def test_of_a_unit_nobody_answers_for_nothing_is_known(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="ended with status 1"):
        probes.unit("nginx.service", systemctl(tmp_path, "", 1), 5)
    with pytest.raises(FileNotFoundError):
        probes.unit("nginx.service", (str(tmp_path / "nowhere"),), 5)
    (tmp_path / "systemctl").write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(OSError, match="did not answer"):
        probes.unit("nginx.service", (str(tmp_path / "systemctl"),), 0.1)
