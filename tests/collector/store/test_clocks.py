from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from collector.store import clocks
from collector.store.clocks import Alarm, Clock
from collector.store.engine import Store

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def clock(name: str, incident: str = "i", **changes: Any) -> Clock:  # noqa: ANN401 - the fields of a clock
    values: dict[str, Any] = {
        "id": name,
        "incident": incident,
        "obligation": f"law/{name}",
        "regime": "law",
        "stage": name,
        "recipient": "police",
        "anchor": "aware",
        "anchor_at": NINE,
        "due_at": NINE + HOUR,
        "target_at": None,
        "state": "open",
        "missing": ["facts.significant"],
        "content": ["经过"],
        "source": "Art. 4",
        "verified": True,
        "generation": 1,
        "opened_at": NINE,
        "met_at": None,
        "met_by": None,
    }
    return Clock(**values | changes)


def alarm(name: str, incident: str = "i", **changes: Any) -> Alarm:  # noqa: ANN401 - the fields of an alarm
    values: dict[str, Any] = {
        "id": name,
        "incident": incident,
        "clock": "",
        "generation": 1,
        "kind": f"escalate_{name}",
        "at": NINE,
    }
    return Alarm(**values | changes)


async def test_clocks_come_back_as_they_were_written_and_changed(state: Store) -> None:
    first, second = (
        clock("first"),
        clock("second", due_at=None, anchor_at=None, state="not_yet", missing=None),
    )
    changed = replace(second, due_at=NINE, state="met", met_at=NINE, met_by="f", generation=2)
    async with state.write() as connection:
        await clocks.insert_clocks(connection, [first, second, clock("third", "j")])
        await clocks.update_clocks(connection, [(second, changed), (first, first)])
        await clocks.insert_clocks(connection, [])
        await clocks.update_clocks(connection, [])

        assert await clocks.clocks_of(connection, ["i"]) == [first, changed]
        assert await clocks.get_clock(connection, "second") == changed
        assert await clocks.get_clock(connection, "fourth") is None


@pytest.mark.parametrize("stored", ["open", "overdue"])
def test_a_clock_is_open_at_the_moment_it_is_due_and_overdue_right_after(stored: Any) -> None:  # noqa: ANN401 - a literal
    held = clock("first", state=stored)

    assert held.state_at(NINE + HOUR) == "open"
    assert held.state_at(NINE + HOUR + timedelta(microseconds=1)) == "overdue"


def test_time_changes_no_other_state() -> None:
    assert clock("first", state="met").state_at(NINE + 2 * HOUR) == "met"
    assert clock("first", state="no_number", due_at=None).state_at(NINE + 2 * HOUR) == "no_number"


async def test_an_alarm_ends_once(state: Store) -> None:
    async with state.write() as connection:
        await clocks.arm(connection, [alarm("0"), alarm("1", at=NINE + HOUR), alarm("2", at=NINE + HOUR)])
        await clocks.end_alarms(connection, ["0"], "fired", NINE)
        await clocks.end_alarms(connection, ["0", "1"], "cancelled", NINE + HOUR)
        await clocks.end_alarms(connection, [], "fired", NINE)
        found = await clocks.alarms_of(connection, "i")

        assert [(one.id, one.state, one.fired_at) for one in found] == [
            ("0", "fired", NINE),
            ("1", "cancelled", None),
            ("2", "armed", None),
        ]
        assert [one.id for one in await clocks.armed_of(connection, ["i"])] == ["2"]


async def test_the_longest_due_comes_first_and_who_is_left_out_does_not_come(state: Store) -> None:
    async with state.write() as connection:
        assert await clocks.next_alarm_at(connection) is None
        await clocks.arm(
            connection,
            [
                alarm("0", "late", at=NINE + HOUR),
                alarm("1", "early", at=NINE),
                alarm("2", "early", at=NINE + HOUR),
                alarm("3", "future", at=NINE + 9 * HOUR),
            ],
        )
        due = await clocks.due_incidents(connection, NINE + HOUR, 9)
        assert due == ["early", "late"]
        assert await clocks.due_incidents(connection, NINE + HOUR, 1) == ["early"]
        assert await clocks.due_incidents(connection, NINE + HOUR, 9, {"early"}) == ["late"]
        assert await clocks.next_alarm_at(connection) == NINE
        assert await clocks.next_alarm_at(connection, {"early"}) == NINE + HOUR


async def test_generations_count_by_kind(sqlite_state: Store) -> None:
    async with sqlite_state.write() as connection:
        await clocks.arm(
            connection,
            [
                alarm("0", generation=3),
                alarm("1", generation=2),
                alarm("r", kind="regrade", generation=5),
                alarm("c", clock="c", kind="half", generation=9),
            ],
        )

        assert await clocks.last_generations(connection, ["i", "j"]) == {"i": {"escalate": 3, "regrade": 5}}


def test_the_journal_is_told_what_people_ask_about() -> None:
    told = clocks.clock_values(clock("first"))

    assert (told["obligation"], told["due_at"], told["verified"]) == ("law/first", NINE + HOUR, True)
