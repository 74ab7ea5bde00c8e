from datetime import UTC, datetime

from collector.store import journal
from collector.store.engine import Store
from collector.store.notice_batch import NewNotice, add_notices
from collector.store.notices import notices_of

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def notice(number: int) -> NewNotice:
    payload = {"subject": f"第 {number} 条"}
    return NewNotice(key=f"k/{number}", incident="i", person="wang", channel="webhook", payload=payload)


async def test_who_is_named_first_is_told_first(sqlite_state: Store) -> None:
    async with sqlite_state.write() as connection:
        await add_notices(connection, [notice(number) for number in range(9)], NINE)
        found = await notices_of(connection, "i")

    assert [one.key for one in found] == [f"k/{number}" for number in range(9)]
    assert {(one.state, one.next_at, one.attempts) for one in found} == {("waiting", NINE, 0)}


async def test_known_keys_are_left_as_they_are(state: Store) -> None:
    async with state.write() as connection:
        await add_notices(connection, [notice(number) for number in range(0, 20, 2)], NINE)
        new = await add_notices(connection, [notice(number) for number in range(20)], NINE)
        rows = [row async for row in journal.read_chains(connection)]

    assert new == [f"k/{number}" for number in range(1, 20, 2)]
    assert [row.detail["subject"] for row in rows[-2:]] == ["第 17 条", "第 19 条"]


async def test_nothing_to_say_is_nothing_written(sqlite_state: Store) -> None:
    async with sqlite_state.write() as connection:
        assert await add_notices(connection, [], NINE) == []
