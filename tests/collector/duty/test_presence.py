"""An agent's silence is noticed within 90 seconds, and what it was is told apart."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from collector.duty import presence
from collector.duty.presence import Presence
from collector.ingest.links import Link
from collector.store import nodes, schema
from collector.store.facts import Fact, Sign, put_heartbeats, put_signs
from collector.store.nodes import NodeRow

if TYPE_CHECKING:
    from collector.store.engine import Store
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
BEAT: dict[str, Any] = {"boot_id": "boot-1", "started": 10.0, "every": 30.0, "stopping": False, "why": None}


class Watch:
    """A collector's watch over one agent; its clock goes only where the test sends it."""

    def __init__(self, store: Store, office: Office) -> None:
        self.store = store
        self.now = NINE
        self.link = Link(open=1)
        self.presence = Presence(
            store, links=lambda _: self.link, open_incident=office.casework.open, now=lambda: self.now
        )

    async def enrol(self, node: str = "n1", unit: str = "county") -> None:
        row = NodeRow(
            id=node,
            unit=unit,
            kind="agent",
            state="active",
            host_name="web-1",
            machine_id="",
            assets=[],
            certificate_serial="",
            certificate_expires=NINE,
            enrolled_at=NINE,
        )
        async with self.store.write() as conn:
            await nodes.add_node(conn, row)

    async def hear(self, node: str = "n1", **said: Any) -> None:  # noqa: ANN401 - JSON
        beat = Fact(kind="heartbeat", body=BEAT | said, observed_at=self.now, received_at=self.now)
        async with self.store.write() as conn:
            await put_heartbeats(conn, {node: beat})
            await put_signs(conn, [Sign(node=node, last_seen=self.now, skew_seconds=0.0)])

    async def seconds(self, count: int) -> None:
        for _ in range(timedelta(seconds=count) // presence.EVERY):
            self.now += presence.EVERY
            await self.presence.look()

    async def told(self) -> list[tuple[str, str]]:
        async with self.store.read() as conn:
            query = sa.select(schema.journal.c.action, schema.journal.c.detail).where(
                schema.journal.c.action.in_(["node.silent", "node.back"])
            )
            rows = (await conn.execute(query.order_by(schema.journal.c.id))).all()
        return [(action, detail.get("why") or detail["after"]) for action, detail in rows]

    async def incidents(self) -> int:
        async with self.store.read() as conn:
            return len((await conn.execute(sa.select(schema.incidents.c.id))).all())


@pytest.fixture
async def watch(sqlite_state: Store, office: Office) -> Watch:
    made = Watch(sqlite_state, office)
    await made.enrol()
    await made.hear()
    await made.presence.look()
    return made


def test_its_story_holds() -> None:
    assert doctest.testmod(presence).failed == 0


async def test_silence_is_noticed_within_ninety_seconds_and_not_before_it_is_one(watch: Watch) -> None:
    await watch.seconds(75)
    assert await watch.told() == []

    await watch.seconds(15)

    assert await watch.told() == [("node.silent", "network")]


@pytest.mark.parametrize(
    ("last_word", "link", "why", "incidents"),
    [
        ({"stopping": True}, Link(), "stopped", 0),
        ({"stopping": True, "why": "shutdown"}, Link(), "shutdown", 0),
        ({}, Link(open=2), "network", 0),
        ({}, Link(open=2, asked_ago=80, acked_ago=80), "network", 0),
        ({}, Link(open=2, asked_ago=80, acked_ago=9), "frozen", 1),
        ({}, Link(open=2, asked_ago=9, acked_ago=9), "unknown", 0),
        ({}, Link(0, NINE + timedelta(seconds=1)), "killed", 1),
        ({}, Link(), "unknown", 0),
        ({}, Link(0, NINE - timedelta(hours=1)), "unknown", 0),
    ],
)
async def test_stop_shutdown_network_and_kill_are_told_apart(
    watch: Watch, last_word: dict[str, Any], link: Link, why: str, incidents: int
) -> None:
    await watch.hear(**last_word)
    watch.link = link

    await watch.seconds(90)

    assert await watch.told() == [("node.silent", why)]
    assert await watch.incidents() == incidents


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ({}, {"boot_id": "boot-2", "started": 4.0}, "reboot"),
        ({}, {"started": 500.0}, "killed"),
        ({"stopping": True}, {"started": 500.0}, "restart"),
        ({}, {}, "network"),
    ],
)
async def test_what_it_was_shows_when_the_node_is_back(
    watch: Watch, before: dict[str, Any], after: dict[str, Any], what: str
) -> None:
    await watch.hear(**before)
    await watch.seconds(90)
    await watch.hear(**after)

    await watch.seconds(5)

    assert (await watch.told())[-1] == ("node.back", what)
    await watch.seconds(60)
    assert len(await watch.told()) == 2


async def test_an_agent_with_a_slow_heartbeat_is_given_its_time(watch: Watch) -> None:
    await watch.hear(every=600.0)

    await watch.seconds(1200)
    assert await watch.told() == []
    await watch.seconds(400)

    assert await watch.told() == [("node.silent", "network")]


@pytest.mark.parametrize("every", [-1e308, -1.0, 1e308, 10**30, "soon", True, None, []])
async def test_a_distance_that_is_none_gives_an_agent_no_more_time(watch: Watch, every: Any) -> None:  # noqa: ANN401 - JSON
    await watch.hear(every=every)

    await watch.seconds(90)

    assert await watch.told() == [("node.silent", "network")]


ENDED = Link(0, NINE + timedelta(seconds=1))


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    ("links", "why", "incidents"),
    [
        ((Link(), ENDED), "killed", 1),
        ((Link(), Link(open=1)), "network", 0),
        ((ENDED, Link(open=1)), "network", 0),
        ((ENDED, Link(0, NINE + timedelta(seconds=2))), "killed", 1),
        ((Link(), Link()), "unknown", 0),
    ],
    ids=["killed", "line lost", "line lost after it had moved", "killed after it had moved", "neither knows"],
)
async def test_of_two_collectors_the_one_that_saw_most_tells_why(
    *, watch: Watch, office: Office, first: int, links: tuple[Link, Link], why: str, incidents: int
) -> None:
    """Each sees the connections it has itself; which of them looks first is chance."""
    both = [watch, Watch(watch.store, office)]
    for one, link in zip(both, links, strict=True):
        one.link = link
        await one.presence.look()
    for _ in range(timedelta(seconds=90) // presence.EVERY):
        for one in (both[first], both[1 - first]):
            one.now += presence.EVERY
            await one.presence.look()

    assert await watch.told() == [("node.silent", why)]
    assert await watch.incidents() == incidents


@pytest.mark.parametrize("phase", [0.001, 1.0, 2.0, 3.999])
@pytest.mark.parametrize("link", [Link(open=1), ENDED, Link()], ids=["open", "ended", "nothing seen"])
async def test_whatever_was_seen_a_silence_is_noticed_with_time_to_spare(
    watch: Watch, link: Link, phase: float
) -> None:
    """Heard of at any time between two looks; two of the ninety seconds are left for a look itself."""
    watch.link = link
    looked = watch.now
    watch.now += timedelta(seconds=phase)
    await watch.hear()
    heard = watch.now
    while not await watch.told():
        looked += presence.EVERY
        watch.now = looked
        await watch.presence.look()

    assert timedelta(seconds=75) < watch.now - heard < timedelta(seconds=88)


async def test_a_frozen_agent_that_goes_on_was_frozen_and_not_cut_off(watch: Watch) -> None:
    watch.link = Link(open=2, asked_ago=80, acked_ago=9)
    await watch.seconds(90)
    await watch.hear()

    await watch.seconds(5)

    assert await watch.told() == [("node.silent", "frozen"), ("node.back", "frozen")]


async def test_a_time_in_which_nobody_was_looking_is_no_silence(watch: Watch) -> None:
    await watch.seconds(10)
    watch.now += timedelta(hours=3)

    await watch.seconds(60)

    assert await watch.told() == []


async def test_agents_that_are_killed_one_after_the_other_are_one_incident_from_the_third_on(
    watch: Watch,
) -> None:
    for number in range(2, 41):
        await watch.enrol(f"n{number}")
        await watch.hear(f"n{number}")
    await watch.enrol("elsewhere", "city")
    await watch.hear("elsewhere")
    watch.link = Link(0, NINE + timedelta(seconds=1))

    await watch.seconds(90)

    assert await watch.told() == [("node.silent", "killed")] * 41
    async with watch.store.read() as conn:
        rows = (await conn.execute(sa.select(schema.incidents))).mappings().all()
    single = sorted(row["unit"] for row in rows if row["node"])
    (wave,) = [row for row in rows if not row["node"]]
    assert (single, wave["unit"], wave["title_en"]) == (
        ["city", "county", "county"],
        "county",
        "several agents killed within minutes",
    )
    named = {one["node"] for one in wave["evidence"]}
    assert named <= {f"n{number}" for number in range(1, 41)}
    assert wave["count"] == 38


async def test_kills_that_lie_far_apart_are_an_incident_each(watch: Watch) -> None:
    for number in range(1, 5):
        if number > 1:
            await watch.enrol(f"n{number}")
        await watch.hear(f"n{number}")
        watch.link = Link(0, watch.now + timedelta(seconds=1))
        await watch.seconds(90)
        watch.now += timedelta(minutes=11)
        await watch.seconds(5)

    async with watch.store.read() as conn:
        rows = (await conn.execute(sa.select(schema.incidents.c.node))).scalars().all()
    assert sorted(rows) == ["n1", "n2", "n3", "n4"]
