"""What every event log does, on SQLite and on PostgreSQL."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.errors import RetryableError
from collector.eventlog.port import Entry, EventLog
from collector.eventlog.postgres import PostgresLog
from collector.eventlog.sqlite import SqliteLog
from wire.session import DisorderError, Held, Refuse, Repeat, Slice, Take

NOON = datetime(2026, 3, 2, 4, 0, 0, 123456, tzinfo=UTC)
ALL = 1_000_000

OpenLog = Callable[[], Awaitable[EventLog]]


def fail(name: str, error: BaseException) -> None:
    raise AssertionError(f"task {name} died") from error


@pytest.fixture(params=["sqlite", "postgres"])
async def open_log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenLog]:
    """Opens the same log as often as it is called, as several collectors would."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    async with AsyncExitStack() as stack:

        async def opened() -> EventLog:
            log: EventLog
            log = await PostgresLog.open(url, fail) if url else await SqliteLog.open(tmp_path / "events.db")
            stack.push_async_callback(log.close)
            return log

        yield opened


@pytest.fixture
async def log(open_log: OpenLog) -> EventLog:
    return await open_log()


def run(first: int, last: int, tag: str = "r") -> Slice:
    """The reports `first` to `last`, built on the one before."""
    after_id = f"{tag}{first - 1}" if first > 1 else ""
    numbers = range(first, last + 1)
    return Slice(first - 1, after_id, tuple(numbers), tuple(f"{tag}{n}" for n in numbers))


async def put(log: EventLog, batch: Slice, node: str = "n", body: bytes = b"{}") -> object:
    return await log.append(node, "e", batch, body, NOON)


async def drain(log: EventLog, after: int = 0) -> list[Entry]:
    return await log.read(after, ALL, ALL)


def stored_numbers(entries: list[Entry], batches: dict[bytes, Slice]) -> list[int]:
    """The report numbers a reader takes from the log, in order."""
    return [n for entry in entries for n in batches[entry.body].numbers if n > entry.floor]


async def test_a_batch_is_read_back_as_it_was_received(log: EventLog) -> None:
    assert await put(log, run(1, 3), body=b'{"as": "sent"}') == Take(Held(3, "r3"), fresh=3, missing=0)

    [entry] = await drain(log)
    expected = Entry(
        position=entry.position,
        node="n",
        epoch="e",
        floor=0,
        last=3,
        count=3,
        received_at=NOON,
        stored=b'{"as": "sent"}',
    )
    assert expected == entry
    assert entry.position > 0


async def test_a_batch_sent_twice_is_stored_once(log: EventLog) -> None:
    await put(log, run(1, 3))

    assert await put(log, run(1, 3)) == Repeat(Held(3, "r3"))
    assert len(await drain(log)) == 1


async def test_an_overlapping_batch_counts_only_its_new_part(log: EventLog) -> None:
    await put(log, run(1, 3))

    assert await put(log, run(1, 5)) == Take(Held(5, "r5"), fresh=2, missing=0)
    assert [(e.floor, e.last, e.count) for e in (await drain(log))[1:]] == [(3, 5, 2)]


@pytest.mark.parametrize(
    ("batch", "reason"), [(run(5, 6), "gap"), (run(4, 5, "clone"), "fork"), (run(2, 4, "clone"), "fork")]
)
async def test_what_does_not_fit_is_refused_and_not_stored(log: EventLog, batch: Slice, reason: str) -> None:
    await put(log, run(1, 3))

    refused = await put(log, batch)
    assert isinstance(refused, Refuse)
    assert (reason, Held(3, "r3")) == (refused.reason, refused.held)
    assert len(await drain(log)) == 1


async def test_numbers_that_do_not_ascend_spoil_no_other_batch_of_the_group(log: EventLog) -> None:
    tangled = Slice(0, "", (2, 1), ("b", "a"))
    good, bad, fine = await asyncio.gather(
        put(log, run(1, 1), "a"), put(log, tangled, "b"), put(log, run(1, 1), "c"), return_exceptions=True
    )

    assert isinstance(bad, DisorderError)
    assert isinstance(good, Take)
    assert isinstance(fine, Take)


async def test_held_is_what_the_last_append_said(log: EventLog) -> None:
    assert await log.held("n", "e") == Held()
    await put(log, run(1, 3))
    assert await log.held("n", "e") == Held(3, "r3")
    assert await log.held("n", "another epoch") == Held()


async def test_one_sender_may_have_several_batches_in_one_group(log: EventLog) -> None:
    answers = await asyncio.gather(*(put(log, run(n, n)) for n in range(1, 6)))

    assert [a.held.highest for a in answers if isinstance(a, Take)] == [1, 2, 3, 4, 5]
    assert [(e.floor, e.last) for e in await drain(log)] == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]


async def test_sessions_and_positions_survive_a_restart(open_log: OpenLog) -> None:
    first = await open_log()
    await put(first, run(1, 2))
    before = await drain(first)
    await first.close()

    second = await open_log()
    assert await put(second, run(1, 2)) == Repeat(Held(2, "r2"))
    await put(second, run(3, 3))
    after = await drain(second)
    assert before == after[:1]
    assert after[1].position > after[0].position


async def test_read_stops_at_its_limits_but_always_gives_one(log: EventLog) -> None:
    for n in range(1, 6):
        await put(log, run(n, n), body=b"x" * 100)

    assert [e.last for e in await log.read(0, 3, ALL)] == [1, 2, 3]
    assert [e.last for e in await log.read(0, ALL, 299)] == [1, 2]
    assert [e.last for e in await log.read(0, ALL, 5)] == [1]
    entries = await drain(log)
    assert [e.last for e in await log.read(entries[2].position, ALL, ALL)] == [4, 5]


async def test_a_waiting_reader_is_woken_by_the_append(open_log: OpenLog) -> None:
    writer, reader = await open_log(), None
    reader = writer if isinstance(writer, SqliteLog) else await open_log()
    waiting = asyncio.gather(reader.wait_for(0))
    await put(writer, run(1, 1))
    await asyncio.wait_for(waiting, 5)

    [entry] = await drain(reader)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.wait_for(entry.position), 0.05)


async def test_trim_drops_the_old_that_every_reader_has_passed(log: EventLog) -> None:
    for n in range(1, 6):
        await log.append("n", "e", run(n, n), b"{}", NOON + timedelta(hours=n))
    positions = [e.position for e in await drain(log)]

    assert await log.trim(positions[3], NOON + timedelta(hours=3)) == 2
    assert [e.last for e in await drain(log)] == [3, 4, 5]
    assert await log.trim(positions[2], NOON + timedelta(hours=9)) == 1
    assert [e.last for e in await drain(log)] == [4, 5]


async def test_after_trimming_all_it_may_positions_and_sessions_go_on(open_log: OpenLog) -> None:
    log = await open_log()
    await put(log, run(1, 1))
    await put(log, run(2, 2))
    newest = (await log.extent()).last

    assert await log.trim(ALL, NOON + timedelta(days=1)) == 1
    assert (newest, newest) == ((await log.extent()).first, (await log.extent()).last)
    await log.close()
    again = await open_log()
    assert await put(again, run(1, 2)) == Repeat(Held(2, "r2"))
    await put(again, run(3, 3))
    assert (await again.extent()).last > newest


async def test_extent_tells_positions_and_bytes(log: EventLog) -> None:
    assert ((await log.extent()).first, (await log.extent()).last) == (0, 0)
    await put(log, run(1, 1), body=b"x" * 100_000)
    extent = await log.extent()
    assert extent.first == extent.last > 0
    assert extent.bytes > 100_000


async def test_a_closed_log_says_so(open_log: OpenLog) -> None:
    log = await open_log()
    await log.close()
    await log.close()
    for call in (put(log, run(1, 1)), log.read(0, 1, 1), log.wait_for(0), log.held("n", "e")):
        with pytest.raises(RetryableError):
            await call


async def test_what_was_begun_before_closing_is_stored(open_log: OpenLog) -> None:
    log = await open_log()
    appends = [asyncio.ensure_future(put(log, run(1, 1), f"n{n}")) for n in range(50)]  # noqa: TID251
    await asyncio.sleep(0)
    await log.close()

    assert all(isinstance(answer, Take) for answer in await asyncio.gather(*appends))
    assert len(await drain(await open_log())) == 50


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_resent_each_report_is_read_once(open_log: OpenLog, seed: int) -> None:
    """Two collectors get the same reports of one outbox, late, twice and overlapping."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable order, not a secret
    logs = [await open_log(), await open_log()]
    batches: dict[bytes, Slice] = {}

    async def resend(number: int) -> None:
        held = await chance.choice(logs).held("n", "e")
        first = max(1, held.highest + 1 - chance.randrange(4))
        batch = run(first, first + chance.randrange(5))
        body = b"%d" % number
        batches[body] = batch
        with_luck = chance.choice(logs).append("n", "e", batch, body, NOON)
        assert isinstance(await with_luck, Take | Repeat | Refuse)

    for start in range(0, 60, 4):
        await asyncio.gather(*(resend(n) for n in range(start, start + 4)))
    held = await logs[0].held("n", "e")
    numbers = stored_numbers(await drain(logs[1]), batches)
    assert list(range(1, held.highest + 1)) == numbers


async def test_a_cursor_never_passes_what_is_still_being_written(open_log: OpenLog) -> None:
    """Three collectors append at once while a reader follows: it misses nothing."""
    writers = [await open_log() for _ in range(3)]
    reader = await open_log()
    total = 3 * 4 * 25

    async def follow() -> list[Entry]:
        seen: list[Entry] = []
        while len(seen) < total:
            seen += await reader.read(seen[-1].position if seen else 0, 7, ALL)
            await asyncio.sleep(0)
        return seen

    async def send(log: EventLog, node: str) -> None:
        for n in range(1, 26):
            await put(log, run(n, n), node)

    following = asyncio.wait_for(follow(), 60)
    senders = [send(log, f"{i}-{k}") for i, log in enumerate(writers) for k in range(4)]
    seen, *_ = await asyncio.gather(following, *senders)

    assert await drain(reader) == seen
