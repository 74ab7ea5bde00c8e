"""What a host's sensors see stands at the collector: a scan on its wire, alerts in Suricata's log."""

import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from landscape import Landscape, command, eventually

GOLDEN = Path(__file__).parents[1] / "golden/sensors"
pytestmark = [pytest.mark.root, pytest.mark.slow]
SCAN = """
import socket
for port in range(2000, 2060):
    with socket.socket() as knocking:
        knocking.settimeout(0.2)
        knocking.connect_ex(("198.18.0.2", port))
"""


def incidents(landscape: Landscape) -> set[tuple[str, str]]:
    """Class of every incident at the collector, and its English title without asset and host."""
    with closing(sqlite3.connect(f"file:{landscape.database}?mode=ro", uri=True, timeout=5)) as connection:
        found = connection.execute("SELECT class, title_en FROM incidents").fetchall()
    return {(code, title.split(" (")[0]) for code, title in found}


def test_a_strangers_scan_and_a_sensors_alerts_are_incidents_at_the_collector(tmp_path: Path) -> None:
    eve = tmp_path / "eve.json"
    sources = {"packets": {"enabled": True, "interface": "eth1"}, "suricata": {"files": [str(eve)]}}
    with Landscape(tmp_path / "landscape", sources) as landscape:
        capturing = Path(f"/proc/{landscape.agent_pid}/net/packet")
        eventually(lambda: len(capturing.read_text().splitlines()) > 1, within=30)
        eventually((tmp_path / "landscape/agent/suricata.json").exists, within=30)
        command("ip", "netns", "exec", landscape.stranger, sys.executable, "-c", SCAN)
        shutil.copy(GOLDEN / "eve.json", eve)
        wanted = {
            ("NASCAN", "network scanning: 198.18.0.1"),
            ("NASCAN", "network scanning: TEST scan of SSH"),
            ("MPTROJ", "Trojan horse: TEST beacon"),
            ("DETECH", "technical failure: suricata"),
        }

        eventually(lambda: wanted <= incidents(landscape), within=30, every=0.1)
