"""The opt-in check in a running agent: what a beacon saw becomes the collector's verdict and its evidence."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from landscape import BIN, STRANGER, Landscape, command, eventually
from test_second_exit import rows, verdict_of

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(120)]
BEACON, PORT, SEEN = "203.0.113.80", 8081, "203.0.113.9"
# As a provider would: who comes from the host is seen under another address.
TRANSLATES = f"""
table ip n {{
  chain c {{ type nat hook input priority 100; tcp dport {PORT} snat to {SEEN}; }}
}}
"""
# A firewall on the host, for which the kernel tracks connections and tells of each new one.
TRACKS = "table ip t { chain c { type filter hook output priority 0; ct state new counter; }; }"
# A letter box outside, which keeps every connection.
SERVER = f"""
import signal, socket
s = socket.create_server(('{BEACON}', 4443))
print("ready", flush=True)
signal.pause()
"""
CLIENT = f"""
import socket, signal
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth1\\0")
s.connect(('{BEACON}', 4443))
print("ready", flush=True)
signal.pause()
"""


def beacon_key(folder: Path) -> str:
    """Make the beacon's key; what it shows is what an operator writes into the agents' settings."""
    words = [str(BIN / "fengsui-collector"), "beacon", "--listen", f"{BEACON}:{PORT}"]
    return str(
        json.loads(command(*words, "--key", str(folder / "key"), "--show-key", "--json"))["public_key"]
    )


@pytest.fixture
def landscape(tmp_path: Path) -> Iterator[Landscape]:
    beacons = [{"address": f"{BEACON}:{PORT}", "public_key": beacon_key(tmp_path)}]
    reach = {"enabled": True, "zone": "extranet", "beacons": beacons, "every": 60, "timeout": 1}
    sources = {"exits": {"poll": 1, "reach": reach}, "sockets": {"poll": 1, "period": 2}}
    with Landscape(tmp_path / "landscape", sources) as made:
        command("ip", "-n", made.stranger, "address", "add", f"{BEACON}/32", "dev", "lo")
        # What is translated is routed before it is translated back.
        command("ip", "-n", made.stranger, "route", "add", f"{SEEN}/32", "dev", "eth0")
        for namespace, rules in ((made.stranger, TRANSLATES), (made.host, TRACKS)):
            nft = ["ip", "netns", "exec", namespace, "nft", "-f", "-"]
            subprocess.run(nft, input=rules.encode(), check=True, timeout=30)
        eventually(lambda: verdict_of(made, "eth0") == "sanctioned", within=30)
        yield made


def reasons(landscape: Landscape, link: str) -> list[dict[str, str]]:
    query = "SELECT evidence FROM exits WHERE link = ? AND gone_at IS NULL AND key LIKE 'way/%'"
    found = rows(landscape, query, link)
    return json.loads(str(found[0][0]))["reasons"] if found else []


def proved(landscape: Landscape, link: str) -> str:
    return next((one["en"] for one in reasons(landscape, link) if one["code"] == "reached_beacon"), "")


@contextmanager
def inside(namespace: str, *words: str) -> Iterator[None]:
    """Run a program in a namespace, from its first line on."""
    argv = ["ip", "netns", "exec", namespace, *words]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout
            assert child.stdout.readline()
            yield
        finally:
            child.terminate()


def test_the_running_agent_proves_the_way_that_leads_out_and_use_makes_it_used(
    landscape: Landscape, tmp_path: Path
) -> None:
    beacon = (str(BIN / "fengsui-collector"), "beacon", "--listen", f"{BEACON}:{PORT}", "--json")
    with inside(landscape.stranger, *beacon, "--key", str(tmp_path / "key")):
        landscape.ip("route", "add", "default", "via", STRANGER, "dev", "eth1", "metric", "700")
        said = eventually(lambda: proved(landscape, "eth1"), within=30)

        assert said == f"the beacon {BEACON}:{PORT} was reached by it and saw the address {SEEN}"
        # The agent's own question is no use of the way.
        assert settled(landscape) == [("available", 1.0)]
        assert proved(landscape, "eth0") == ""
        assert verdict_of(landscape, "eth0") == "sanctioned"

        python = (sys.executable, "-c")
        with inside(landscape.stranger, *python, SERVER), inside(landscape.host, *python, CLIENT):
            eventually(lambda: verdict_of(landscape, "eth1") == "used", within=20)
        assert proved(landscape, "eth1")
        incidents = {row[0] for row in rows(landscape, "SELECT class FROM incidents")}
        assert incidents >= {"SHECONFIG", "ROPNOUNAUTH"}


def settled(landscape: Landscape) -> list[tuple[object, ...]]:
    """The verdict on the way once the connections of that moment were told as well."""
    query = "SELECT max(received_at) FROM node_facts WHERE kind = 'sockets'"
    for _ in range(2):
        before = rows(landscape, query)
        eventually(lambda before=before: rows(landscape, query) != before, within=20)
    return rows(
        landscape,
        "SELECT verdict, confidence FROM exits WHERE link = 'eth1' AND gone_at IS NULL AND key LIKE 'way/%'",
    )
