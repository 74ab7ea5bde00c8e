"""A batch on its way in, without HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.eventlog.sqlite import SqliteLog
from collector.ingest.receive import Receiver
from collector.ingest.tally import Tally
from tests.collector.ingest.tower import batch
from wire.codec import WireError
from wire.messages import Ack, Refusal

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    log = await SqliteLog.open(tmp_path / "events.db")
    yield log
    await log.close()


async def test_what_is_acknowledged_is_committed_and_counted(log: SqliteLog) -> None:
    tally, ticks = Tally(), iter([10.0, 10.004])
    ack = await Receiver(log, tally, lambda: next(ticks)).take("n", batch(1, 3), "", NOW)

    assert ack == Ack(version=1, epoch="e", highest=3, highest_id="r3", received_at=NOW)
    assert (await log.held("n", "e")).highest == 3
    assert (tally.batches, tally.reports, tally.commits) == (1, 3, 1)
    assert tally.commit_buckets[2] == 1


async def test_the_same_numbers_of_another_node_are_another_session(log: SqliteLog) -> None:
    receiver = Receiver(log, Tally())
    for node in ("a", "b"):
        assert isinstance(await receiver.take(node, batch(1, 3), "", NOW), Ack)
    assert [entry.node for entry in await log.read(0, 9, 9999)] == ["a", "b"]


async def test_missing_numbers_are_counted(log: SqliteLog) -> None:
    tally = Tally()
    receiver = Receiver(log, tally)
    dropped = batch(1, 5).replace(b'"after":0', b'"after":0').replace(b'"seq":5', b'"seq":9')
    await receiver.take("n", dropped, "", NOW)
    assert (tally.reports, tally.missing) == (5, 4)


async def test_a_refusal_says_what_is_held(log: SqliteLog) -> None:
    tally = Tally()
    receiver = Receiver(log, tally)
    await receiver.take("n", batch(1, 3), "", NOW)
    refusal = await receiver.take("n", batch(9, 9), "", NOW)
    assert refusal == Refusal(version=1, reason="gap", epoch="e", highest=3, highest_id="r3")
    assert tally.refused == {"gap": 1}


@pytest.mark.parametrize(
    "body",
    [
        batch(1, 2).replace(b'"seq":2', b'"seq":1'),
        batch(1, 1).replace(b'"id":"r1"', b'"id":"\\u0000"'),
        batch(1, 1).replace(b'"epoch":"e"', b'"epoch":"a\\u0000"'),
    ],
)
async def test_a_batch_no_honest_outbox_makes_is_malformed(log: SqliteLog, body: bytes) -> None:
    with pytest.raises(WireError) as refused:
        await Receiver(log, Tally()).take("n", body, "", NOW)
    assert (refused.value.reason, refused.value.status) == ("malformed", 400)
