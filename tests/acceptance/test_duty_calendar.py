"""Four hours are four hours over a clock change, a leap day and a year's end; people read their own time."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from collector.duty import DutyClock
from collector.store import clocks, notices
from collector.store.engine import Store

if TYPE_CHECKING:
    from tests.conftest import Office

FIRST = "cn-cac-2025/first"


@pytest.mark.parametrize(
    ("zone", "times"),
    [
        # Aware, half and due, written by hand: in Berlin the hour from two to three comes twice on
        # 25 October, on 29 March not at all.
        (
            "Europe/Berlin",
            "2026-10-25 01:30 +02:00, 2026-10-25 02:30 +01:00, 2026-10-25 04:30 +01:00",
        ),
        (
            "Europe/Berlin",
            "2026-03-29 00:30 +01:00, 2026-03-29 03:30 +02:00, 2026-03-29 05:30 +02:00",
        ),
        (
            "Asia/Shanghai",
            "2028-02-28 22:00 +08:00, 2028-02-29 00:00 +08:00, 2028-02-29 02:00 +08:00",
        ),
        (
            "Asia/Shanghai",
            "2027-02-28 22:00 +08:00, 2027-03-01 00:00 +08:00, 2027-03-01 02:00 +08:00",
        ),
        (
            "Asia/Shanghai",
            "2026-12-31 22:00 +08:00, 2027-01-01 00:00 +08:00, 2027-01-01 02:00 +08:00",
        ),
    ],
)
async def test_a_limit_in_hours_runs_by_the_hour_whatever_the_calendar_does(
    sqlite_state: Store, office: "Office", zone: str, times: str
) -> None:
    aware, half, due = times.replace(" +", ":00 +").split(", ")
    county = replace(office.registry.units["county"], timezone=zone)
    office.registry = replace(office.registry, units=office.registry.units | {"county": county})
    host = [_at(aware)]
    steady = [0.0]
    clock = DutyClock(sqlite_state, office.casework, wall=lambda: host[0], steady=lambda: steady[0])
    async with sqlite_state.write() as connection:
        finding = office.finding(host[0], facts={"declared_level": "III"})
        key = await office.casework.open(connection, finding, host[0], host[0])
        armed = {
            (one.clock, one.kind): one.at for one in await clocks.armed_of(connection, [key]) if one.clock
        }
        (first,) = [one for one in await clocks.clocks_of(connection, [key]) if one.obligation == FIRST]

    assert armed[first.id, "half"] == _at(half)
    assert armed[first.id, "due"] == first.due_at == _at(due)

    for _ in range(5):
        await clock.tick()
        host[0] += timedelta(hours=1)
        steady[0] += 3600
    async with sqlite_state.read() as connection:
        (held,) = [one for one in await clocks.clocks_of(connection, [key]) if one.obligation == FIRST]
        said = [one.payload for one in await notices.notices_of(connection, key)]
    told = [one for one in said if one.get("obligation") == FIRST and one["kind"] == "due"]

    assert held.state == "overdue"
    assert len(told) == 3  # duty, leader, superior, once each
    assert all(due in one["body"] for one in told)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text.replace(" +", "+"))
