from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from collector.duty.below import STANDS_STILL
from collector.duty.silence import Silence
from collector.store import nodes, schema
from collector.store.engine import Store
from collector.store.facts import Fact, put_heartbeats
from collector.store.incidents import Incident, get_incident
from collector.store.nodes import NodeRow

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Watch:
    """The city's watch over the county's collector; its clock goes only where the test sends it."""

    def __init__(self, store: Store, office: "Office") -> None:
        self.store = store
        self.office = office
        self.now = NINE
        self.silence = self.start()

    def start(self) -> Silence:
        return Silence(
            self.store,
            open_incident=self.office.casework.open,
            note_end=self.office.casework.note,
            end=self.office.casework.move,
            registry=lambda: self.office.registry,
            directory=lambda: self.office.registry,
            unit="city",
            now=lambda: self.now,
        )

    async def enrol(self, name: str = "tower", kind: str = "collector") -> None:
        row = NodeRow(
            id=name,
            unit="county",
            kind=kind,  # type: ignore[arg-type]
            state="active",
            host_name=f"{name}.county",
            machine_id="",
            assets=[],
            certificate_serial="",
            certificate_expires=NINE,
            enrolled_at=self.now,
        )
        async with self.store.write() as connection:
            await nodes.add_node(connection, row)

    async def hear(self, name: str = "tower", **said: float | None) -> None:
        body = {"auditor_age_seconds": 3.0, "clock_age_seconds": 0.2} | said
        beat = Fact(kind="heartbeat", body=body, observed_at=self.now, received_at=self.now)
        async with self.store.write() as connection:
            await put_heartbeats(connection, {name: beat})

    async def look(self, *, after: timedelta = 10 * SECOND) -> None:
        self.now += after
        await self.silence.look()

    async def minutes(self, count: int) -> None:
        for _ in range(6 * count):
            await self.look()

    async def incidents(self) -> list[Incident]:
        async with self.store.read() as connection:
            keys = (await connection.execute(sa.select(schema.incidents.c.id))).scalars().all()
            found = [await get_incident(connection, key) for key in keys]
        return [one for one in found if one]

    async def move(self, state: str) -> None:
        (held,) = await self.incidents()
        async with self.store.write() as connection:
            await self.office.casework.move(connection, held.id, state, "user:li", self.now, "phoned")

    async def told(self) -> list[tuple[str, str]]:
        async with self.store.read() as connection:
            rows = await connection.execute(sa.select(schema.notices).order_by(schema.notices.c.created_at))
            return [(row["person"], row["payload"]["kind"]) for row in rows.mappings()]


@pytest.fixture
def watch(sqlite_state: Store, office: "Office") -> Watch:
    return Watch(sqlite_state, office)


async def test_a_collector_that_is_heard_of_is_no_incident(watch: Watch) -> None:
    await watch.enrol()
    for _ in range(8):
        await watch.hear()
        await watch.look(after=30 * SECOND)

    assert await watch.incidents() == []


async def test_after_ninety_seconds_of_silence_one_incident_is_opened_for_the_unit_below(
    watch: Watch,
) -> None:
    await watch.enrol()
    await watch.look()
    await watch.hear()
    await watch.minutes(1)
    assert await watch.incidents() == []
    await watch.minutes(5)

    (held,) = await watch.incidents()
    assert (held.fingerprint, held.klass, held.unit) == ("tower/collector-silent", "DETECH", "county")
    assert held.title == "下级采集端失联：望楼县政府办（tower.county）"
    assert held.title_en.startswith("collector silent: ")
    assert held.title_en.endswith("(tower.county)")
    assert held.count == 1
    assert await watch.told() == [("li", "collector_silent")]


async def test_it_is_told_to_the_duty_people_of_the_unit_by_the_usual_escalation(watch: Watch) -> None:
    await watch.enrol()
    await watch.minutes(2)
    async with watch.store.write() as connection:
        await watch.office.casework.fire_due(connection, watch.now)

    assert ("wang", "escalate_0") in await watch.told()


async def test_when_it_is_back_the_incident_is_told_and_stays(watch: Watch) -> None:
    await watch.enrol()
    await watch.minutes(2)
    await watch.hear()
    await watch.minutes(1)

    (held,) = await watch.incidents()
    assert [one["why"] for one in held.evidence] == ["silent", "back"]
    assert held.state == "open"


async def test_a_second_silence_attaches_to_the_incident_that_is_not_closed(watch: Watch) -> None:
    await watch.enrol()
    await watch.minutes(2)
    await watch.hear()
    await watch.minutes(5)

    (held,) = await watch.incidents()
    assert [one["why"] for one in held.evidence] == ["silent", "back", "silent"]
    assert held.count == 2
    assert [one for one in await watch.told() if one[0] == "li"] == [("li", "collector_silent")] * 2


async def test_what_is_handled_while_it_is_still_silent_burns_again(watch: Watch) -> None:
    await watch.enrol()
    await watch.minutes(2)
    await watch.move("handled")
    await watch.minutes(2)

    assert [(one.state, one.count) for one in await watch.incidents()] == [("open", 2)]


@pytest.mark.parametrize("flow", STANDS_STILL)
async def test_a_collector_whose_auditor_or_clock_stands_still_is_an_incident(
    watch: Watch, flow: str
) -> None:
    await watch.enrol()
    await watch.hear(**{f"{flow}_age_seconds": 500.0})
    await watch.look()

    (held,) = await watch.incidents()
    assert held.evidence[-1]["why"] == flow
    assert held.first_seen == NINE - timedelta(seconds=500)


async def test_agents_and_revoked_collectors_are_not_watched(watch: Watch) -> None:
    await watch.enrol("agent", kind="agent")
    await watch.enrol("gone")
    async with watch.store.write() as connection:
        await nodes.revoke_node(connection, "gone", NINE)
    await watch.minutes(3)

    assert await watch.incidents() == []


async def test_time_in_which_nobody_was_looking_is_no_silence(watch: Watch) -> None:
    await watch.enrol()
    await watch.hear()
    watch.now += timedelta(hours=5)
    watch.silence = watch.start()
    await watch.minutes(1)
    assert await watch.incidents() == []
    await watch.look(after=timedelta(hours=5))  # the host slept
    await watch.minutes(1)
    assert await watch.incidents() == []
    await watch.minutes(1)

    assert len(await watch.incidents()) == 1


async def test_two_processes_tell_it_once(watch: Watch) -> None:
    await watch.enrol()
    await watch.look()
    other = watch.start()
    await other.look()
    for _ in range(12):
        watch.now += 10 * SECOND
        await watch.silence.look()
        await other.look()

    assert [one.count for one in await watch.incidents()] == [1]
    assert await watch.told() == [("li", "collector_silent")]


async def test_people_whom_nobody_can_reach_are_an_incident_once_and_it_ends_with_the_first_who_is(
    watch: Watch,
) -> None:
    await watch.enrol()
    for minute in range(12):
        watch.now = NINE + 60 * minute * SECOND
        await watch.hear(unreached_seconds=60.0 * minute, clocks_overdue=2)
        await watch.look(after=SECOND)

    (held,) = await watch.incidents()
    assert (held.fingerprint, held.unit, held.count) == ("tower/duty-unreachable", "county", 1)
    assert held.title == "值班不可达：望楼县政府办（tower.county）"
    assert held.title_en.startswith("duty unreachable: ")
    assert held.first_seen == NINE
    assert await watch.told() == [("li", "collector_unreached")]
    async with watch.store.write() as connection:
        await watch.office.casework.fire_due(connection, watch.now)
    assert ("wang", "escalate_0") in await watch.told()

    await watch.hear(unreached_seconds=None, clocks_overdue=2)
    await watch.look()
    await watch.look()
    (held,) = await watch.incidents()
    assert (held.state, held.evidence[-1]["why"]) == ("handled", "back")


async def test_a_second_time_of_being_unreachable_burns_again(watch: Watch) -> None:
    await watch.enrol()
    for unreached in (400.0, None, 400.0):
        await watch.hear(unreached_seconds=unreached)
        await watch.look()

    assert [(one.state, one.count) for one in await watch.incidents()] == [("open", 2)]


async def test_a_collector_that_falls_silent_is_another_matter_and_ends_nothing(watch: Watch) -> None:
    await watch.enrol()
    await watch.hear(unreached_seconds=400.0)
    await watch.minutes(3)

    assert {one.fingerprint: one.state for one in await watch.incidents()} == {
        "tower/duty-unreachable": "open",
        "tower/collector-silent": "open",
    }


async def test_who_are_told_of_it_hear_what_may_be_missed_meanwhile(watch: Watch) -> None:
    await watch.enrol()
    await watch.hear(unreached_seconds=400.0, clocks_overdue=3)
    await watch.look()

    async with watch.store.read() as connection:
        (payload,) = (await connection.execute(sa.select(schema.notices.c.payload))).scalars()
    assert "已逾期时限 3 项" in payload["body"]
    assert "telephone. Clocks past due there: 3" in payload["body"]
