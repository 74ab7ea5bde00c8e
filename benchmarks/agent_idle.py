"""What an idle agent costs: proportional memory and processor share, all sources on but YARA and capture.

    python benchmarks/agent_idle.py [--seconds 300] [--json]

It makes the landscape of tests/network (root), lets the agent settle for 30 s, and reads
/proc/<pid>/smaps_rollup and /proc/<pid>/stat of the agent and, apart, of its children.
Exit 0 within the limits, 1 above them, 2 wrong usage, 3 the measurement is invalid.
"""

import argparse
import json
import os
import platform
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "network"))

from landscape import Landscape, eventually

LIMIT_PSS_MB = 75.0
LIMIT_CORE = 0.005
_SETTLE_SECONDS = 30
_TICK = os.sysconf("SC_CLK_TCK")


def pss_mb(pid: int) -> float:
    """Return the proportional set size in MB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise LookupError(pid)


def processor_seconds(pid: int) -> float:
    """Return user and system time, without waited-for children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def children(pid: int) -> list[int]:
    """Return the direct children."""
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def everything(folder: Path) -> dict[str, Any]:
    """Return settings that turn every source on but YARA and capture."""
    (folder / "www").mkdir()
    for number in range(500):
        (folder / "www" / f"{number}.html").write_text(f"<h1>page {number}</h1>\n" * 20)
    for name in ("auth.log", "eve.json", "conn.log"):
        (folder / name).touch()
    return {
        "files": {"roots": [{"path": str(folder / "www")}]},
        "logins": {"read": "file", "file": str(folder / "auth.log")},
        "suricata": {"files": [str(folder / "eve.json")]},
        "zeek": {"files": [str(folder / "conn.log")]},
        "certificates": {"files": [str(folder / "*.pem")]},
        "logs": {"files": [str(folder / "auth.log")]},
        "outages": {"services": [{"name": "own", "port": "127.0.0.1:1", "portal": True}], "poll": 10},
        "backups": {
            "backups": [{"name": "b", "copies": [{"path": f"{folder}/www/*.html"}], "off_site": False}]
        },
    }


def heartbeats(landscape: Landscape) -> int:
    """Return how many reports of the agent the collector's log holds."""
    with sqlite3.connect(
        f"file:{landscape.folder / 'collector' / 'events.db'}?mode=ro", uri=True
    ) as connection:
        return int(connection.execute("SELECT coalesce(sum(count), 0) FROM batch").fetchone()[0])


def measure(seconds: int) -> dict[str, object]:
    """Run the landscape and return the figures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Landscape(Path(folder), everything(Path(folder))) as landscape,
    ):
        eventually(lambda: landscape.agent_pid, within=30)
        time.sleep(_SETTLE_SECONDS)
        pid, before, reports = (
            landscape.agent_pid,
            processor_seconds(landscape.agent_pid),
            heartbeats(landscape),
        )
        samples = []
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(10.0, left))
            samples.append(pss_mb(pid))
        return {
            "machine": f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}",
            "seconds": seconds,
            "pss_mb": {
                "min": min(samples),
                "median": sorted(samples)[len(samples) // 2],
                "max": max(samples),
            },
            "core_share": (processor_seconds(pid) - before) / seconds,
            "children_pss_mb": sum(pss_mb(child) for child in children(pid)),
            "reports": heartbeats(landscape) - reports,
        }


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if os.geteuid() != 0:
        print("invalid: network namespaces need root", file=sys.stderr)
        return 3
    figures = measure(args.seconds)
    print(json.dumps(figures, indent=None if args.json else 2))
    if int(str(figures["reports"])) < args.seconds // 30 - 1:
        print("invalid: the agent did not send its heartbeats", file=sys.stderr)
        return 3
    memory = figures["pss_mb"]
    assert isinstance(memory, dict)
    return 0 if memory["max"] <= LIMIT_PSS_MB and float(str(figures["core_share"])) <= LIMIT_CORE else 1


if __name__ == "__main__":
    sys.exit(main())
