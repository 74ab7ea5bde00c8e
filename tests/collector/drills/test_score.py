"""The score sheet: in time up to and including the limit, late after it, missed where nothing was done."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collector.drills import score
from collector.drills.score import Course, Owing, Stepped
from collector.drills.script import Limits

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
LIMITS = Limits(acknowledge=timedelta(minutes=10), contain=timedelta(hours=1))


def minutes(count: float) -> datetime:
    return NINE + timedelta(minutes=count)


def course(acknowledged: float | None, contained: float | None) -> Course:
    return Course(
        incident="i",
        title="甲",
        title_en="a",
        opened_at=NINE,
        acknowledged_at=None if acknowledged is None else minutes(acknowledged),
        contained_at=None if contained is None else minutes(contained),
    )


def owing(due: float | None, filed: float | None) -> Owing:
    return Owing(
        incident="i",
        obligation="r/first",
        opened_at=NINE,
        due_at=None if due is None else minutes(due),
        filed_at=None if filed is None else minutes(filed),
    )


def test_a_good_drill_has_all_points() -> None:
    step = Stepped(
        incident="i",
        step="s",
        title="步",
        title_en="step",
        ready_at=NINE,
        deadline=minutes(30),
        ended_at=minutes(30),
        done=True,
    )
    sheet = score([course(10, 60)], [owing(240, 240)], [step], LIMITS, minutes(300))

    assert [mark.result for mark in sheet.marks] == ["in_time"] * 4
    assert sheet.points == 100
    assert sheet.marks[2].seconds == sheet.marks[2].limit_seconds == 240 * 60


def test_late_and_missed_cost_points_and_what_has_no_limit_counts_nothing() -> None:
    sheet = score([course(11, None)], [owing(60, None), owing(None, 5)], [], LIMITS, minutes(300))

    assert [mark.result for mark in sheet.marks] == ["late", "missed", "missed", "no_limit"]
    assert sheet.points == 0
    assert sheet.counts == {"in_time": 0, "late": 1, "missed": 2, "pending": 0, "no_limit": 1}


def test_a_step_that_was_given_up_was_not_done() -> None:
    step = Stepped(
        incident="i",
        step="s",
        title="步",
        title_en="step",
        ready_at=NINE,
        deadline=minutes(30),
        ended_at=minutes(20),
        done=False,
    )

    assert score([], [], [step], LIMITS, minutes(60)).marks[0].result == "missed"


def test_without_anything_that_counts_there_are_no_points() -> None:
    assert score([course(None, None)], [], [], LIMITS, NINE).points is None


@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 500), st.none() | st.integers(0, 500), st.integers(0, 500)),
        max_size=8,
    )
)
def test_points_are_a_share_and_every_line_is_counted_once(
    lines: list[tuple[int | None, int | None, int]],
) -> None:
    sheet = score([], [owing(due, filed) for due, filed, _ in lines], [], LIMITS, minutes(250))

    assert sum(sheet.counts.values()) == len(lines)
    assert sheet.points is None or 0 <= sheet.points <= 100


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 100))
def test_doing_it_earlier_never_makes_it_worse(due: int, filed: int, sooner: int) -> None:
    order = ["in_time", "late"]

    def result(at: int) -> int:
        return order.index(score([], [owing(due, at)], [], LIMITS, minutes(600)).marks[0].result)

    assert result(max(0, filed - sooner)) <= result(filed)
