import asyncio
import doctest
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from agent import outbox as room
from agent.clock import Clock
from agent.outbox import Bounds, Entry, Outbox, OutboxError, OutboxFullError
from wire.messages import Ack, Batch, Outcome, Refusal, ReportKind

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


def entry(kind: ReportKind = "incident", note: str = "") -> Entry:
    return Entry(kind, "test", NOW, {"note": note})


def opened(folder: Path, clock: Clock) -> Outbox:
    return Outbox(folder, clock, Bounds(min_free_bytes=0))


def ack(batch: Batch) -> Ack:
    last = batch.reports[-1]
    return Ack(version=1, epoch=batch.epoch, highest=last.seq, highest_id=last.id, received_at=NOW)


async def test_what_was_accepted_is_there_after_a_restart_in_its_order(tmp_path: Path, clock: Clock) -> None:
    outbox = opened(tmp_path, clock)
    ids = [await outbox.accept(entry(note=str(number))) for number in range(5)]
    outbox.close()

    again = opened(tmp_path, clock)
    batch = await again.peek()

    assert batch is not None
    assert [report.id for report in batch.reports] == ids
    again.close()


async def test_accepting_wakes_whoever_sends(tmp_path: Path, clock: Clock) -> None:
    outbox = opened(tmp_path, clock)
    assert not outbox.news.is_set()

    await outbox.accept(entry())

    assert outbox.news.is_set()
    outbox.close()


async def test_many_at_once_are_numbered_without_holes(tmp_path: Path, clock: Clock) -> None:
    outbox = opened(tmp_path, clock)

    await asyncio.gather(*(outbox.accept(entry()) for _ in range(300)))

    batch = await outbox.peek()
    assert batch is not None
    assert [report.seq for report in batch.reports] == list(range(1, 301))
    outbox.close()


async def test_it_is_drained_when_the_last_report_is_acknowledged(tmp_path: Path, clock: Clock) -> None:
    outbox = opened(tmp_path, clock)
    await outbox.accept(entry())
    batch = await outbox.peek()
    assert batch is not None

    _, settled = await asyncio.gather(outbox.drained(), outbox.acknowledge(ack(batch)))

    assert settled == "dropped"
    assert (await outbox.status()).reports == 0
    outbox.close()


async def test_a_fork_is_answered_by_a_new_epoch(tmp_path: Path, clock: Clock) -> None:
    outbox = opened(tmp_path, clock)
    await outbox.accept(entry())
    batch = await outbox.peek()
    assert batch is not None

    fork = Refusal(version=1, reason="fork", epoch=batch.epoch, highest=1, highest_id="other")
    assert await outbox.refused(fork) == "renumbered"

    status = await outbox.status()
    assert (status.forks, status.reports) == (1, 1)
    assert status.epoch != batch.epoch
    outbox.close()


async def test_a_damaged_file_does_not_keep_the_agent_from_starting(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "outbox.db").write_bytes(b"this is no database" * 1000)

    outbox = opened(tmp_path, clock)
    await outbox.begin()

    batch = await outbox.peek()
    assert batch is not None
    (gap,) = batch.reports
    assert gap.kind == "gap"
    assert "damaged" in msgspec.json.decode(bytes(gap.body))["why"]
    assert list(tmp_path.glob("outbox-*.corrupt"))  # noqa: ASYNC240 - nothing else runs
    outbox.close()


async def test_a_full_disk_loses_nothing_that_was_accepted(tmp_path: Path, clock: Clock) -> None:
    outbox = opened(tmp_path, clock)
    first = await outbox.accept(entry())
    (pages,) = outbox._db.execute("PRAGMA page_count").fetchone()
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(OutboxFullError):
        await outbox.accept(entry(note="x" * 200_000))

    outbox._db.execute("PRAGMA max_page_count = 1000000")
    second = await outbox.accept(entry(note="x" * 200_000))
    batch = await outbox.peek()
    assert batch is not None
    assert [report.id for report in batch.reports] == [first, second]
    assert [report.seq for report in batch.reports] == [1, 2]
    outbox.close()


async def test_an_order_is_ended_once_across_restarts(tmp_path: Path, clock: Clock) -> None:
    outbox = opened(tmp_path, clock)
    outcome = Outcome(version=1, order="o1", state="done", at=NOW)
    assert not await outbox.order_ended("o1")
    assert await outbox.conclude(outcome, [entry("evidence")])
    outbox.close()

    again = opened(tmp_path, clock)
    assert await again.order_ended("o1")
    assert not await again.conclude(outcome, [entry("evidence")])
    assert await again.untold_outcomes() == [outcome]
    await again.outcome_told("o1")
    assert await again.untold_outcomes() == []
    assert (await again.status()).reports == 1
    again.close()


async def test_other_bounds_apply_at_once(tmp_path: Path, clock: Clock) -> None:
    outbox = opened(tmp_path, clock)
    for _ in range(10):
        await outbox.accept(entry("sockets", "x" * 1000))

    await outbox.rebound(Bounds(max_bytes=4096, min_free_bytes=0))

    assert (await outbox.status()).drops["sockets"] >= 6
    outbox.close()


async def test_pages_of_what_was_dropped_go_back_to_the_disk(tmp_path: Path, clock: Clock) -> None:
    outbox = opened(tmp_path, clock)
    for _ in range(10):
        await outbox.accept(entry("sockets", "x" * 100_000))
    (before,) = outbox._db.execute("PRAGMA page_count").fetchone()

    await outbox.rebound(Bounds(max_bytes=4096, min_free_bytes=0))

    (after,) = outbox._db.execute("PRAGMA page_count").fetchone()
    assert after < before / 4
    outbox.close()


async def test_a_report_set_aside_is_out_of_the_way(tmp_path: Path, clock: Clock) -> None:
    outbox = opened(tmp_path, clock)
    identifier = await outbox.accept(entry())

    await outbox.set_aside(identifier, "status 400")

    batch = await outbox.peek()
    assert batch is not None
    assert [report.kind for report in batch.reports] == ["gap"]
    outbox.close()


async def test_two_agents_cannot_share_a_folder(tmp_path: Path, clock: Clock) -> None:
    outbox = opened(tmp_path, clock)

    with pytest.raises(OutboxError, match="another agent"):
        opened(tmp_path, clock)

    outbox.close()


def test_the_rooms_story_is_true() -> None:
    assert doctest.testmod(room).attempted
    assert doctest.testmod(room).failed == 0


@pytest.mark.parametrize("how", ["gone", "empty"])
async def test_an_outbox_that_is_gone_or_empty_after_a_power_cut_is_a_loss_that_is_told(
    tmp_path: Path, clock: Clock, how: str
) -> None:
    outbox = opened(tmp_path, clock)
    assert outbox.damage == ""
    await outbox.accept(entry())
    outbox.close()
    (tmp_path / "outbox.db").unlink()
    if how == "empty":
        (tmp_path / "outbox.db").touch()

    again = opened(tmp_path, clock)
    await again.begin()
    batch = await again.peek()

    assert batch is not None
    assert [report.kind for report in batch.reports] == ["gap"]
    assert "what waited in it is lost" in msgspec.json.decode(batch.reports[0].body)["why"]
    again.close()
    last = opened(tmp_path, clock)
    assert last.damage == ""
    last.close()


@pytest.mark.parametrize("how", ["removed", "replaced"])
async def test_what_is_written_where_no_next_start_finds_it_is_said(
    tmp_path: Path, clock: Clock, how: str
) -> None:
    outbox = opened(tmp_path, clock)
    (tmp_path / "outbox.db").unlink()
    if how == "replaced":
        (tmp_path / "outbox.db").touch()

    with pytest.raises(OutboxError, match="expected the outbox that is in use"):
        await outbox.tidy()
    outbox.close()
