"""The days that the State Council decreed for 2026, and what is only reckoned after it."""

from datetime import date

import pytest

from collector.workdays import library_year

# 国务院办公厅关于2026年部分节假日安排的通知: the weekends that are worked, and every weekday that is off.
WORKED = ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]
OFF = [
    *["01-01", "01-02", "02-16", "02-17", "02-18", "02-19", "02-20", "02-23", "04-06"],
    *["05-01", "05-04", "05-05", "06-19", "09-25", "10-01", "10-02", "10-05", "10-06", "10-07"],
]


def days(texts: list[str]) -> set[date]:
    return {date.fromisoformat(f"2026-{text}") for text in texts}


def test_china_s_2026_has_its_make_up_days_and_is_confirmed() -> None:
    year = library_year("CN", 2026)

    assert (year.confirmed, year.source) == (True, "chinesecalendar")
    assert {day for day, works in year.unusual() if works} == days(WORKED)
    assert {day for day, works in year.unusual() if not works} == days(OFF)
    assert year.names[date(2026, 10, 10)] == "国庆节"


def test_a_year_that_a_library_only_reckons_is_not_confirmed() -> None:
    # When this fails, chinesecalendar has learnt 2027: move the years on.
    year = library_year("CN", 2027)

    assert (year.confirmed, year.source) == (False, "holidays")


@pytest.mark.parametrize("region", ["CN-12", "CN-65"])
def test_a_province_has_the_country_s_days(region: str) -> None:
    own, country = library_year(region, 2026), library_year("CN", 2026)

    assert own.working == country.working


@pytest.mark.parametrize(
    ("region", "confirmed"),
    [
        ("DE", True),
        ("US-VA", True),
        ("GB", True),
        ("SG", True),
        ("CN-HK", True),
        ("TW", False),
        ("IN", False),
    ],
)
def test_other_countries_are_confirmed_where_their_days_follow_from_law(region: str, confirmed: bool) -> None:  # noqa: FBT001
    year = library_year(region, 2027)

    assert year.confirmed is confirmed
    assert date(2027, 3, 2) in year.working


def test_hong_kong_s_days_are_its_own() -> None:
    hong_kong, china = library_year("CN-HK", 2026), library_year("CN", 2026)

    assert date(2026, 7, 1) in china.working - hong_kong.working


def test_a_subdivision_that_the_library_does_not_have_has_the_country_s_days() -> None:
    assert library_year("DE-XX", 2026).working == library_year("DE", 2026).working
    assert library_year("DE-BY", 2026).working < library_year("DE", 2026).working
