"""What an agent's start costs: the dearest ten seconds of its first minute, on a quiet and on a crowded host.

    python benchmarks/agent_start.py [--processes 2000] [--log-mb 1024] [--json]

It makes the landscape of tests/network (root) with every source on but YARA and capture, a log of failed
logins and one of Suricata of the size asked for, and so many sleeping processes; and it reads the processor
time of the agent and its children, imports included, from the moment it is started.
Exit 0 within the limit, 1 above it, 2 wrong usage, 3 the measurement is invalid.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "network"))

from agent_busy import lines, spent
from agent_idle import everything
from landscape import Landscape

LIMIT_CORE = 0.10
_SECONDS = 60.0
_WINDOW = 10.0
_STEP = 0.1
_FLOW = '{"timestamp":"2026-03-02T01:10:00.5+0000","event_type":"flow","src_ip":"10.1.1.1","proto":"TCP"}\n'


def fill(path: Path, block: str, size: int) -> None:
    """Write a log of at least so many bytes."""
    with path.open("w") as file:
        while file.tell() < size:
            file.write(block)


def watch(pid: int) -> list[tuple[float, float]]:
    """Return the agent's processor time over its first minute: seconds since its start, seconds taken."""
    began = time.monotonic()
    samples: list[tuple[float, float]] = [(0.0, 0.0)]
    while (now := time.monotonic() - began) < _SECONDS:
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread or child that has just ended
            samples.append((now, spent(pid)))
        time.sleep(_STEP)
    return samples


def dearest(samples: list[tuple[float, float]]) -> float:
    """Return the share of a core in the dearest window."""
    return max(
        (later - taken) / _WINDOW
        for at, taken in samples
        for then, later in samples
        if at < then <= at + _WINDOW
    )


def measure(processes: int, log_mb: int) -> dict[str, Any]:
    """Start the agent on a host with so many processes and such logs; return the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = everything(folder)
        fill(folder / "auth.log", lines(10_000, 0), log_mb << 20)
        fill(folder / "eve.json", _FLOW * 10_000, log_mb << 20)
        crowd = [subprocess.Popen(["/bin/sleep", "600"]) for _ in range(processes)]
        try:
            with Landscape(folder, settings) as place:
                samples = watch(place.agent_pid)
        finally:
            for one in crowd:
                one.kill()
            for one in crowd:
                one.wait()
    return {
        "processes": processes,
        "log_mb": log_mb,
        "core_share_of_dearest_10_s": round(dearest(samples), 3),
        "seconds_of_first_10_s": max(taken for at, taken in samples if at <= _WINDOW),
    }


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=2000)
    parser.add_argument("--log-mb", type=int, default=1024)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if os.geteuid() != 0:
        print("invalid: network namespaces need root", file=sys.stderr)
        return 3
    runs = [measure(0, 0), measure(args.processes, args.log_mb)]
    figures = {
        "machine": f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}",
        "quiet": runs[0],
        "crowded": runs[1],
    }
    print(json.dumps(figures, indent=None if args.json else 2))
    return 0 if all(one["core_share_of_dearest_10_s"] <= LIMIT_CORE for one in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
