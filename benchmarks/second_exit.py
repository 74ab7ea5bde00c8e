"""How long a second way out stays unseen: from `ip`'s return to the incident's row, read by another process.

    python benchmarks/second_exit.py [--events 50] [--only KIND]

It makes the landscape of tests/network (root) and brings up a second default route over a veth, a bridge and
tun links, and by router advertisements (IPv6 RA, timed from the return of the sender); then, from messages of
pyroute2's encoder and a sysfs tree, over links that the kernel at hand lacks. Each kind has a landscape of
its own: an agent that has seen some hundred ways come and go within five minutes takes it for a flood, and
spaces its looks by seconds. Exit 0 within the limit, 1 above it, 2 wrong usage, 3 the measurement is invalid.
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


HERE: dict[str, Measure] = {
    "veth": over_veth,
    "bridge": over_bridge,
    "tun": over_tun,
    "ra": by_announcement,
}


def _by_encoder(kind: str, landscape: Landscape, events: int) -> list[float]:
    return by_encoder(landscape, kind, events)


def measured(name: str, measure: Measure, events: int, *, encoded: bool) -> bool:
    """Measure a kind and print it; return whether it is above the limit."""
    with tempfile.TemporaryDirectory() as folder, Landscape(Path(folder), encoded=encoded) as landscape:
        eventually(lambda: verdict_of(landscape, "eth0") == "sanctioned", within=30)
        seconds = measure(landscape, events)
    middle, tail = statistics.median(seconds) * 1000, p95(seconds) * 1000
    print(f"{name}: median {middle:.0f} ms, p95 {tail:.0f} ms, max {max(seconds) * 1000:.0f} ms", flush=True)
    return tail > LIMIT_SECONDS * 1000


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=50)
    parser.add_argument("--only", choices=[*HERE, *KINDS])
    args = parser.parse_args()
    events = args.events
    if os.geteuid() != 0:
        print("invalid: network namespaces need root", file=sys.stderr)
        return 3
    print(
        f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}; {events} events"
    )
    wanted = [name for name in (*HERE, *KINDS) if args.only in {None, name}]
    slow = [
        measured(name, HERE[name], events, encoded=False)
        if name in HERE
        else measured(f"{name} (encoded)", partial(_by_encoder, name), events, encoded=True)
        for name in wanted
    ]
    return 1 if any(slow) else 0


if __name__ == "__main__":
    sys.exit(main())
