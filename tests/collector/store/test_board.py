from datetime import UTC, datetime, timedelta

from collector.store import schema
from collector.store.board import (
    entries_after,
    newest_entry,
    read_board,
    read_case,
    unit_of_incident,
    unit_of_run,
    when,
)
from collector.store.engine import Store
from tests.browser.watch_room import casework, open_incident, shipped_registry

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WORK = casework(shipped_registry())


async def test_what_is_due_first_stands_on_top_and_what_runs_for_nothing_below(state: Store) -> None:
    later = await open_incident(state, WORK, NOW)
    sooner = await open_incident(state, WORK, NOW - timedelta(minutes=20))
    free = await open_incident(state, WORK, NOW, unit="district-hospital", asset="hospital-his")
    async with state.read() as conn:
        board = await read_board(conn, units=None)

    order = [one.incident.id for one in board.burning]
    assert order.index(sooner) < order.index(later)
    assert board.total == 3
    dues = [when(one.clocks[0]) for one in board.burning if one.clocks and when(one.clocks[0])]
    assert dues == sorted(due for due in dues if due)
    assert free in order


async def test_what_becomes_graver_soon_stands_before_what_only_waits(state: Store) -> None:
    rising = await open_incident(state, WORK, NOW)
    waiting = await open_incident(state, WORK, NOW + timedelta(minutes=1), klass="SHECONFIG", facts={})
    async with state.write() as conn:
        await conn.execute(schema.clocks.update().values(state="met"))
    async with state.read() as conn:
        board = await read_board(conn, units=None)

    assert [one.incident.id for one in board.burning] == [rising, waiting]


async def test_a_closed_incident_leaves_the_board_and_is_shown_as_closed_lately(state: Store) -> None:
    incident = await open_incident(state, WORK, NOW)
    async with state.write() as conn:
        await WORK.move(conn, incident, "closed", "person:li-na", NOW, "a drill nobody announced")
    async with state.read() as conn:
        board = await read_board(conn, units=None)

    assert (board.total, board.burning) == (0, [])
    assert [row.id for row in board.recent] == [incident]


async def test_the_board_shows_the_first_and_counts_all(state: Store) -> None:
    for minute in range(3):
        await open_incident(state, WORK, NOW - timedelta(minutes=minute))
    async with state.read() as conn:
        board = await read_board(conn, units=None, limit=2)
        elsewhere = await read_board(conn, units=["city"])

    assert (len(board.burning), board.total) == (2, 3)
    assert elsewhere.total == 0


async def test_a_case_holds_all_that_hangs_on_an_incident(state: Store) -> None:
    incident = await open_incident(state, WORK, NOW)
    async with state.read() as conn:
        case = await read_case(conn, incident, units=["district"])
        hidden = await read_case(conn, incident, units=["city"])
        unit = await unit_of_incident(conn, incident)
        nobody = await unit_of_incident(conn, "nothing")
        no_run = await unit_of_run(conn, "nothing")

    assert case
    assert [clock.obligation for clock in case.clocks] == ["cn-informatization/report"]
    assert case.journal[-1].action == "incident.opened"
    assert (hidden, unit, nobody, no_run) == (None, "district", None, None)


async def test_the_journal_is_followed_by_its_ids(state: Store) -> None:
    async with state.read() as conn:
        assert await newest_entry(conn) == 0
    await open_incident(state, WORK, NOW)
    async with state.read() as conn:
        newest = await newest_entry(conn)
        entries = await entries_after(conn, 0)
        rest = await entries_after(conn, newest - 1)

    assert [entry.id for entry in entries] == list(range(1, newest + 1))
    assert [entry.id for entry in rest] == [newest]
