"""One run taken as far as it goes."""

from datetime import UTC, datetime, timedelta

import pytest

from collector.actions.port import Done, Result, Waiting
from collector.plans import examine
from collector.runs.advance import advance
from collector.runs.board import Board, begin_run
from collector.store.runs import StepRow

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


class Slow:
    """Carries out steps that each take a minute, and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def begin(self, _board: Board, row: StepRow, now: datetime, /) -> Result:
        self.asked.append(f"begin {row.step}")
        return Waiting(now + timedelta(minutes=1))

    async def poll(self, _board: Board, row: StepRow, now: datetime, /) -> Result:
        self.asked.append(f"poll {row.step}")
        return Done() if now >= row.ready_at + timedelta(minutes=1) else Waiting(now + timedelta(minutes=1))

    async def ask(self, _board: Board, row: StepRow, _now: datetime, /) -> None:
        self.asked.append(f"ask {row.step}")

    async def remind(self, _board: Board, row: StepRow, _now: datetime, /) -> None:
        self.asked.append(f"remind {row.step}")


def board_of(steps: str) -> Board:
    examined = examine(f"id: p\nname: {{zh: 一, en: one}}\nsteps:\n{steps}", "p.yaml")
    assert examined.plan is not None, examined.findings
    return begin_run(examined.plan, run_id="r", incident=None, sha256="", now=NOW)


def wait(name: str, more: str = "") -> str:
    return f"{{id: {name}, kind: wait, owner: duty, for: 1m, title: {{zh: 等, en: w}}{more}}}"


async def test_what_is_ready_begins_and_what_waits_is_left_until_its_time() -> None:
    board, slow = board_of(f"  - {wait('a')}\n  - {wait('b')}\n"), Slow()

    await advance(board, slow, NOW)
    await advance(board, slow, NOW + timedelta(seconds=59))
    assert slow.asked == ["begin a"]
    await advance(board, slow, NOW + timedelta(minutes=1))

    assert slow.asked == ["begin a", "poll a", "begin b"]


async def test_branches_begin_in_the_same_pass() -> None:
    board, slow = (
        board_of(
            "  - id: f\n    kind: parallel\n    title: {zh: 并, en: p}\n"
            f"    branches: [[{wait('a')}], [{wait('b')}]]\n"
        ),
        Slow(),
    )

    await advance(board, slow, NOW)

    assert slow.asked == ["begin a", "begin b"]


async def test_a_deadline_is_only_missed_if_the_work_is_not_done_by_then() -> None:
    board, slow = board_of(f"  - {wait('a', ', timeout: 1m')}\n  - {wait('b', ', timeout: 30s')}\n"), Slow()

    await advance(board, slow, NOW)
    await advance(board, slow, NOW + timedelta(minutes=1))
    assert board.rows["a", 1].state == "done"
    await advance(board, slow, NOW + timedelta(minutes=1, seconds=30))

    assert (board.rows["b", 1].state, board.run.state) == ("failed", "failed")


async def test_a_late_step_that_stays_is_told_of_once() -> None:
    form = "{id: a, kind: manual, owner: duty, timeout: 30s, on_timeout: stay, title: {zh: 办, en: do}}"
    board, slow = board_of(f"  - {form}\n"), Slow()

    for seconds in (0, 29, 30, 31, 3600):
        await advance(board, slow, NOW + timedelta(seconds=seconds))

    assert slow.asked == ["remind a"]
    assert board.rows["a", 1].state == "waiting"


async def test_a_pass_has_an_end_and_the_rest_stays_ready() -> None:
    board = board_of("".join(f"  - {wait(f's{number}')}\n" for number in range(9)))

    class Instant(Slow):
        async def begin(self, _board: Board, _row: StepRow, _now: datetime, /) -> Result:
            return Done()

    assert await advance(board, Instant(), NOW, budget=5) == 5
    assert [row.state for row in board.rows.values()].count("ready") == 1
    await advance(board, Instant(), NOW)
    assert board.run.state == "done"


async def test_what_an_effect_raises_is_raised_to_the_caller() -> None:
    board = board_of(f"  - {wait('a')}\n")

    class Broken(Slow):
        async def begin(self, _board: Board, _row: StepRow, _now: datetime, /) -> Result:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await advance(board, Broken(), NOW)


async def test_who_is_to_approve_is_asked_once_when_the_step_opens() -> None:
    board = board_of("  - {id: a, kind: approve, owner: leader, timeout: 1h, title: {zh: 批, en: approve}}\n")
    performer = Slow()

    await advance(board, performer, NOW)
    await advance(board, performer, NOW + timedelta(minutes=1))

    assert performer.asked == ["ask a"]
