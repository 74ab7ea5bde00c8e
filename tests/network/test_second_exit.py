"""A second way to the internet makes an incident at the collector within two seconds, whatever the link."""

import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import count

import pytest
from encoded import plug_in
from landscape import Landscape, eventually

EVENTS = 50
FEW = 5
WAKES = count(1)  # each route that wakes is another: the kernel does not tell one that it has
LIMIT_SECONDS = 2.0
pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("second-exit"),
]


@pytest.fixture(scope="module")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landscape]:
    # All tests of this file in five minutes are a flood to one agent, which would space its looks by seconds.
    sources = {"exits": {"budget": {"cpu_seconds": 60, "report_bytes": 67108864}}}
    with Landscape(tmp_path_factory.mktemp("landscape"), sources) as made:
        eventually(lambda: verdict_of(made, "eth0") == "sanctioned", within=30)
        yield made


def rows(landscape: Landscape, query: str, *values: object) -> list[tuple[object, ...]]:
    if not landscape.database.exists():
        return []
    with closing(sqlite3.connect(f"file:{landscape.database}?mode=ro", uri=True, timeout=5)) as connection:
        try:
            return connection.execute(query, values).fetchall()
        except sqlite3.OperationalError:
            return []


def verdict_of(landscape: Landscape, link: str) -> object:
    found = rows(landscape, "SELECT verdict FROM exits WHERE link = ? AND gone_at IS NULL", link)
    return found[0][0] if found else None


def incidents(landscape: Landscape) -> int:
    return int(str(rows(landscape, "SELECT count(*) FROM incidents WHERE class = 'SHECONFIG'")[0][0]))


def timed(landscape: Landscape, *route: str) -> float:
    """Add a route and return the seconds from `ip`'s return to the incident's row."""
    return until_incident(landscape, lambda: landscape.ip("route", "add", *route))


def until_incident(landscape: Landscape, cause: Callable[[], object]) -> float:
    """Return the seconds from the cause's return to the incident's row."""
    before = incidents(landscape)
    cause()
    began = time.monotonic()
    eventually(lambda: incidents(landscape) > before, within=10)
    return time.monotonic() - began


def over_bridge(landscape: Landscape, events: int) -> list[float]:
    """Return the seconds of each event over one bridge, a gateway an event."""
    seconds = []
    for number in range(events):
        way = ("default", "via", f"198.19.{1 + number // 200}.{1 + number % 200}", "dev", "br0")
        metric = str(200 + number)
        seconds.append(timed(landscape, *way, "metric", metric))
        landscape.ip("route", "del", *way, "metric", metric)
    return seconds


def by_announcement(landscape: Landscape, events: int) -> list[float]:
    """Return the seconds of each event, a router that announces itself (IPv6 RA) an event."""
    announce = landscape.announcer()
    seconds = []
    for number in range(1, events + 1):
        seconds.append(until_incident(landscape, partial(announce, number)))
        landscape.ip("-6", "route", "del", "default", "via", f"fe80::a:{number:x}", "dev", "eth1")
    return seconds


def by_encoder(landscape: Landscape, kind: str, events: int) -> list[float]:
    """Return the seconds of each event, a link of a kind that this kernel lacks an event (`encoded.py`).

    A route inside is the kernel's event that wakes the agent.
    """
    seconds = []
    for number in range(events):
        plug_in(landscape.folder, kind, number)
        wake = ("route", "replace", "10.200.0.0/24", "dev", "lo", "metric", str(next(WAKES)))
        seconds.append(until_incident(landscape, partial(landscape.ip, *wake)))
    return seconds


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def test_a_second_default_route_over_veth_is_an_incident(landscape: Landscape) -> None:
    seconds = []
    for number in range(EVENTS):
        gateway = f"198.18.{1 + number // 200}.{1 + number % 200}"
        seconds.append(
            timed(landscape, "default", "via", gateway, "dev", "eth1", "metric", str(100 + number))
        )
        landscape.ip("route", "del", "default", "via", gateway, "dev", "eth1")

    assert p95(seconds) < LIMIT_SECONDS


def test_a_second_default_route_over_a_tun_link_is_an_incident(landscape: Landscape) -> None:
    landscape.hold_tuns([f"tun{number}" for number in range(EVENTS)])
    seconds = []
    for number in range(EVENTS):
        link = f"tun{number}"
        landscape.ip("address", "add", f"172.31.{number}.1/30", "dev", link)
        landscape.ip("link", "set", link, "up")
        seconds.append(timed(landscape, "default", "dev", link, "metric", str(400 + number)))
        landscape.ip("link", "set", link, "down")

    assert p95(seconds) < LIMIT_SECONDS


def test_a_second_default_route_over_a_bridge_is_an_incident(landscape: Landscape) -> None:
    assert max(over_bridge(landscape, FEW)) < LIMIT_SECONDS


def test_a_router_that_announces_itself_is_an_incident(landscape: Landscape) -> None:
    assert max(by_announcement(landscape, FEW)) < LIMIT_SECONDS


def test_a_route_taken_away_is_seen_to_go(landscape: Landscape) -> None:
    landscape.ip("route", "add", "default", "via", "198.18.9.9", "dev", "eth1", "metric", "900")
    eventually(lambda: verdict_of(landscape, "eth1") == "available", within=10)
    landscape.ip("route", "del", "default", "via", "198.18.9.9", "dev", "eth1")

    eventually(lambda: verdict_of(landscape, "eth1") is None, within=10)
