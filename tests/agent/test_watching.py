"""Every source watches for as long as the agent runs, however often one of them fails."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from agent.clock import Clock
from agent.outbox import Observed
from agent.sources import LATER, Sensors, SensorsSettings
from agent.sources.port import Clock as Now
from agent.sources.port import Emit
from agent.tasks import Tasks
from agent.watching import Watching
from tests.agent.flaky import Flaky


class Kept:
    """What was told, and the pauses, which take no time here."""

    def __init__(self) -> None:
        self.told: list[Observed] = []
        self.pauses: list[float] = []
        self._news = asyncio.Event()

    async def keep(self, seen: Observed) -> None:
        self.told.append(seen)
        self._news.set()

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    def kinds(self) -> list[str]:
        return [seen.kind for seen in self.told]

    async def until(self, look: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not look():
                self._news.clear()
                await self._news.wait()


class Brief(Flaky):
    """A source that ends without a word."""

    async def watch(self, emit: Emit, clock: Now) -> None:
        if self.failures:
            self.failures -= 1
            return
        await super().watch(emit, clock)


async def watched(clock: Clock, *sources: Flaky | Sensors) -> tuple[Kept, Watching]:
    kept = Kept()
    watching = Watching(sources, kept.keep, clock, "en", sleep=kept.sleep)
    async with Tasks() as tasks:
        watching.start(tasks, {})
        await kept.until(lambda: "incident" in kept.kinds())
    return kept, watching


async def test_a_source_that_fails_is_told_of_and_started_again(clock: Clock) -> None:
    kept, watching = await watched(clock, Flaky(1))

    gap, _ = kept.told
    assert (gap.kind, gap.source, gap.body["kind"]) == ("gap", "flaky", "any")
    assert "source flaky failed (RuntimeError: the sensor broke)" in gap.body["why"]
    figures = watching.figures()["flaky"]
    assert (figures.failures, figures.reports) == (1, 1)


async def test_each_pause_may_be_longer_than_the_one_before(clock: Clock) -> None:
    kept, _ = await watched(clock, Flaky(12))

    assert all(pause <= 2**number for number, pause in enumerate(kept.pauses))
    assert max(kept.pauses) > 1
    assert max(kept.pauses) <= 300


async def test_a_source_that_ends_by_itself_has_failed_too(clock: Clock) -> None:
    kept, watching = await watched(clock, Brief(1))

    assert "(it ended by itself)" in kept.told[0].body["why"]
    assert watching.figures()["flaky"].failures == 1


async def test_the_blind_sources_source_hears_of_it(clock: Clock, tmp_path: Path) -> None:
    sensors = Sensors(SensorsSettings(), watched=(), state=tmp_path)
    await watched(clock, Flaky(1), sensors)

    assert list(sensors._failed) == ["flaky"]


async def test_a_source_that_begins_anew_tells_the_full_picture(clock: Clock) -> None:
    kept = Kept()
    watching = Watching((Flaky(0),), kept.keep, clock, "en", sleep=kept.sleep)
    async with Tasks() as tasks:
        watching.start(tasks, {})
        await kept.until(lambda: kept.kinds() == ["incident"])
        watching.begin_anew(["another"])
        watching.begin_anew(["flaky"])
        await kept.until(lambda: kept.kinds() == 2 * ["incident"])

    assert watching.figures()["flaky"].failures == 0


class Patient(Flaky):
    """A source that looks first a while after a start."""

    name = "setuid"


async def test_what_costs_most_looks_first_a_while_after_a_start_and_at_once_where_it_is_ordered(
    clock: Clock,
) -> None:
    kept = Kept()
    rest = asyncio.Event()

    async def sleep(seconds: float) -> None:
        kept.pauses.append(seconds)
        await rest.wait()

    async with Tasks() as tasks:
        watching = Watching([Patient(0), Flaky(0)], kept.keep, clock, "en", sleep=sleep)
        watching.start(tasks, {})
        await kept.until(lambda: "incident" in kept.kinds())
        assert len(kept.told) == 1
        assert kept.pauses == [LATER["setuid"]]

        watching.begin_anew(["setuid"])
        await kept.until(lambda: len(kept.told) == 2)
        tasks.stop()


def test_what_sees_ways_out_logs_and_packets_begins_at_once() -> None:
    assert not LATER.keys() & {
        "exits",
        "sockets",
        "logins",
        "suricata",
        "zeek",
        "packets",
        "rules",
    }
    assert max(LATER.values()) <= 60
