"""Who is on duty at a moment: by hand for the cases people argue about, by random rosters for the rest."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.escalation import Roster
from collector.escalation.rota import Holiday, Override, Period, Rotation, TimeOfDay, Window

SHANGHAI, BERLIN = "Asia/Shanghai", "Europe/Berlin"
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
MONDAY = date(2026, 3, 2)
WEEKLY = Rotation(people=("li", "wang", "zhao"), since=MONDAY)


def at(text: str, zone: str = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def county(*rotations: Rotation, timezone: str = SHANGHAI, **more: Any) -> Roster:  # noqa: ANN401 - the fields of a roster
    return Roster(unit="county", timezone=timezone, rotations=rotations, **more)


@pytest.mark.parametrize(
    ("moment", "person"),
    [
        ("2026-03-02T08:29", None),
        ("2026-03-02T08:30", "li"),
        ("2026-03-09T08:29", "li"),
        ("2026-03-09T08:30", "wang"),
        ("2026-03-16T12:00", "zhao"),
        ("2026-03-23T08:30", "li"),
    ],
)
def test_a_week_is_handed_over_at_its_minute_and_nobody_is_on_before_the_first(
    moment: str, person: str | None
) -> None:
    assert county(WEEKLY).on_duty(at(moment)) == ((person,) if person else ())


def test_a_rotation_that_begins_in_the_middle_of_a_week_is_handed_over_on_its_day() -> None:
    late = Rotation(people=("li", "wang"), since=date(2026, 3, 5), on="monday")

    assert county(late).on_duty(at("2026-03-04T12:00")) == ()
    assert county(late).on_duty(at("2026-03-08T12:00")) == ("li",)
    assert county(late).on_duty(at("2026-03-09T12:00")) == ("wang",)


def test_a_turn_may_last_several_days() -> None:
    pair = Rotation(people=("li", "wang"), since=MONDAY, turn="daily", each=2)
    found = [county(pair).on_duty(at("2026-03-02T09:00") + day * DAY) for day in range(5)]

    assert found == [("li",), ("li",), ("wang",), ("wang",), ("li",)]


def test_rotations_stand_beside_each_other_in_the_files_order() -> None:
    backup = Rotation(people=("sun",), since=MONDAY)

    assert county(WEEKLY, backup).on_duty(at("2026-03-02T09:00")) == ("li", "sun")
    assert county(WEEKLY, WEEKLY).on_duty(at("2026-03-02T09:00")) == ("li",)


def test_a_night_belongs_to_whoever_began_it() -> None:
    nights = Rotation(
        people=("li", "wang"),
        since=MONDAY,
        turn="daily",
        between=Window.parse_yaml("17:30-08:30"),
        handover=TimeOfDay(0, 0),
    )
    found = [
        county(nights).on_duty(at(moment))
        for moment in ("2026-03-02T17:29", "2026-03-02T17:30", "2026-03-03T08:29", "2026-03-03T08:30")
    ]

    assert found == [(), ("li",), ("li",), ()]
    assert county(nights).on_duty(at("2026-03-03T20:00")) == ("wang",)


def test_workdays_and_rest_days_know_holidays_and_worked_weekends() -> None:
    office = Rotation(people=("li",), since=MONDAY, turn="daily", days="workdays", handover=TimeOfDay(0, 0))
    rest = Rotation(people=("wang",), since=MONDAY, turn="daily", days="restdays", handover=TimeOfDay(0, 0))
    national = Holiday(start=date(2026, 10, 1), until=date(2026, 10, 7))
    roster = county(office, rest, holidays=(national,), workdays=(date(2026, 10, 10),))

    assert roster.on_duty(at("2026-09-30T12:00")) == ("li",)
    assert roster.on_duty(at("2026-10-01T12:00")) == ("wang",)
    assert roster.on_duty(at("2026-10-08T12:00")) == ("li",)
    assert roster.on_duty(at("2026-10-10T12:00")) == ("li",)  # a Saturday that is worked
    assert roster.on_duty(at("2026-10-11T12:00")) == ("wang",)


def test_people_named_for_a_holiday_take_daily_turns_instead_of_everybody_else() -> None:
    feast = Holiday(start=date(2026, 3, 4), until=date(2026, 3, 5), people=("zhao", "sun"))
    roster = county(WEEKLY, holidays=(feast,))

    assert [roster.on_duty(at(f"2026-03-0{day}T09:00")) for day in (3, 4, 5, 6)] == [
        ("li",),
        ("zhao",),
        ("sun",),
        ("li",),
    ]
    assert roster.on_duty(at("2026-03-06T08:29")) == ("sun",)


def test_an_override_stands_in_for_one_or_for_all_and_the_later_line_counts_more() -> None:
    begin, end = at("2026-03-02T12:00"), at("2026-03-02T18:00")
    backup = Rotation(people=("sun",), since=MONDAY)
    swap = Override(start=begin, until=end, people=("qian",), instead_of="li")
    all_of_them = Override(start=begin, until=begin + HOUR, people=("zhao",))
    absent = Override(start=begin, until=end, people=("wu",), instead_of="nobody")
    roster = county(WEEKLY, backup, overrides=(absent, swap, all_of_them))

    assert roster.on_duty(begin - MINUTE) == ("li", "sun")
    assert roster.on_duty(begin) == ("zhao",)
    assert roster.on_duty(begin + HOUR) == ("qian", "sun")
    assert roster.on_duty(end) == ("li", "sun")


def test_a_day_of_23_and_one_of_25_hours_are_one_turn_each() -> None:
    """Berlin sets its clocks on at 2 o'clock on 29 March 2026 and back at 3 on 25 October."""
    daily = Rotation(
        people=("li", "wang"), since=date(2026, 3, 1), turn="daily", handover=TimeOfDay.parse_yaml("02:30")
    )
    roster = county(daily, timezone=BERLIN)
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25)):
        begin = at(f"{day}T02:30", BERLIN).astimezone(UTC)
        turns = [(stop - start, people) for start, stop, people in roster.spells(begin, begin + hours * HOUR)]

        assert len(turns) == 1
        assert roster.on_duty(begin + hours * HOUR) != turns[0][1]


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (TimeOfDay.parse_yaml, "8:30"),
        (TimeOfDay.parse_yaml, "24:00"),
        (TimeOfDay.parse_yaml, "0830Z"),
        (Window.parse_yaml, "08:30"),
        (Window.parse_yaml, "08:30-08:30"),
    ],
)
def test_what_is_no_time_of_day_is_refused(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError, match=r"time of day|hours"):
        read(text)


def test_what_ends_before_it_begins_is_refused() -> None:
    noon = at("2026-03-02T12:00")
    with pytest.raises(ValueError, match="later than"):
        Period(start=noon, until=noon, people=("li",))
    with pytest.raises(ValueError, match="not to be before"):
        Holiday(start=MONDAY, until=MONDAY - DAY)


people = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3).map(tuple)
days = st.integers(0, 20).map(lambda count: date(2026, 3, 20) + count * DAY)
clocks = st.builds(TimeOfDay, st.integers(0, 23), st.sampled_from([0, 30]))
windows = st.builds(Window, clocks, clocks).filter(lambda window: window.begin != window.end)
rotations = st.builds(
    Rotation,
    people=people,
    since=days,
    turn=st.sampled_from(["daily", "weekly"]),
    each=st.integers(1, 3),
    handover=clocks,
    on=st.sampled_from(["monday", "friday"]),
    days=st.sampled_from(["all", "workdays", "restdays"]),
    between=st.none() | windows,
)
moments = st.integers(0, 20 * 48).map(lambda half: datetime(2026, 3, 20, tzinfo=UTC) + half * 30 * MINUTE)
overrides = st.builds(
    lambda start, half, **more: Override(start=start, until=start + half * 30 * MINUTE, **more),
    moments,
    st.integers(1, 100),
    people=people,
    instead_of=st.none() | st.sampled_from("abcdef"),
)
holidays = st.builds(
    lambda start, length, who: Holiday(start=start, until=start + length * DAY, people=who),
    days,
    st.integers(0, 4),
    st.just(()) | people,
)
rosters = st.builds(
    Roster,
    unit=st.just("county"),
    timezone=st.sampled_from([SHANGHAI, BERLIN, "America/St_Johns"]),
    handover=clocks,
    rotations=st.lists(rotations, max_size=3).map(tuple),
    holidays=st.lists(holidays, max_size=2).map(tuple),
    overrides=st.lists(overrides, max_size=2).map(tuple),
)


@settings(max_examples=40, deadline=None)
@given(roster=rosters, begin=moments, length=st.integers(1, 12 * 48), probe=st.integers(0, 10**6))
def test_spells_say_for_every_moment_what_the_roster_says(
    roster: Roster, begin: datetime, length: int, probe: int
) -> None:
    end = begin + length * 30 * MINUTE
    spells = list(roster.spells(begin, end))
    moment = begin + timedelta(seconds=probe % (length * 1800))

    assert (spells[0][0], spells[-1][1]) == (begin, end)
    assert all(one[1] == following[0] for one, following in pairwise(spells))
    assert all(one[2] != following[2] for one, following in pairwise(spells))
    assert [who for start, stop, who in spells if start <= moment < stop] == [roster.on_duty(moment)]


NATIONAL = frozenset({date(2026, 9, 30), date(2026, 10, 8), date(2026, 10, 10)})  # the days around a week off
WORKS = Rotation(people=("li",), since=MONDAY, turn="daily", days="workdays")
RESTS = Rotation(people=("wang",), since=MONDAY, turn="daily", days="restdays")


@pytest.mark.parametrize(
    ("day", "who"),
    [
        ("2026-09-30", "li"),
        ("2026-10-01", "wang"),  # a Thursday off
        ("2026-10-08", "li"),
        ("2026-10-10", "li"),  # a Saturday that is worked
        ("2026-10-11", "wang"),
        ("2027-10-01", "li"),  # a year that nobody has decreed: a Friday
        ("2027-10-02", "wang"),
    ],
)
def test_workdays_go_by_the_decreed_calendar_where_the_roster_names_one(day: str, who: str) -> None:
    roster = county(WORKS, RESTS, calendar="CN").counted_by({2026: NATIONAL})

    assert roster.on_duty(at(f"{day}T12:00")) == (who,)
    assert roster.calendar == "CN"


def test_what_the_roster_itself_says_of_a_day_wins_over_the_calendar() -> None:
    own = {
        "holidays": (Holiday(start=date(2026, 10, 8), until=date(2026, 10, 8)),),
        "workdays": (date(2026, 10, 11),),
    }
    roster = county(WORKS, RESTS, calendar="CN", **own).counted_by({2026: NATIONAL})

    assert roster.on_duty(at("2026-10-08T12:00")) == ("wang",)
    assert roster.on_duty(at("2026-10-11T12:00")) == ("li",)


def test_without_a_calendar_weeks_alone_count() -> None:
    assert county(WORKS, RESTS).on_duty(at("2026-10-01T12:00")) == ("li",)
