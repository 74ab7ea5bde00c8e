"""What an agent costs on a busy host: 500 log lines a second, 2 000 process starts a minute, all sources on.

    python benchmarks/agent_busy.py [--seconds 60] [--json]

It makes the landscape of tests/network (root), gives the agent a web root, services, a backup and the log to
look after, lets it settle, and then writes lines and starts processes by the clock, not by the count. The
dearest ten seconds of the agent and its children together count. Three of four lines tell of failed logins
from one address; what the collector holds in the end has to be all of them.
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "network"))

from agent_idle import children, everything, processor_seconds, pss_mb
from landscape import Landscape, eventually

LIMIT_CORE = 0.10
LIMIT_PSS_MB = 75.0
LINES_A_SECOND = 500
STARTS_A_MINUTE = 2000
_SETTLE_SECONDS = 30
_WINDOW = 10
_STEP = 0.1
ATTACKER = "203.0.113.9"


def lines(count: int, number: int) -> str:
    """Return log lines as sshd and cron write them; three of four are failed logins."""
    at = datetime.now(UTC).isoformat()  # noqa: TID251 - a benchmark owns its clock
    failed = f"Failed password for root from {ATTACKER} port"
    return "".join(
        f"{at} portal sshd[{n}]: {failed} {n % 60000} ssh2\n"
        if n % 4
        else f"{at} portal CRON[{n}]: (root) CMD (x)\n"
        for n in range(number, number + count)
    )


def spent(pid: int) -> float:
    """Return the processor time of the agent and the children it has, ended ones included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ended = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return processor_seconds(pid) + ended + sum(processor_seconds(child) for child in children(pid))


def told(folder: Path) -> int:
    """Return the failures that the collector's incident of the attacker counts."""
    with sqlite3.connect(f"file:{folder / 'collector' / 'state.db'}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT fingerprint, evidence FROM incidents").fetchall()
    counts = [
        item.get("count", 0)
        for fingerprint, evidence in rows
        if fingerprint.endswith(f"logins:source:{ATTACKER}")
        for item in json.loads(evidence)
    ]
    return max(counts, default=0)


def load(log: Path, pid: int, seconds: int) -> tuple[list[float], dict[str, float]]:
    """Write and start by the clock; return the agent's processor time at every second and what was done."""
    began = time.monotonic()
    samples, written, started = [spent(pid)], 0, 0
    with log.open("a") as file:
        while (now := time.monotonic() - began) < seconds:
            due = int(now * LINES_A_SECOND) - written
            file.write(lines(due, written))
            file.flush()
            written += due
            while started < now * STARTS_A_MINUTE / 60:
                child = os.posix_spawn("/bin/true", ["true"], os.environ)
                os.waitpid(child, 0)
                started += 1
            if now >= len(samples):
                samples.append(spent(pid))
            time.sleep(_STEP)
    lasted = time.monotonic() - began
    done = {"lines": written, "failures": sum(1 for n in range(written) if n % 4), "starts": started}
    return samples, done | {"lines_a_second": written / lasted, "starts_a_minute": 60 * started / lasted}


def measure(seconds: int) -> dict[str, Any]:
    """Run the landscape under load and return the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Landscape(folder, everything(folder)) as place:
            eventually(lambda: place.agent_pid, within=30)
            time.sleep(_SETTLE_SECONDS)
            samples, done = load(folder / "auth.log", place.agent_pid, seconds)
            memory = pss_mb(place.agent_pid)
            eventually(lambda: told(folder) >= done["failures"], within=150, every=1.0)
            counted = told(folder)
    windows = [(samples[end] - samples[end - _WINDOW]) / _WINDOW for end in range(_WINDOW, len(samples))]
    return {
        "machine": f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}",
        "seconds": seconds,
        **done,
        "failures_counted": counted,
        "core_share_of_dearest_10_s": max(windows, default=1.0),
        "core_share_mean": (samples[-1] - samples[0]) / max(1, len(samples) - 1),
        "pss_mb": memory,
    }


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if os.geteuid() != 0:
        print("invalid: network namespaces need root", file=sys.stderr)
        return 3
    figures = measure(args.seconds)
    print(json.dumps(figures, indent=None if args.json else 2))
    if (
        figures["lines_a_second"] < 0.95 * LINES_A_SECOND
        or figures["starts_a_minute"] < 0.95 * STARTS_A_MINUTE
    ):
        print("invalid: the load was not what was asked for", file=sys.stderr)
        return 3
    if figures["failures_counted"] != figures["failures"]:
        print("failures were lost or counted twice", file=sys.stderr)
        return 1
    within = figures["core_share_of_dearest_10_s"] <= LIMIT_CORE and figures["pss_mb"] <= LIMIT_PSS_MB
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
