"""The auditor's questions find what was not done, and an index answers each however many rows there are."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from collector.store import schema
from collector.store.audits import AuditFinding, Grace, find, questions
from collector.store.engine import Store

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATE = NINE + timedelta(hours=1)
DOUBLINGS = 17  # 131 072 rows a table


def alarm(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    row = {"id": name, "incident": "i", "clock": name, "generation": 1, "kind": "due", "at": NINE}
    return row | {"state": "armed", "fired_at": None} | changes


def clock(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    row = dict.fromkeys(("regime", "stage", "recipient", "anchor", "source"), "x")
    row |= {"id": name, "incident": "i", "obligation": name, "due_at": NINE, "state": "open"}
    return row | {"content": [], "verified": True, "generation": 1, "opened_at": NINE} | changes


def notice(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    row = {"id": name, "key": name, "incident": "i", "person": "wang", "channel": "webhook", "payload": {}}
    return row | {"state": "waiting", "created_at": NINE, "next_at": NINE} | changes


def filing(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    row = {"id": name, "key": name, "incident": "i", "clock": "c", "obligation": "o", "recipient": "r"}
    row |= {"way": "upstream", "state": "waiting", "payload": {}, "created_at": NINE, "next_at": LATE}
    return row | changes


def run(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    row = {"id": name, "incident": name, "plan": "p", "plan_sha256": "", "plan_body": {}, "variables": {}}
    return row | {"unit": "u", "state": "running", "started_at": NINE, "progress_at": NINE} | changes


def step(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    row = {
        "run": name,
        "step": "s",
        "visit": 1,
        "kind": "manual",
        "state": "waiting",
        "ready_at": NINE,
        "parent": "",
    }
    return row | changes


async def found(store: Store, table: sa.Table, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    async with store.write() as connection:
        for row in rows:
            await connection.execute(sa.insert(table), row)
    async with store.read() as connection:
        findings = await find(connection, LATE, Grace(), 10)
    return [(finding.kind, finding.subject) for finding in findings]


async def test_an_alarm_past_its_time_that_has_not_fired_is_found(state: Store) -> None:
    rows = [
        alarm("late"),
        alarm("fired", state="fired"),
        alarm("just", at=LATE - timedelta(seconds=30)),
        alarm("future", at=LATE + timedelta(hours=1)),
    ]

    assert await found(state, schema.alarms, rows) == [("alarm_not_fired", "alarm:late")]


async def test_a_clock_past_due_that_nobody_turned_overdue_is_found(state: Store) -> None:
    rows = [
        clock("late"),
        clock("told", state="overdue"),
        clock("met", state="met"),
        clock("unnumbered", state="no_number", due_at=None),
        clock("future", due_at=LATE + timedelta(hours=1)),
    ]

    assert await found(state, schema.clocks, rows) == [("clock_not_fired", "clock:late")]


async def test_a_notice_without_a_result_is_found_but_not_the_auditors_own(state: Store) -> None:
    rows = [
        notice("late"),
        notice("sending", state="sending"),
        notice("sent", state="sent"),
        notice("audit/x"),
        notice("fresh", next_at=LATE),
    ]

    assert await found(state, schema.notices, rows) == [
        ("notice_without_result", "notice:late"),
        ("notice_without_result", "notice:sending"),
    ]


async def test_a_filing_without_a_receipt_is_found_however_often_it_was_tried(state: Store) -> None:
    rows = [
        filing("late"),
        filing("by-hand", way="person"),
        filing("refused", state="refused"),
        filing("arrived", state="receipted", receipt_at=NINE),
        filing("fresh", created_at=LATE),
    ]

    assert sorted(await found(state, schema.filings, rows)) == [
        ("filing_without_receipt", "filing:by-hand"),
        ("filing_without_receipt", "filing:late"),
        ("filing_without_receipt", "filing:refused"),
    ]


async def test_a_clock_in_doubt_was_told_and_waits_for_a_person(state: Store) -> None:
    assert await found(state, schema.clocks, [clock("doubted", doubted_at=NINE)]) == []


async def test_a_run_that_waits_for_nobody_and_goes_nowhere_is_found(state: Store) -> None:
    async with state.write() as connection:
        for row in (
            step("for-a-person", wake_at=None),
            step("for-an-hour", wake_at=LATE),
            step("overslept", wake_at=NINE),
            step("ready", state="ready"),
        ):
            await connection.execute(sa.insert(schema.run_steps), row)
    rows = [run(name) for name in ("for-a-person", "for-an-hour", "overslept", "ready", "empty")]
    rows += [run("ended", state="done", ended_at=NINE), run("busy", progress_at=LATE)]
    rows += [run("paused", state="paused", resume_at=LATE), run("stuck", state="paused", resume_at=NINE)]

    assert sorted(await found(state, schema.runs, rows)) == [
        ("run_without_progress", "run:empty"),
        ("run_without_progress", "run:overslept"),
        ("run_without_progress", "run:ready"),
        ("run_without_progress", "run:stuck"),
    ]


async def test_a_run_that_nobody_has_touched_for_a_day_is_told_though_it_waits_for_a_person(
    state: Store,
) -> None:
    yesterday = LATE - timedelta(hours=25)
    async with state.write() as connection:
        for name in ("forgotten", "asked-today"):
            await connection.execute(sa.insert(schema.run_steps), step(name, wake_at=None))
    rows = [run("forgotten", progress_at=yesterday), run("asked-today", progress_at=LATE)]

    assert await found(state, schema.runs, rows) == [("run_forgotten", "run:forgotten")]


async def test_a_finding_says_whose_it_is_and_since_when(state: Store) -> None:
    async with state.write() as connection:
        await connection.execute(sa.insert(schema.alarms), alarm("late"))
    async with state.read() as connection:
        (finding,) = await find(connection, LATE, Grace(), 10)

    assert finding == AuditFinding(
        kind="alarm_not_fired", subject="alarm:late", incident="i", unit=None, since=NINE
    )


async def multiply(
    connection: AsyncConnection, table: sa.Table, row: dict[str, Any], unique: tuple[str, ...]
) -> None:
    """Fill a table with rows like this one, of which only the unique columns differ."""
    await connection.execute(sa.insert(table), row)
    for doubling in range(DOUBLINGS):
        columns = [column.concat(f".{doubling}") if column.name in unique else column for column in table.c]
        await connection.execute(sa.insert(table).from_select(list(table.c), sa.select(*columns)))


@pytest.mark.slow
async def test_no_question_reads_a_whole_table(state: Store) -> None:
    async with state.write() as connection:
        await multiply(connection, schema.alarms, alarm("a", state="fired"), ("id", "clock"))
        await multiply(connection, schema.clocks, clock("c", state="met"), ("id", "obligation"))
        await multiply(connection, schema.notices, notice("n", state="sent"), ("id", "key"))
        arrived = filing("f", state="receipted", receipt_at=NINE)
        await multiply(connection, schema.filings, arrived, ("id", "key"))
        await multiply(connection, schema.runs, run("r", state="done", ended_at=NINE), ("id", "incident"))
        await multiply(connection, schema.run_steps, step("r", state="done"), ("run",))
        decreed = {"region": "r", "year": 2020, "confirmed": True, "source": "", "filled_at": NINE}
        await multiply(connection, schema.calendar_year, decreed, ("region",))
    if state.dialect == "postgresql":
        async with state.write() as connection:
            await connection.exec_driver_sql("ANALYZE")
    async with state.read() as connection:
        for query in questions(LATE, Grace(), 100):
            text = str(query.compile(state.engine, compile_kwargs={"literal_binds": True}))
            prefix = "EXPLAIN QUERY PLAN " if state.dialect == "sqlite" else "EXPLAIN "
            plan = [" ".join(map(str, row)) for row in await connection.exec_driver_sql(prefix + text)]

            assert not [line for line in plan if "SCAN " in line.replace("SCAN CONSTANT ROW", "")], plan
            assert not [line for line in plan if "Seq Scan on" in line and "Scan on incidents" not in line], (
                plan
            )
            assert not [line for line in plan if "TEMP B-TREE" in line], plan
