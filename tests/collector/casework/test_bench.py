"""What every deed stands on: the rules in force now, and an incident that is there."""

import pytest
from msgspec.structs import replace

from collector.casework import UnknownIncidentError
from collector.store import clocks
from tests.collector.casework.office_desk import HOUR, MINUTE, NINE, REPORT, Desk


async def test_what_is_not_there_is_named(desk: Desk) -> None:
    with pytest.raises(UnknownIncidentError, match="incident nothing: there is none"):
        await desk.do("move", "nothing", "closed", "user:wang", NINE)
    with pytest.raises(UnknownIncidentError, match="clock nothing: there is none"):
        await desk.do("record_filing", "nothing", "f", NINE, NINE, True, "system", NINE)


async def test_a_reload_counts_at_the_next_call(desk: Desk) -> None:
    await desk.report(facts={"declared_level": "III"})
    desk.office.regimes = tuple(one for one in desk.office.regimes if one.id != "cn-cac-2025")
    await desk.report(fingerprint="another", facts={"declared_level": "III"})

    assert set(await desk.clocks()) == {REPORT}


async def test_a_clock_is_told_of_where_the_policy_says(desk: Desk) -> None:
    desk.office.policy = replace(desk.office.policy, warn_at=(25, 90))
    await desk.report()
    async with desk.store.read() as connection:
        armed = await clocks.armed_of(connection, [desk.key])

    assert {one.kind: one.at - NINE for one in armed if one.clock} == {
        "half": 15 * MINUTE,
        "four_fifths": 54 * MINUTE,
        "target": HOUR,
    }
