from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from collector.store import journal
from collector.store.engine import Store
from collector.store.watch import Found, read_findings

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOLE = {"finding": "roster_hole", "what": "nobody is registered as duty of lonely"}


def entry(
    subject: str,
    incident: str | None = None,
    action: str = "audit.finding",
    **detail: Any,  # noqa: ANN401 - JSON
) -> journal.Entry:
    return journal.Entry(actor="system", action=action, subject=subject, incident=incident, detail=detail)


async def test_the_same_hole_found_again_is_one_line_with_its_count(state: Store) -> None:
    async with state.write() as connection:
        await journal.write_all(connection, [entry("unit:lonely", "i", **HOLE)], NINE)
        await journal.write_all(connection, [entry("unit:lonely", "j", **HOLE)], NINE + HOUR)
        await journal.write(connection, entry("unit:lonely", "j", "clock.fired"), NINE + HOUR)
        await journal.write(connection, entry("flow:duty.clock", finding="clock_jumped"), NINE + HOUR)
        found = await read_findings(connection, units=None, since=NINE)

    assert found == [
        Found(
            finding="clock_jumped",
            subject="flow:duty.clock",
            what="",
            incident=None,
            last=NINE + HOUR,
            times=1,
        ),
        Found(
            finding="roster_hole",
            subject="unit:lonely",
            what=HOLE["what"],
            incident="j",
            last=NINE + HOUR,
            times=2,
        ),
    ]


async def test_what_is_long_ago_is_not_told(sqlite_state: Store) -> None:
    async with sqlite_state.write() as connection:
        await journal.write(connection, entry("unit:lonely", **HOLE), NINE)
        assert await read_findings(connection, units=None, since=NINE + HOUR) == []


@pytest.mark.parametrize(
    ("units", "kinds"), [({"county"}, ["alarm_failed"]), ({"lonely"}, ["roster_hole"]), ({"power"}, [])]
)
async def test_a_reader_of_some_units_hears_of_those(
    sqlite_state: Store, office: "Office", units: set[str], kinds: list[str]
) -> None:
    async with sqlite_state.write() as connection:
        key = await office.casework.open(connection, office.finding(NINE), NINE, NINE)
        await journal.write(connection, entry(f"incident:{key}", key, finding="alarm_failed"), NINE)
        await journal.write(connection, entry("unit:lonely", **HOLE), NINE)
        await journal.write(connection, entry("flow:duty.clock", finding="clock_jumped"), NINE)
        found = await read_findings(connection, units=frozenset(units), since=NINE)

    assert [one.finding for one in found] == kinds


async def test_findings_are_looked_up_by_an_index(sqlite_state: Store) -> None:
    async with sqlite_state.read() as connection:
        plan = await connection.execute(
            sa.text(
                "EXPLAIN QUERY PLAN SELECT at FROM journal WHERE journal.action = 'audit.finding' "
                "ORDER BY id DESC LIMIT 500"
            )
        )
        assert any("ix_journal_findings" in str(row) for row in plan)
