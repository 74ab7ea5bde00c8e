"""A year as holiday-cn publishes it comes in as an operator's file, and the file reads back."""

import json
from datetime import date, timedelta

import pytest

from collector.workdays import library_year, overlay, read_calendar
from collector.workdays.exchange import read_published, write_calendar
from collector.yaml_marks import Mistakes

CHINA = library_year("CN", 2026)


def published(year: int = 2026) -> bytes:
    """2026 as it was decreed; weekends inside a holiday are told as off too, as the publisher does."""
    days = [
        {"name": CHINA.names[day], "date": day.isoformat(), "isOffDay": not works}
        for day, works in CHINA.unusual()
    ]
    days += [
        {"name": "春节", "date": day.isoformat(), "isOffDay": True}
        for day in (date(2026, 2, 15), date(2026, 2, 21), date(2026, 2, 22))
    ]
    days.append({"name": "元旦", "date": "2025-12-31", "isOffDay": True})
    return json.dumps({"year": year, "papers": ["https://www.gov.cn/x"], "days": days[::-1]}).encode()


def test_a_published_year_is_the_decreed_year() -> None:
    calendar = read_published(published(), "2026.json")
    year = overlay(calendar)

    assert year.working == CHINA.working
    assert (year.confirmed, year.source) == (True, "https://www.gov.cn/x")
    assert [str(one.until) for one in calendar.off if one.name == "春节"] == ["2026-02-23"]


def test_what_is_written_reads_back() -> None:
    calendar = read_published(published(), "2026.json")

    assert read_calendar(write_calendar(calendar), "CN-2026.yaml") == calendar


def test_an_empty_year_is_written_too() -> None:
    plain = read_calendar("region: DE\nyear: 2027\nsource: 'x: \"y\"'\n", "p.yaml")

    assert read_calendar(write_calendar(plain), "p.yaml") == plain
    assert len(overlay(plain).working) == sum(
        (date(2027, 1, 1) + timedelta(days=n)).weekday() < 5 for n in range(365)
    )


@pytest.mark.parametrize(
    "content",
    [b"{", b'{"year": 2026}', b'{"year": "x", "days": []}', b"[" * 100_000, published(2031)],
    ids=["cut", "without days", "other types", "deep", "days of another year"],
)
def test_another_document_is_refused(content: bytes) -> None:
    with pytest.raises(Mistakes, match="expected a year as holiday-cn publishes it"):
        read_published(content, "x.json")
