"""The years that are looked after: of every country with a unit, and of every file."""

from datetime import UTC, date, datetime

from collector.workdays import known_years, read_calendar, regions_of, years_around

OURS = read_calendar(
    "region: CN-65\nyear: 2026\nsource: 自治区\nbase: library\noff: [{from: 2026-03-20, name: 肉孜节}]\n",
    "o.yaml",
)


def test_the_countries_of_the_units_and_the_regions_of_files() -> None:
    assert regions_of(["CN-12", "CN-65", "CN-HK", "DE"], [OURS]) == ["CN", "CN-65", "DE", "HK"]


def test_a_file_stands_in_the_place_of_the_library() -> None:
    years = {(one.region, one.year): one for one in known_years(["CN", "CN-65"], [OURS], [2026])}

    assert date(2026, 3, 20) in years["CN", 2026].working
    assert date(2026, 3, 20) not in years["CN-65", 2026].working
    assert years["CN-65", 2026].confirmed


def test_a_file_of_a_year_nobody_asked_for_counts_all_the_same() -> None:
    assert ("CN-65", 2026) in {(one.region, one.year) for one in known_years(["CN"], [OURS], [2025])}


def test_last_year_this_and_the_next() -> None:
    assert list(years_around(datetime(2026, 11, 3, tzinfo=UTC))) == [2025, 2026, 2027]
