import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct, structs

from agent.budget import Budget
from agent.clock import Clock, host_clock
from agent.sources.port import Observation
from agent.sources.rounds.matters import Finding
from agent.sources.rounds.patrol import Patrol, Round

Watching = Callable[..., AbstractAsyncContextManager[Any]]
TROUBLE = Finding(key="doors:back", klass="SHECONFIG", severity_hint="low", evidence=[{"fault": "open"}])


class Rounds(Struct, frozen=True):
    """How many rounds were made."""

    made: int = 0


class Doors(Patrol[Rounds]):
    """Finds a door open in every round of which `open` says so."""

    name = "doors"
    notes_kind = Rounds

    def __init__(self, state: Path | None, *, is_open: Callable[[int], bool] = lambda _: True) -> None:
        self.looked = asyncio.Event()
        self._is_open = is_open
        super().__init__(poll=0.01, budget=Budget(), state=state)

    def look(self, now: datetime, notes: Rounds, *, alone: bool) -> Round:  # noqa: ARG002 - the port's
        """Look."""
        findings = (TROUBLE,) if self._is_open(notes.made) else ()
        return Round(findings=findings, notes=Rounds(notes.made + 1))


async def test_a_round_tells_what_begins_and_what_is_over(tmp_path: Path, watching: Watching) -> None:
    async with watching(Doors(tmp_path, is_open=lambda made: made < 3)) as heard:
        over = await heard.until(lambda one: one.body.get("restored"))

    assert [one.body["restored"] for one in heard.heard] == [False, True]
    assert over.body["key"] == "doors:back"


async def test_after_a_restart_it_goes_on_where_it_was_and_tells_nothing_twice(
    tmp_path: Path, watching: Watching
) -> None:
    async with watching(Doors(tmp_path)) as heard:
        await heard.until(lambda one: one.kind == "incident")
    async with watching(Doors(tmp_path, is_open=lambda _: False)) as again:
        await again.until(lambda one: one.body["restored"])

    assert len(again.heard) == 1


async def test_what_could_not_be_told_is_not_remembered(tmp_path: Path, watching: Watching) -> None:
    async def full_disk(_: Observation) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        await Doors(tmp_path).watch(full_disk, host_clock().now)
    async with watching(Doors(tmp_path)) as heard:
        told = await heard.until(lambda one: one.kind == "incident")

    assert told.body["key"] == "doors:back"


async def test_a_damaged_memory_is_told_and_begun_anew(tmp_path: Path, watching: Watching) -> None:
    (tmp_path / "doors.json").write_bytes(b'{"notes": {"made": "often"}')
    async with watching(Doors(tmp_path)) as heard:
        gap = await heard.until(lambda one: one.kind == "gap")
        await heard.until(lambda one: one.kind == "incident")

    assert "doors.json" in gap.body["why"]


async def test_a_single_look_needs_no_folder_and_watching_does() -> None:
    source = Doors(None)
    reading = await source.once(host_clock().now())

    assert [one.body["key"] for one in reading.observations] == ["doors:back"]
    with pytest.raises(ValueError, match="state folder"):
        await source.watch(None, host_clock().now)  # type: ignore[arg-type] # not reached


async def test_what_can_not_be_read_is_named_and_makes_the_source_blind(
    tmp_path: Path, watching: Watching
) -> None:
    class Locked(Doors):
        def look(self, now: datetime, notes: Rounds, *, alone: bool) -> Round:  # noqa: ARG002 - the port's
            return Round(unreadable=(("/door", "locked"),))

    source = Locked(tmp_path)
    (unreadable,) = (await source.once(host_clock().now())).unreadable
    async with watching(source) as heard:
        gap = await heard.until(lambda one: one.kind == "gap")

        assert source.blind == "/door: locked"
    assert (unreadable.what, unreadable.why) == ("/door", "locked")
    assert gap.body["why"] == "/door: locked"


class Board:
    """A host whose battery is dead: its clock begins in 2000, until it is set."""

    def __init__(self) -> None:
        self.began = datetime(2000, 1, 1, 8, tzinfo=UTC)
        self._asked = 0.0

    def since_boot(self) -> float:
        self._asked += 0.001
        return self._asked

    def clock(self) -> Clock:
        return Clock(
            now=lambda: self.began + timedelta(seconds=self._asked),
            monotonic=self.since_boot,
            boot_id="boot",
        )


DOWN = Finding(key="doors:portal", klass="DETECH", severity_hint="medium", lasting="portal_down")


class Portal(Patrol[Rounds]):
    """Finds it down while `down`, worse from the round on that `worse` names."""

    name = "portal"
    notes_kind = Rounds

    def __init__(self, state: Path) -> None:
        self.down, self.worse = True, False
        super().__init__(poll=0.01, budget=Budget(), state=state)

    def look(self, now: datetime, notes: Rounds, *, alone: bool) -> Round:  # noqa: ARG002 - the port's
        """Look."""
        finding = structs.replace(DOWN, severity_hint="high" if self.worse else "medium")
        return Round(findings=(finding,) if self.down else ())


@pytest.mark.parametrize("restarted", [False, True], ids=["runs on", "restarted between"])
async def test_a_clock_that_is_set_makes_no_outage_26_years_long(
    tmp_path: Path, watching: Watching, *, restarted: bool
) -> None:
    board, right = Board(), datetime(2026, 3, 2, 4, tzinfo=UTC)
    source = Portal(tmp_path)
    async with watching(source, board.clock()) as heard:
        first = await heard.until(incident)
        if not restarted:
            board.began = right
            source.worse = True
            grown = await heard.until(lambda one: one.body["severity_hint"] == "high")
    if restarted:
        board.began = right
        source = Portal(tmp_path)
        source.worse = True
        async with watching(source, board.clock()) as heard:
            grown = await heard.until(incident)
    async with watching(source, board.clock()) as heard:
        source.down = False
        over = await heard.until(incident)

    assert first.body["facts"]["portal_down_since"].startswith("2000-01-01T08:00:0")
    assert grown.body["facts"]["portal_down_since"].startswith("2026-03-02T04:00:0")
    assert over.body["facts"] == {"portal_down_minutes": 1}


def incident(one: Observation) -> bool:
    return one.kind == "incident"
