"""Receipts, re-grading and due alarms; a day at the office is in tests/acceptance/test_duty.py."""

import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from collector.store import schema
from tests.collector.casework.office_desk import FIRST, HOUR, MINUTE, NINE, REPORT, Desk


@pytest.mark.parametrize("ahead", [timedelta(milliseconds=1), timedelta(days=2)])
async def test_a_receipt_from_a_collector_whose_clock_is_ahead_meets_the_clock(
    desk: Desk, ahead: timedelta
) -> None:
    await desk.report()
    clock = (await desk.clocks())[REPORT]
    at = NINE + MINUTE
    await desk.do("record_filing", clock.id, "filing", at, at + ahead, True, "system", at)

    met = (await desk.clocks())[REPORT]
    assert (met.state, met.met_by, met.met_at) == ("met", "filing", at + ahead)


async def test_grading_anew_by_the_system_takes_facts_only_upward(desk: Desk) -> None:
    await desk.report(facts={"views": 100})
    await desk.do("regrade", desk.key, NINE, {"views": 10, "reposts": 3})

    assert (await desk.held()).facts == {"views": 100, "reposts": 3}


async def test_a_receipt_meets_the_clock_in_time_by_when_it_was_filed(desk: Desk) -> None:
    await desk.report(facts={"declared_level": "III"})
    clock = (await desk.clocks())[FIRST]
    filed, arrived = NINE + 3 * HOUR, NINE + 5 * HOUR
    await desk.do("record_filing", clock.id, "f", filed, arrived, True, "system", arrived)

    met = (await desk.clocks())[FIRST]
    assert (met.state, met.met_by, met.met_at) == ("met", "f", arrived)


async def test_firing_looks_at_the_incidents_it_is_told_and_leaves_the_others_armed(desk: Desk) -> None:
    first = await desk.report(fingerprint="1")
    second = await desk.report(fingerprint="2")
    one = await desk.do("fire_due", NINE, incidents=[first])
    others = await desk.do("fire_due", NINE)

    assert [alarm.incident for alarm in one.alarms] == [first]
    assert [alarm.incident for alarm in others.alarms] == [second]


@pytest.mark.slow
async def test_a_thousand_alarms_of_one_second_are_fired_within_five(desk: Desk) -> None:
    async with desk.store.write() as connection:
        for number in range(1000):
            finding = desk.office.finding(NINE, fingerprint=str(number), facts={"declared_level": "III"})
            await desk.office.casework.open(connection, finding, NINE, NINE)
    began = time.monotonic()
    while (await desk.do("fire_due", NINE)).alarms:
        pass
    took = time.monotonic() - began
    async with desk.store.read() as connection:
        notices = (
            await connection.execute(sa.select(sa.func.count()).select_from(schema.notices))
        ).scalar_one()

    assert notices == 1000
    assert took < 5
