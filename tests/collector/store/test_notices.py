"""Notices on SQLite and on PostgreSQL: one a key, one claim at a time, results only from the newest claim."""

import asyncio
from datetime import UTC, datetime, timedelta

from collector.store import journal
from collector.store.engine import Store
from collector.store.notices import (
    Notice,
    add_notice,
    claim_notices,
    get_notice,
    next_notice_at,
    notices_of,
    oldest_unsent,
    record_notice,
)

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)


async def add(state: Store, key: str, at: datetime = NOON) -> bool:
    async with state.write() as conn:
        return await add_notice(
            conn, key=key, incident="i", person="wang", channel="w", payload={"subject": "s"}, now=at
        )


async def claim(state: Store, at: datetime = NOON, owner: str = "a", limit: int = 10) -> list[Notice]:
    async with state.write() as conn:
        return await claim_notices(conn, owner=owner, now=at, lease=LEASE, limit=limit)


async def record(state: Store, notice: Notice, outcome: str, at: datetime = NOON) -> bool:
    async with state.write() as conn:
        return await record_notice(
            conn,
            notice,
            state="sent" if outcome == "sent" else "waiting",
            next_at=at + timedelta(seconds=5),
            result={"outcome": outcome},
            now=at,
        )


async def actions(state: Store) -> list[str]:
    async with state.read() as conn:
        return [row.action async for row in journal.read_chains(conn)]


async def test_a_key_is_queued_once(state: Store) -> None:
    assert [await add(state, "k"), await add(state, "k")] == [True, False]
    assert await actions(state) == ["notice.queued"]


async def test_two_processes_that_queue_one_key_at_once_queue_it_once(state: Store) -> None:
    assert sorted(await asyncio.gather(*(add(state, "k") for _ in range(4)))) == [False, False, False, True]


async def test_a_claimed_notice_is_nobody_elses_until_its_lease_is_over(state: Store) -> None:
    await add(state, "k")
    (first,) = await claim(state)
    assert (first.state, first.fence, first.attempts) == ("sending", 1, 1)
    assert await claim(state, NOON + LEASE / 2, "b") == []

    (second,) = await claim(state, NOON + LEASE, "b")
    assert (second.fence, second.attempts) == (2, 2)


async def test_only_the_newest_claims_result_is_taken(state: Store) -> None:
    await add(state, "k")
    (slow,) = await claim(state)
    (fast,) = await claim(state, NOON + LEASE, "b")

    assert await record(state, fast, "sent", NOON + LEASE)
    assert not await record(state, slow, "failed", NOON + LEASE)
    async with state.read() as conn:
        (notice,) = await notices_of(conn, "i")
    assert (notice.state, notice.sent_at) == ("sent", NOON + LEASE)
    assert await actions(state) == ["notice.queued", "notice.sent"]


async def test_what_failed_is_due_again_later_and_told_once(state: Store) -> None:
    await add(state, "k")
    (notice,) = await claim(state)
    await record(state, notice, "failed")

    assert await claim(state, NOON + timedelta(seconds=4)) == []
    (again,) = await claim(state, NOON + timedelta(seconds=5))
    await record(state, again, "failed", NOON + timedelta(seconds=5))
    assert await actions(state) == ["notice.queued", "notice.failed"]


async def test_the_oldest_due_is_claimed_first_and_no_more_than_asked(state: Store) -> None:
    for seconds in (3, 1, 2):
        await add(state, f"k{seconds}", NOON + timedelta(seconds=seconds))

    assert [notice.key for notice in await claim(state, NOON + LEASE, limit=1)] == ["k1"]
    assert [notice.key for notice in await claim(state, NOON + timedelta(seconds=2))] == ["k2"]


async def test_what_waits_tells_when_it_is_due_and_how_old_it_is(state: Store) -> None:
    async with state.read() as conn:
        assert await next_notice_at(conn) is None
        assert await oldest_unsent(conn) is None
    await add(state, "k")
    async with state.read() as conn:
        assert await next_notice_at(conn) == NOON
    (notice,) = await claim(state)
    async with state.read() as conn:
        assert await next_notice_at(conn) == NOON + LEASE
        assert await oldest_unsent(conn) == NOON
    await record(state, notice, "sent")
    async with state.read() as conn:
        assert await next_notice_at(conn) is None
        assert await oldest_unsent(conn) is None


async def test_a_notice_is_found_by_its_id(state: Store) -> None:
    async with state.write() as conn:
        await add_notice(conn, key="k", incident="i", person="p", channel="c", payload={}, now=NOON)
        (notice,) = await notices_of(conn, "i")

        assert await get_notice(conn, notice.id) == notice
        assert await get_notice(conn, "gone") is None
