"""The score sheet: what was done when, held against the limits (pure).

::

    acknowledge   incident opened   ──> taken on     house limit of the script
    contain       incident opened   ──> contained    house limit
    report        clock of the law  ──> filed        the clock's due time; met counts by the filing
    step          step ready        ──> done         the step's deadline

What has a limit is `in_time`, `late` or `missed` (not done at all, and the limit is past); what has none is
told with its time and counts nothing. `pending` is what may still be done. Points: the share in time.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from .script import Limits

What = Literal["acknowledge", "contain", "report", "step"]
Result = Literal["in_time", "late", "missed", "pending", "no_limit"]
COUNTED: tuple[Result, ...] = ("in_time", "late", "missed")


class Course(Struct, frozen=True, kw_only=True):
    """How an incident of the drill went."""

    incident: str
    title: str
    title_en: str
    opened_at: datetime
    acknowledged_at: datetime | None = None
    contained_at: datetime | None = None


class Owing(Struct, frozen=True, kw_only=True):
    """A report that was owed; one that the law has not made due is none."""

    incident: str
    obligation: str
    opened_at: datetime
    due_at: datetime | None
    filed_at: datetime | None


class Stepped(Struct, frozen=True, kw_only=True):
    """A step of a plan that was for a person or had a deadline."""

    incident: str
    step: str
    title: str
    title_en: str
    ready_at: datetime
    deadline: datetime | None
    ended_at: datetime | None
    done: bool


class Mark(Struct, frozen=True, kw_only=True):
    """One line of the sheet.

    Fields:
        about: Obligation or step; empty for the incident itself.
        seconds: From the beginning to when it was done.
        limit_seconds: How much there was.
    """

    what: What
    incident: str
    about: str
    title: str
    title_en: str
    began_at: datetime
    done_at: datetime | None
    limit_at: datetime | None
    seconds: float | None
    limit_seconds: float | None
    result: Result


class Sheet(Struct, frozen=True, kw_only=True):
    """The score of a drill.

    Fields:
        points: Share of what counts that was in time, 0 to 100; None where nothing counts.
        at: As of when.
    """

    at: datetime
    points: int | None
    counts: dict[str, int]
    marks: list[Mark]


def score(
    courses: Sequence[Course],
    owing: Iterable[Owing],
    steps: Iterable[Stepped],
    limits: Limits,
    at: datetime,
) -> Sheet:
    """Return the sheet of a drill as of a moment."""
    titles = {one.incident: (one.title, one.title_en) for one in courses}
    marks = [
        *(mark for one in courses for mark in _of_course(one, limits, at)),
        *(_of_owing(one, titles, at) for one in owing),
        *(_of_step(one, at) for one in steps),
    ]
    counts: dict[str, int] = {
        result: sum(mark.result == result for mark in marks) for result in (*COUNTED, "pending", "no_limit")
    }
    counted = sum(counts[result] for result in COUNTED)
    points = round(100 * counts["in_time"] / counted) if counted else None
    return Sheet(at=at, points=points, counts=counts, marks=marks)


def _of_course(one: Course, limits: Limits, at: datetime) -> Iterator[Mark]:
    timed: tuple[tuple[What, datetime | None, timedelta], ...] = (
        ("acknowledge", one.acknowledged_at, limits.acknowledge),
        ("contain", one.contained_at, limits.contain),
    )
    for what, done, limit in timed:
        yield _mark(
            what,
            one.incident,
            "",
            (one.title, one.title_en),
            (one.opened_at, done),
            one.opened_at + limit,
            at,
        )


def _of_owing(one: Owing, titles: dict[str, tuple[str, str]], at: datetime) -> Mark:
    title = titles.get(one.incident, ("", ""))
    return _mark("report", one.incident, one.obligation, title, (one.opened_at, one.filed_at), one.due_at, at)


def _of_step(one: Stepped, at: datetime) -> Mark:
    span = (one.ready_at, one.ended_at if one.done else None)
    return _mark("step", one.incident, one.step, (one.title, one.title_en), span, one.deadline, at)


def _mark(  # noqa: PLR0917 - the columns of the sheet
    what: What,
    incident: str,
    about: str,
    title: tuple[str, str],
    span: tuple[datetime, datetime | None],
    limit: datetime | None,
    at: datetime,
) -> Mark:
    began, done = span
    return Mark(
        what=what,
        incident=incident,
        about=about,
        title=title[0],
        title_en=title[1],
        began_at=began,
        done_at=done,
        limit_at=limit,
        seconds=(done - began).total_seconds() if done else None,
        limit_seconds=(limit - began).total_seconds() if limit else None,
        result=_result(done, limit, at),
    )


def _result(done: datetime | None, limit: datetime | None, at: datetime) -> Result:
    """Judge by the law's manner: exactly at the limit is in time.

    >>> from datetime import UTC
    >>> nine, ten = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 10, tzinfo=UTC)
    >>> _result(nine, nine, ten), _result(ten, nine, ten), _result(None, nine, ten), _result(None, ten, ten)
    ('in_time', 'late', 'missed', 'pending')
    """
    if limit is None:
        return "no_limit" if done else "pending"
    if done is not None:
        return "in_time" if done <= limit else "late"
    return "missed" if at > limit else "pending"
