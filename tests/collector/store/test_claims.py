"""Claims on SQLite and PostgreSQL: one holder at a time, and only the newest holder's word counts."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import sqlalchemy as sa

from collector.store.claims import Outgoing, claim, end_claim, next_claim_at, oldest_left
from collector.store.engine import Store
from collector.store.notice_batch import NewNotice, add_notices
from collector.store.schema import notices

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)
LEFT = sa.text("notices.state IN ('waiting', 'sending')")
NOTICES = Outgoing(table=notices, left=LEFT)


async def queue(state: Store, *keys: str, channel: str = "sms", at: datetime = NOON) -> None:
    new = [NewNotice(key=key, incident="i", person=None, channel=channel, payload={}) for key in keys]
    async with state.write() as conn:
        await add_notices(conn, new, at)


async def take(state: Store, owner: str, now: datetime, limit: int = 10) -> dict[str, int]:
    """Claim as `owner`; return the fences by id."""
    async with state.write() as conn:
        taken = await claim(conn, NOTICES, owner=owner, now=now, lease=LEASE, limit=limit)
        rows = await conn.execute(sa.select(notices.c.id, notices.c.fence).where(notices.c.id.in_(taken)))
        return {row.id: row.fence for row in rows}


async def end(state: Store, key: str, fence: int, *, sent: bool) -> bool:
    async with state.write() as conn:
        return await end_claim(conn, notices, key, fence, {"state": "sent" if sent else "waiting"})


@pytest.mark.parametrize("seed", range(8))
async def test_however_claims_overlap_and_run_out_each_row_is_brought_to_its_end_once(
    state: Store, seed: int
) -> None:
    random, now = Random(seed), NOON  # noqa: S311 - a course of events, no secret
    await queue(state, *(f"k/{number}" for number in range(6)))
    held: list[tuple[str, int, datetime]] = []
    ended: Counter[str] = Counter()
    while sum(ended.values()) < 6:
        now += LEASE * random.choice([0.1, 0.6, 1.1])
        for key, fence in (await take(state, random.choice("ab"), now, limit=random.randint(1, 4))).items():
            assert all(now >= until for one, _, until in held if one == key)
            held.append((key, fence, now + LEASE))
        random.shuffle(held)
        for _ in range(random.randint(0, len(held))):
            key, fence, _ = held.pop()
            newest = fence > max((other for one, other, _ in held if one == key), default=0)
            sent = random.random() < 0.5
            if await end(state, key, fence, sent=sent):
                assert newest
                ended[key] += sent

    assert set(ended.values()) == {1}
    assert await take(state, "a", now + 2 * LEASE) == {}


async def test_the_next_moment_is_when_a_row_is_due_or_a_lease_runs_out(state: Store) -> None:
    await queue(state, "later", at=NOON + timedelta(hours=1))
    await queue(state, "now")
    async with state.read() as conn:
        assert await next_claim_at(conn, NOTICES) == await oldest_left(conn, NOTICES) == NOON
    await take(state, "a", NOON)
    async with state.read() as conn:
        assert await next_claim_at(conn, NOTICES) == NOON + LEASE


async def test_only_the_rows_that_are_meant_are_looked_at(state: Store) -> None:
    await queue(state, "by sms")
    await queue(state, "by mail", channel="mail", at=NOON - LEASE)
    by_sms = Outgoing(table=notices, left=LEFT, also=notices.c.channel == "sms")
    async with state.write() as conn:
        assert await oldest_left(conn, by_sms) == NOON
        taken = await claim(conn, by_sms, owner="a", now=NOON, lease=LEASE, limit=10)
        keys = (await conn.execute(sa.select(notices.c.key).where(notices.c.id.in_(taken)))).scalars().all()

    assert keys == ["by sms"]
