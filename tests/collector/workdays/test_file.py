"""An operator's year: the whole of it, or what differs from what is known; every mistake at once."""

from datetime import date

import pytest

from collector.workdays import library_year, overlay, read_calendar, read_calendars
from collector.yaml_marks import Mistakes

DECREED = """
region: CN
year: 2027
source: 国办发明电〔2026〕7号
off:
  - {from: 2027-01-01, until: 2027-01-03, name: 元旦}
  - {from: 2027-02-05, until: 2027-02-12, name: 春节}
worked:
  - {day: 2027-01-24, name: 春节}
"""


def test_a_decreed_year_is_confirmed_and_has_its_make_up_days() -> None:
    year = overlay(read_calendar(DECREED, "CN-2027.yaml"))

    assert (year.region, year.year, year.confirmed) == ("CN", 2027, True)
    assert year.source == "国办发明电〔2026〕7号"
    assert date(2027, 1, 24) in year.working
    assert not {date(2027, 1, 1), date(2027, 2, 8), date(2027, 2, 12)} & year.working
    assert year.names[date(2027, 2, 8)] == "春节"
    # 261 weekdays; 1 January and six weekdays of the Spring Festival are off, one Sunday is worked.
    assert len(year.working) == 261 - 7 + 1


@pytest.mark.parametrize(("year", "confirmed"), [(2026, True), (2027, False)])
def test_days_of_one_s_own_over_the_library_are_as_sure_as_the_library(year: int, confirmed: bool) -> None:  # noqa: FBT001
    text = f"region: CN\nyear: {year}\nsource: 本市\nbase: library\noff: [{{from: {year}-03-03}}]\n"

    own, known = overlay(read_calendar(text, "own.yaml")), library_year("CN", year)

    assert own.confirmed is confirmed
    assert known.working - own.working == {date(year, 3, 3)}
    assert own.source == f"本市 + {known.source}"


def test_every_mistake_is_told_at_its_place() -> None:
    text = """
region: CHINA
year: 2027
source: x
off: [{from: 2027-13-01}, {from: 2027-01-05, till: 2027-01-06}]
worked: [{day: sunday}]
"""
    with pytest.raises(Mistakes) as caught:
        read_calendar(text, "c.yaml")

    assert [(one.line, one.path) for one in caught.value.mistakes] == [
        (2, "region"),
        (5, "off[0].from"),
        (5, "off[1].till"),
        (6, "worked[0].day"),
    ]


def test_days_that_do_not_fit_are_told() -> None:
    text = """
region: CN
year: 2027
source: x
off:
  - {from: 2027-01-03, until: 2027-01-01}
  - {from: 2026-12-30, until: 2027-01-02}
  - {from: 2027-05-01, until: 2027-05-03}
worked: [{day: 2027-05-01}, {day: 2028-01-01}, {day: 2027-03-03}]
"""
    with pytest.raises(Mistakes) as caught:
        read_calendar(text, "c.yaml")

    assert [one.sentence for one in caught.value.mistakes] == [
        "off[0].until: found 2027-01-01, expected a day not before `from`",
        "off[1].from: found 2026-12-30 to 2027-01-02, expected days of 2027",
        "worked[0].day: found 2027-05-01, which is off too (off[2]), expected a day that is worked",
        "worked[1].day: found 2028-01-01, expected a day of 2027",
        "worked[2].day: found 2027-03-03, a weekday, expected a Saturday or Sunday that is worked",
    ]


def test_two_files_of_one_year_are_a_mistake() -> None:
    with pytest.raises(Mistakes, match=r"found CN 2027 again, expected one a year; the other is a\.yaml"):
        read_calendars([("a.yaml", DECREED), ("b.yaml", DECREED)])
