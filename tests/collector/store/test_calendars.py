"""The calendar table keeps whole years, tells what changed, and lets nobody take away what is confirmed."""

from datetime import UTC, date, datetime

import sqlalchemy as sa
from msgspec.structs import replace

from collector.store import calendars
from collector.store.engine import Store
from collector.store.schema import calendar_day, journal
from collector.workdays import CalendarYear, calendars_of, library_year
from collector.workdays.year import weekdays_of

NOW = datetime(2026, 11, 3, 8, tzinfo=UTC)
CHINA = library_year("CN", 2026)
GUESS = library_year("CN", 2027)


async def held(state: Store) -> dict[tuple[str, int], CalendarYear]:
    async with state.read() as connection:
        return await calendars.read_years(connection)


async def test_a_year_comes_back_as_it_was_filled(state: Store) -> None:
    written = await state.run(lambda connection: calendars.fill(connection, [CHINA, GUESS], NOW))

    assert written == [CHINA, GUESS]
    assert await held(state) == {("CN", 2026): CHINA, ("CN", 2027): GUESS}
    async with state.read() as connection:
        count = (await connection.execute(sa.select(sa.func.count()).select_from(calendar_day))).scalar_one()
    assert count == 730


async def test_only_confirmed_years_count_for_a_limit(state: Store) -> None:
    await state.run(lambda connection: calendars.fill(connection, [CHINA, GUESS], NOW))

    assert set(calendars_of((await held(state)).values()).by_region["CN"].days) == {2026}


async def test_filling_again_writes_nothing(state: Store) -> None:
    await state.run(lambda connection: calendars.fill(connection, [CHINA], NOW))

    assert await state.run(lambda connection: calendars.fill(connection, [CHINA], NOW)) == []


async def test_an_older_library_takes_away_nothing_that_is_confirmed(state: Store) -> None:
    decreed = replace(GUESS, confirmed=True, source="国办发明电", working=weekdays_of(2027))
    await state.run(lambda connection: calendars.fill(connection, [decreed], NOW))

    assert await state.run(lambda connection: calendars.fill(connection, [GUESS], NOW)) == []
    assert await state.run(lambda connection: calendars.fill(connection, [GUESS], NOW, lessen=True)) == [
        GUESS
    ]


async def test_a_change_is_told_in_the_journal(state: Store) -> None:
    await state.run(lambda connection: calendars.fill(connection, [CHINA], NOW))
    local = replace(CHINA, source="local", working=CHINA.working - {date(2026, 3, 2)})
    await state.run(lambda connection: calendars.fill(connection, [local], NOW, actor="user:li"))

    async with state.read() as connection:
        query = sa.select(journal).where(journal.c.action == "calendar.filled").order_by(journal.c.n)
        first, second = (await connection.execute(query)).mappings()
    assert first["detail"]["changed"] is None
    assert (second["actor"], second["subject"]) == ("user:li", "calendar:CN/2026")
    assert second["detail"] == {"source": "local", "confirmed": True, "working_days": 247, "changed": 1}


async def test_a_year_is_missing_where_it_is_here_or_to_be_decreed_and_only_reckoned(state: Store) -> None:
    years = [CHINA, GUESS, library_year("CN", 2028)]
    await state.run(lambda connection: calendars.fill(connection, years, NOW))

    async with state.read() as connection:
        assert await calendars.missing_years(connection, NOW.replace(month=10)) == []
        assert await calendars.missing_years(connection, NOW) == [("CN", 2027)]
        assert await calendars.missing_years(connection, NOW.replace(year=2027)) == [
            ("CN", 2027),
            ("CN", 2028),
        ]
