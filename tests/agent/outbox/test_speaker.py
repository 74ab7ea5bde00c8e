"""An outbox that goes on under another node's id."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from agent.clock import Clock
from agent.outbox import Bounds, Entry, Outbox
from agent.outbox.speaker import TABLE, becomes
from tests.agent.outbox.test_queue import ack

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


def test_the_first_node_is_no_other_and_the_same_again_is_none() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute(TABLE)

    assert [becomes(db, node) for node in ("a", "a", "b", "a")] == [False, False, True, True]


async def test_under_another_id_the_numbers_begin_anew_and_no_loss_is_told(
    tmp_path: Path, clock: Clock
) -> None:
    outbox = Outbox(tmp_path, clock, Bounds(min_free_bytes=0))
    assert not await outbox.speak_for("node-1")
    told, held = [await outbox.accept(Entry("incident", "test", NOW, {"n": n})) for n in range(2)]
    first = await outbox.peek(1)
    assert first is not None
    await outbox.acknowledge(ack(first))
    outbox.close()

    again = Outbox(tmp_path, clock, Bounds(min_free_bytes=0))
    assert not await again.speak_for("node-1")
    assert await again.speak_for("node-2")
    batch = await again.peek()

    assert batch is not None
    assert batch.epoch != first.epoch
    assert (batch.after, batch.after_id) == (0, "")
    assert [(report.seq, report.id) for report in batch.reports] == [(1, held)]
    assert told == first.reports[0].id
    await asyncio.to_thread(again.close)
