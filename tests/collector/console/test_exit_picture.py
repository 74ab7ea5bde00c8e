from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from collector.console.exit_picture import HEIGHT, WIDTH, draw, totals
from collector.store.views import ExitDayRow


def day(unit: str, on: str, outside: int) -> ExitDayRow:
    return ExitDayRow(
        unit=unit,
        day=on,
        declared=1,
        observed=1,
        unsanctioned=0,
        nodes=9,
        outside=outside,
        behind=0,
        share=None,
        counted_at=datetime(2026, 3, 2, tzinfo=UTC),
    )


def test_a_unit_that_was_silent_for_a_day_keeps_its_last_count_in_the_sum() -> None:
    days = [day("a", "2026-03-01", 5), day("b", "2026-03-01", 2), day("b", "2026-03-02", 1)]

    assert totals(days, "outside") == [(date(2026, 3, 1), 7), (date(2026, 3, 2), 6)]


def test_nothing_counted_is_no_picture() -> None:
    assert draw({"outside": []}, title="t") == ""


@given(st.dictionaries(st.dates(date(2026, 1, 1), date(2030, 1, 1)), st.integers(0, 10**9), min_size=1))
def test_a_picture_is_well_formed_and_stays_inside_its_frame(counts: dict[date, int]) -> None:
    picture = ET.fromstring(draw({"outside": sorted(counts.items())}, title='<a "title">'))  # noqa: S314 - our own picture

    (line,) = [one for one in picture if "line" in one.get("class", "")]
    path = line.get("d", "").replace("M", " ").replace("H", " ").replace("V", " ").split()
    assert all(0 <= float(number) <= max(WIDTH, HEIGHT) for number in path)
    assert picture.get("aria-label") == '<a "title">'
