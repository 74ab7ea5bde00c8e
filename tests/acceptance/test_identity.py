"""Who a node is, with real processes: a cloned disk, a host that was rebuilt, a node that was revoked."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from .region import WRONG_CLOCK, Region

NAMES = ("one", "two")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
async def region(tmp_path: Path) -> AsyncIterator[Region]:
    made = Region(tmp_path / "region")
    try:
        await made.rise(joined=False)
        made.agent("one")
        await made.enrol("one", await made.token())
        await made.wake("one")
        await heard_again(made, "one")
        yield made
    finally:
        await made.end()


async def heard_again(region: Region, name: str) -> None:
    node = region.identity(name)["node"]
    query = "SELECT last_seen FROM nodes WHERE id = ?"
    before = (region.rows("district", query, node) or [(None,)])[0][0] or ""
    await region.until(lambda: (region.rows("district", query, node)[0][0] or "") > before)


def key(region: Region, name: str) -> bytes:
    return (region.stage.folder / name / "identity/key.pem").read_bytes()


def states(region: Region) -> dict[str, str]:
    return dict(region.rows("district", "SELECT id, state FROM nodes"))


async def test_two_hosts_from_one_disk_get_a_key_each_and_people_one_alert(region: Region) -> None:
    await region.troupe.stop("one")
    first, node = key(region, "one"), region.identity("one")["node"]
    region.copy("one", "two")
    await asyncio.gather(region.wake("one"), region.wake("two"))

    await region.until(
        lambda: len(states(region)) == 2 and len({first, *(key(region, n) for n in NAMES)}) == 3
    )
    nodes = [region.identity(name)["node"] for name in NAMES]
    assert node in nodes
    assert sorted(nodes) == sorted(states(region))
    for _ in range(2):
        await asyncio.gather(*(heard_again(region, name) for name in NAMES))
    alerts = "SELECT class, fingerprint, count FROM incidents WHERE fingerprint LIKE '%/cloned'"
    assert region.rows("district", alerts) == [("DETECH", f"{node}/cloned", 1)]
    assert set(states(region).values()) == {"active"}
    losses = "SELECT body FROM node_facts WHERE kind = 'gap:outbox'"
    assert region.rows("district", losses) == [], "nothing was lost, so no loss is told"


async def test_a_host_that_was_rebuilt_takes_its_place_again_without_a_person(region: Region) -> None:
    old = region.identity("one")["node"]
    standing = await region.token("--uses", "9")
    await region.troupe.stop("one")
    goodbye = "SELECT 1 FROM node_facts WHERE kind = 'heartbeat' AND json_extract(body, '$.stopping')"
    await region.until(lambda: region.rows("district", goodbye))
    with closing(sqlite3.connect(region.stage.database("district"), timeout=30)) as database, database:
        (seen,) = database.execute("SELECT last_seen FROM nodes").fetchone()
        earlier = datetime.fromisoformat(seen) - timedelta(minutes=5)
        database.execute("UPDATE nodes SET last_seen = ?", (earlier.isoformat(" "),))

    region.agent("rebuilt")
    await region.enrol("rebuilt", standing)
    await region.wake("rebuilt")
    await heard_again(region, "rebuilt")
    new = region.identity("rebuilt")["node"]
    assert states(region) == {old: "replaced", new: "active"}
    said = "SELECT json_extract(detail, '$.by') FROM journal WHERE action = 'node.replaced'"
    assert region.rows("district", said) == [(new,)]


async def test_a_revoked_node_is_refused_at_its_next_contact_and_both_sides_say_why(region: Region) -> None:
    node = region.identity("one")["node"]
    await region.ask("district", "node", "revoke", node, "--reason", "stolen")
    log = region.stage.folder / "logs/one.log"
    await region.until(lambda: f"node {node} was revoked" in log.read_text())
    said = "SELECT json_extract(detail, '$.reason') FROM journal WHERE action = 'node.revoked'"
    assert region.rows("district", said) == [("stolen",)]
    assert states(region) == {node: "revoked"}

    region.agent("again")
    await region.enrol("again", await region.token())
    await region.wake("again")
    await heard_again(region, "again")
    assert states(region)[node] == "revoked"


@pytest.mark.skipif(not WRONG_CLOCK, reason="the Debian package faketime is not installed")
async def test_a_host_whose_clock_is_a_day_or_years_off_is_heard_of_and_renews_nothing_for_it(
    region: Region,
) -> None:
    """Also before its own certificate's time, and after it."""
    before = key(region, "one")
    for clock in ("+1d", "-1d", "+400d", "-400d"):
        await region.troupe.stop("one")
        await region.wake("one", clock=clock)
        for _ in range(2):
            await heard_again(region, "one")
        ((skew,),) = region.rows("district", "SELECT skew_seconds FROM nodes")
        assert abs(skew - float(clock[:-1]) * 86400) < 60
    assert key(region, "one") == before
    assert len(states(region)) == 1
    renewals = "SELECT count(*) FROM journal WHERE json_extract(detail, '$.renewed')"
    assert region.rows("district", renewals) == [(0,)]


@pytest.mark.skipif(not WRONG_CLOCK, reason="the Debian package faketime is not installed")
async def test_a_new_host_is_let_in_whatever_its_clock_says(region: Region) -> None:
    """A board whose battery is dead begins decades ago, and it is not heard of before it has enrolled."""
    for name, clock in (("ahead", "+400d"), ("behind", "-400d"), ("dead", "-20y")):
        region.agent(name)
        await region.enrol(name, await region.token(), clock=clock)
        await region.wake(name, clock=clock)
        await heard_again(region, name)
