"""How long a second way out stays unseen: from `ip`'s return to the incident's row, read by another process.

    python benchmarks/second_exit.py [--events 50]

It makes the landscape of tests/network (root) and brings up a second default route over a veth, a bridge and
tun links, and by router advertisements (IPv6 RA, timed from the return of the sender); then, from messages of
pyroute2's encoder and a sysfs tree, over links that the kernel at hand lacks. Exit 0 within the limit, 1
above it, 2 wrong usage, 3 the measurement is invalid.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "network"))

from encoded import KINDS
from landscape import Landscape, eventually
from test_second_exit import by_announcement, by_encoder, over_bridge, p95, timed, verdict_of

LIMIT_SECONDS = 1.0
Measure = Callable[[Landscape, int], list[float]]


def over_veth(landscape: Landscape, events: int) -> list[float]:
    """Return the seconds of each event over one veth, a gateway an event."""
    seconds = []
    for number in range(events):
        way = ("default", "via", f"198.18.{1 + number // 200}.{1 + number % 200}", "dev", "eth1")
        seconds.append(timed(landscape, *way, "metric", str(100 + number)))
        landscape.ip("route", "del", *way)
    return seconds


def over_tun(landscape: Landscape, events: int) -> list[float]:
    """Return the seconds of each event, a tun link an event."""
    links = [f"tun{number}" for number in range(events)]
    landscape.hold_tuns(links)
    seconds = []
    for number, link in enumerate(links):
        landscape.ip("address", "add", f"172.31.{number}.1/30", "dev", link)
        landscape.ip("link", "set", link, "up")
        seconds.append(timed(landscape, "default", "dev", link, "metric", str(400 + number)))
        landscape.ip("link", "set", link, "down")
    return seconds


def _by_encoder(kind: str, landscape: Landscape, events: int) -> list[float]:
    return by_encoder(landscape, kind, events)


def measured(kinds: list[tuple[str, Measure]], events: int, *, encoded: bool) -> int:
    """Measure and print each kind in one landscape; return how many are above the limit."""
    slow = 0
    with tempfile.TemporaryDirectory() as folder, Landscape(Path(folder), encoded=encoded) as landscape:
        eventually(lambda: verdict_of(landscape, "eth0") == "sanctioned", within=30)
        for name, measure in kinds:
            seconds = measure(landscape, events)
            middle, tail = statistics.median(seconds) * 1000, p95(seconds) * 1000
            print(f"{name}: median {middle:.0f} ms, p95 {tail:.0f} ms, max {max(seconds) * 1000:.0f} ms")
            slow += tail > LIMIT_SECONDS * 1000
    return slow


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=50)
    events = parser.parse_args().events
    if os.geteuid() != 0:
        print("invalid: network namespaces need root", file=sys.stderr)
        return 3
    print(
        f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}; {events} events"
    )
    kinds: list[tuple[str, Measure]] = [
        ("veth", over_veth),
        ("bridge", over_bridge),
        ("tun", over_tun),
        ("IPv6 RA", by_announcement),
    ]
    slow = measured(kinds, events, encoded=False)
    # A landscape a kind: so many events in five minutes would overdraw the budget of one agent's source.
    for kind in KINDS:
        slow += measured([(f"{kind} (encoded)", partial(_by_encoder, kind))], events, encoded=True)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
