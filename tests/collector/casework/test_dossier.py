from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from collector.casework.dossier import Cause, Dossier, load, save_all
from collector.store import clocks, journal
from collector.store.engine import Store
from collector.store.incidents import get_incident, insert_incident, lock_incident

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("actor", "reason", "named"),
    [
        ("person:wang", "a mistake", True),
        ("user:wang", "a mistake", True),
        ("user:wang", "  ", False),
        ("system", "time passed", False),
        ("node:7", "because", False),
    ],
)
def test_only_a_named_person_with_a_reason_counts_as_one(actor: str, reason: str, named: bool) -> None:  # noqa: FBT001 - a table's column
    assert Cause(actor=actor, reason=reason).by_person is named


def test_an_alarm_that_fires_in_the_transaction_that_made_it_is_written_as_fired(
    opened: Callable[..., Dossier],
) -> None:
    dossier = opened()
    alarm = dossier.arm(clock="", generation=9, kind="escalate_0", at=NINE, now=NINE)
    dossier.end(alarm, "fired", NINE)

    assert dossier.new_alarms[alarm.id] == replace(alarm, state="fired", fired_at=NINE)
    assert alarm.id not in dossier.armed


def test_cancelling_takes_the_alarms_of_one_clock_or_of_one_kind(opened: Callable[..., Dossier]) -> None:
    dossier = opened()
    (clock,) = dossier.clocks.values()
    dossier.cancel(prefix="escalate", now=NINE)
    assert sorted(alarm.kind for alarm in dossier.armed.values()) == [
        "four_fifths",
        "half",
        "regrade",
        "target",
    ]

    dossier.cancel(clock=clock.id, now=NINE)
    assert [alarm.kind for alarm in dossier.armed.values()] == ["regrade"]


async def test_what_is_saved_is_what_is_loaded(sqlite_state: Store, opened: Callable[..., Dossier]) -> None:
    dossier = opened()
    async with sqlite_state.write() as connection:
        await insert_incident(connection, dossier.before)
        await save_all(connection, [dossier], NINE)
    async with sqlite_state.read() as connection:
        held = await get_incident(connection, dossier.incident.id)
        assert held is not None
        (loaded,) = await load(connection, [held])

    assert loaded.incident == replace(dossier.incident, version=2)
    assert loaded.clocks == dossier.clocks
    assert loaded.armed == dossier.armed
    assert loaded.generations == {"escalate": 1, "regrade": 1}


async def test_only_changes_are_written(sqlite_state: Store, office: "Office") -> None:
    async with sqlite_state.write() as connection:
        key = await office.casework.open(connection, office.finding(NINE), NINE, NINE)
    async with sqlite_state.write() as connection:
        held = await lock_incident(connection, key)
        assert held is not None
        (dossier,) = await load(connection, [held])
        (clock,) = dossier.clocks.values()
        dossier.put(replace(clock, target_at=NINE + timedelta(hours=9)))
        assert dossier.clock_changes() == ([], [(clock, dossier.clocks[clock.id])])
        await save_all(connection, [dossier], NINE)
        (stored,) = await clocks.clocks_of(connection, [key])
        rows = await journal.of_incident(connection, key)

    assert stored.target_at == NINE + timedelta(hours=9)
    assert len(rows) == 3  # opened, graded, clock.opened: nothing was told anew
