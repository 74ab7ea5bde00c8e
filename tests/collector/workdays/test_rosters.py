"""Rosters go by the working days that limits of law are counted by."""

from datetime import datetime
from zoneinfo import ZoneInfo

from collector.escalation import Roster
from collector.escalation.rota import Rotation
from collector.regimes import Calendars
from collector.workdays import calendars_of, counted, library_year

SHANGHAI = ZoneInfo("Asia/Shanghai")
TURNS = (
    Rotation(people=("li",), since=datetime(2026, 1, 1).date(), turn="daily", days="workdays"),  # noqa: DTZ001 - a day
    Rotation(people=("wang",), since=datetime(2026, 1, 1).date(), turn="daily", days="restdays"),  # noqa: DTZ001 - a day
)


def rosters() -> dict[str, Roster]:
    plain = Roster(unit="plain", timezone="Asia/Shanghai", rotations=TURNS)
    named = Roster(unit="named", timezone="Asia/Shanghai", rotations=TURNS, calendar="CN")
    return {"plain": plain, "named": named}


def on(day: int, month: int = 2) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=SHANGHAI)


def test_the_spring_festival_is_off_and_its_make_up_day_worked_by_who_names_the_calendar() -> None:
    """Decreed for 2026: 15 to 23 February off; 14 and 28 February, both Saturdays, worked."""
    found = counted(rosters(), calendars_of([library_year("CN", 2026)]))

    assert [found["named"].on_duty(on(day)) for day in (14, 16, 23, 24, 28)] == [
        ("li",), ("wang",), ("wang",), ("li",), ("li",),
    ]  # fmt: skip
    assert [found["plain"].on_duty(on(day)) for day in (14, 16)] == [("wang",), ("li",)]


def test_a_year_that_nobody_decreed_leaves_somebody_on_duty() -> None:
    found = counted(rosters(), Calendars())

    assert found["named"].on_duty(on(16)) == ("li",)
