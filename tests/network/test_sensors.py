"""What a host's sensors see stands at the collector: a scan on its wire, alerts in a log, webmail in TLS."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from landscape import STRANGER, Landscape, command, eventually
from test_second_exit import rows

GOLDEN = Path(__file__).parents[1] / "golden/sensors"
pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.xdist_group("sensors")]
SCAN = """
import socket
for port in range(2000, 2060):
    with socket.socket() as knocking:
        knocking.settimeout(0.2)
        knocking.connect_ex(("198.18.0.2", port))
"""
OUTSIDE = "203.0.113.80"
SERVER = f"""
import socket
with socket.create_server(("{OUTSIDE}", 443)) as listening:
    print("ready", flush=True)
    while True:
        with listening.accept()[0] as one:
            one.recv(9000)
"""
CLIENT = f"""
import socket, ssl, sys
for name in sys.argv[1:]:
    with socket.create_connection(("{OUTSIDE}", 443), 10) as plain:
        try:
            ssl.create_default_context().wrap_socket(plain, server_hostname=name)
        except OSError:
            pass
"""


def incidents(landscape: Landscape) -> set[tuple[str, str]]:
    """Class of every incident at the collector, and its English title without asset and host."""
    with closing(sqlite3.connect(f"file:{landscape.database}?mode=ro", uri=True, timeout=5)) as connection:
        found = connection.execute("SELECT class, title_en FROM incidents").fetchall()
    return {(code, title.split(" (")[0]) for code, title in found}


@pytest.fixture(scope="module")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landscape]:
    folder = tmp_path_factory.mktemp("sensors")
    sources = {
        "packets": {"enabled": True, "interface": "eth1"},
        "suricata": {"files": [str(folder / "eve.json")]},
    }
    with Landscape(folder / "landscape", sources) as made:
        capturing = Path(f"/proc/{made.agent_pid}/net/packet")
        eventually(lambda: len(capturing.read_text().splitlines()) > 1, within=30)
        yield made


def test_a_strangers_scan_and_a_sensors_alerts_are_incidents_at_the_collector(landscape: Landscape) -> None:
    eventually((landscape.folder / "agent/suricata.json").exists, within=30)
    command("ip", "netns", "exec", landscape.stranger, sys.executable, "-c", SCAN)
    shutil.copy(GOLDEN / "eve.json", landscape.folder.parent / "eve.json")
    wanted = {
        ("NASCAN", "network scanning: 198.18.0.1"),
        ("NASCAN", "network scanning: TEST scan of SSH"),
        ("MPTROJ", "Trojan horse: TEST beacon"),
        ("DETECH", "technical failure: suricata"),
    }

    eventually(lambda: wanted <= incidents(landscape), within=30, every=0.1)


def webmail(landscape: Landscape) -> list[tuple[object, dict[str, Any]]]:
    query = "SELECT verdict, evidence FROM exits WHERE gone_at IS NULL AND key LIKE 'webmail/%'"
    return [(verdict, json.loads(str(evidence))) for verdict, evidence in rows(landscape, query)]


def test_webmail_that_no_question_shows_is_told_by_the_name_that_a_connection_begins_with(
    landscape: Landscape,
) -> None:
    command("ip", "-n", landscape.stranger, "address", "add", f"{OUTSIDE}/32", "dev", "lo")
    landscape.ip("route", "add", f"{OUTSIDE}/32", "via", STRANGER, "dev", "eth1")
    inside = ["ip", "netns", "exec"]
    words = [*inside, landscape.stranger, sys.executable, "-c", SERVER]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout
            assert server.stdout.readline() == b"ready\n"
            names = ("www.qq.com", "set3.mail.qq.com")
            command(*inside, landscape.host, sys.executable, "-c", CLIENT, *names)
        finally:
            server.kill()
    ((verdict, evidence),) = eventually(lambda: webmail(landscape), within=30, every=0.1)

    assert verdict == "unknown"  # in a zone with a sanctioned exit a letter box alone breaks no rule
    (why,) = evidence["reasons"]
    assert why["code"] == "webmail_greeted"
    assert OUTSIDE in why["en"]
    (seen,) = evidence["seen"]
    assert (seen["name"], seen["how"], seen["remote"]) == ("set3.mail.qq.com", ["tls"], OUTSIDE)
