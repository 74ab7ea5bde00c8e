import asyncio
import threading
from datetime import UTC, datetime

import pytest

from agent.budget import Budget, Rest, RestingError, StillRunningError
from agent.sources.port import Observation
from agent.sources.rounds.runs import Runs, StuckError

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


async def test_a_look_answers_what_its_work_returns_or_raises() -> None:
    runs = Runs("exits", Budget())

    assert await runs.look(lambda: 42) == 42
    with pytest.raises(FileNotFoundError):
        await runs.look(lambda: open("/nowhere"))  # noqa: PTH123, SIM115 - any error will do


async def test_a_stuck_look_is_given_up_told_and_never_joined_by_another() -> None:
    hung, released = threading.Event(), threading.Event()

    def hang() -> None:
        hung.set()
        released.wait(30)

    runs = Runs("files", Budget(stuck_after=0.05))
    with pytest.raises(StuckError, match=r"stuck for more than 0\.05 s"):
        await runs.look(hang)
    assert hung.is_set()
    with pytest.raises(StillRunningError):
        await runs.look(lambda: None)
    (gap,) = runs.gaps("incident", NOW)
    assert gap.kind == "gap"
    assert gap.body["kind"] == "incident"
    assert "stuck" in gap.body["why"]

    released.set()
    async with asyncio.timeout(10):
        while True:
            try:
                await runs.look(lambda: None)
                break
            except StillRunningError:
                await asyncio.sleep(0)


async def test_an_overdrawn_source_rests_and_says_from_when_to_when() -> None:
    clock = [100.0]
    runs = Runs("sockets", Budget(cpu_seconds=0.0, cool_down=60.0), monotonic=lambda: clock[0])
    await runs.look(lambda: sum(range(200_000)))

    with pytest.raises(RestingError):
        await runs.look(lambda: None)
    (gap,) = runs.gaps("sockets", NOW)
    assert (gap.body["from"], gap.body["to"]) == ("2026-03-02T01:10:00Z", "2026-03-02T01:11:00Z")
    assert gap.body["count"] is None
    assert gap.rest == Rest("sockets", 60.0)
    assert gap.body["why"].startswith("overdrawn: cpu_seconds")
    assert runs.gaps("sockets", NOW) == ()
    clock[0] = 160.0
    assert runs.resting == 0


async def test_incidents_and_gaps_are_never_paid_for() -> None:
    runs = Runs("files", Budget(report_bytes=0))
    runs.pay(Observation("incident", "files", NOW, {"key": "files:/var/www"}))
    runs.pay(Observation("gap", "files", NOW, {}))

    assert runs.resting == 0
    runs.pay(Observation("exits", "exits", NOW, {"links": []}))
    assert runs.resting > 0


async def test_a_look_that_is_cancelled_leaves_the_source_usable() -> None:
    released = threading.Event()
    runs = Runs("files", Budget())
    looking = asyncio.gather(runs.look(lambda: released.wait(30)))
    await asyncio.sleep(0)
    looking.cancel()
    released.set()
    with pytest.raises(asyncio.CancelledError):
        await looking

    async with asyncio.timeout(10):
        while True:
            try:
                assert await runs.look(lambda: 1) == 1
                break
            except StillRunningError:
                await asyncio.sleep(0)


def test_a_trouble_that_lasts_is_told_once_an_hour() -> None:
    clock = [0.0]
    runs = Runs("logins", Budget(), monotonic=lambda: clock[0])
    told = 0
    for second in range(0, 7200, 10):
        clock[0] = float(second)
        runs.note_trouble("journal could not be read: No such file or directory: 'journalctl'")
        told += len(runs.gaps("incident", NOW))

    assert told == 2
    runs.note_trouble("another one")
    assert [one.body["why"] for one in runs.gaps("incident", NOW)] == ["another one"]


def test_events_that_were_missed_are_told_each_time() -> None:
    runs = Runs("exits", Budget())
    runs.note_gap("kernel dropped routing events")
    runs.note_gap("kernel dropped routing events")

    assert len(runs.gaps("exits", NOW)) == 2


async def test_a_source_says_why_it_is_blind_until_it_sees_again() -> None:
    runs = Runs("logins", Budget())
    assert runs.blind == ""
    runs.note_trouble("auth.log: Permission denied")
    assert runs.blind == "auth.log: Permission denied"
    await runs.look(lambda: None)

    assert runs.blind == ""


async def test_a_source_that_rests_is_blind() -> None:
    runs = Runs("logins", Budget(cpu_seconds=-1.0))
    await runs.look(lambda: None)

    assert "rests" in runs.blind


async def test_a_cool_down_of_an_earlier_life_goes_on_for_the_purse_it_was_of() -> None:
    process, line = (
        Runs("rules", Budget(), monotonic=lambda: 7.0, part=part) for part in ("process", "line")
    )
    for runs in (process, line):
        runs.resume({"rules/process": 20.0, "rules": 90.0})

    with pytest.raises(RestingError, match="resting for 20 s"):
        await process.look(lambda: None)
    assert process.blind == "overdrawn, rests 20 s more"
    assert process.gaps("incident", NOW) == (), "it was told in that life"
    assert await line.look(lambda: 42) == 42


def test_what_goes_on_is_told_at_once_and_then_once_a_minute_with_the_time_it_took() -> None:
    clock = [0.0]
    runs = Runs("exits", Budget(), monotonic=lambda: clock[0])
    told = []
    for second in range(150):
        clock[0] = float(second)
        runs.note_span("events are dropped")
        told += [(second, gap.body["from"], gap.body["to"]) for gap in runs.gaps("exits", NOW)]
    clock[0] = 200.0
    told += [(200, gap.body["why"]) for gap in runs.gaps("exits", NOW)]

    moments = ("2026-03-02T01:09:01Z", "2026-03-02T01:10:00Z")
    assert told == [(0, moments[1], moments[1]), (60, *moments), (120, *moments), (200, "events are dropped")]
    assert runs.gaps("exits", NOW) == ()
    assert runs.blind == ""
