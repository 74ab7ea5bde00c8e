from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from collector.escalation import Roster, read_roster
from collector.escalation.ical import MAX_BYTES, read_ical, write_ical
from collector.escalation.rota import Period
from collector.escalation.rota_file import write_shifts
from collector.registry import read_registry
from collector.yaml_marks import Mistakes

OFFICE = Path(__file__).parents[2] / "golden" / "office.yaml"
REGISTRY = read_registry(OFFICE.read_text(), OFFICE.name)
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def calendar(*events: str) -> bytes:
    body = "".join(
        f"BEGIN:VEVENT\nUID:{number}\n{event}\nEND:VEVENT\n" for number, event in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def read(*events: str) -> list[str]:
    roster = read_ical(calendar(*events), "duty.ics", "county", REGISTRY, begin=MARCH, end=APRIL)
    return [
        f"{shift.start.astimezone(SHANGHAI):%d %H:%M}-{shift.until.astimezone(SHANGHAI):%d %H:%M} "
        + ",".join(shift.people)
        for shift in roster.shifts
    ]


def refused(*events: str) -> str:
    with pytest.raises(Mistakes) as error:
        read(*events)
    return str(error.value)


def test_an_event_is_a_shift_of_whom_its_summary_names() -> None:
    assert read(
        "DTSTART:20260302T003000Z\nDTEND:20260302T093000Z\nSUMMARY:王、zhao",
        "DTSTART;TZID=Asia/Shanghai:20260303T083000\nDURATION:PT9H\nSUMMARY:李",
    ) == ["02 08:30-02 17:30 wang,zhao", "03 08:30-03 17:30 li"]


def test_a_whole_day_goes_from_handover_to_handover_and_floating_times_are_the_units() -> None:
    assert read(
        "DTSTART;VALUE=DATE:20260302\nDTEND;VALUE=DATE:20260304\nSUMMARY:wang",
        "DTSTART;VALUE=DATE:20260305\nSUMMARY:wang",
        "DTSTART:20260306T220000\nDTEND:20260307T060000\nSUMMARY:zhao",
    ) == ["02 08:30-04 08:30 wang", "05 08:30-06 08:30 wang", "06 22:00-07 06:00 zhao"]


def test_a_series_is_laid_out_with_its_exceptions_and_its_moved_day() -> None:
    assert read(
        "DTSTART;TZID=Asia/Shanghai:20250106T083000\nDURATION:P1D\nRRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260323\n"
        "EXDATE;TZID=Asia/Shanghai:20260309T083000\nSUMMARY:wang",
        "DTSTART;TZID=Asia/Shanghai:20260317T083000\nDURATION:P1D\nSUMMARY:zhao\n"
        "RECURRENCE-ID;TZID=Asia/Shanghai:20260316T083000".replace("UID:1", "UID:0"),
    ) == [
        "02 08:30-03 08:30 wang",
        "16 08:30-17 08:30 wang",
        "17 08:30-18 08:30 zhao",
        "23 08:30-24 08:30 wang",
    ]


def test_a_moved_day_of_a_series_stands_in_place_of_the_old() -> None:
    series = (
        "BEGIN:VEVENT\nUID:s\nDTSTART:20260302T003000Z\nDURATION:P1D\nRRULE:FREQ=WEEKLY;COUNT=2\nSUMMARY:wang\n"
        "END:VEVENT\nBEGIN:VEVENT\nUID:s\nRECURRENCE-ID:20260309T003000Z\nDTSTART:20260310T003000Z\n"
        "DURATION:P1D\nSUMMARY:wang\nEND:VEVENT\n"
    )
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{series}END:VCALENDAR\n".replace("\n", "\r\n")
    roster = read_ical(text.encode(), "s.ics", "county", REGISTRY, begin=MARCH, end=APRIL)

    assert [shift.start.day for shift in roster.shifts] == [2, 10]


def test_a_series_keeps_its_wall_clock_where_clocks_change() -> None:
    berlin = replace(REGISTRY.units["county"], timezone="Europe/Berlin")
    registry = replace(REGISTRY, units={**REGISTRY.units, "county": berlin})
    weekly = "DTSTART:20260323T083000\nDURATION:P7D\nRRULE:FREQ=WEEKLY;COUNT=2\nSUMMARY:wang"
    roster = read_ical(calendar(weekly), "b.ics", "county", registry, begin=MARCH, end=APRIL)

    assert [shift.start.astimezone(ZoneInfo("Europe/Berlin")).hour for shift in roster.shifts] == [8, 8]


def test_an_attendee_is_known_by_mail_and_what_is_cancelled_or_outside_is_no_duty() -> None:
    wang = replace(REGISTRY.people["wang"], channels={"mail": "Wang@county.example"})
    registry = replace(REGISTRY, people={**REGISTRY.people, "wang": wang})
    content = calendar(
        "DTSTART:20260302T003000Z\nDURATION:P1D\nSUMMARY:duty\nATTENDEE:mailto:wang@COUNTY.example\nATTENDEE:mailto:x@y",
        "DTSTART:20260303T003000Z\nDURATION:P1D\nSUMMARY:nobody we know\nSTATUS:CANCELLED",
        "DTSTART:20200303T003000Z\nDURATION:P1D\nSUMMARY:somebody of old",
    )
    roster = read_ical(content, "m.ics", "county", registry, begin=MARCH, end=APRIL)

    assert [shift.people for shift in roster.shifts] == [("wang",)]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("DTSTART:20260302T003000Z\nDURATION:P1D\nSUMMARY:ghost", "found 'ghost', expected the key or name"),
        ("DTSTART:20260302T003000Z\nDURATION:P1D", "no summary and no known attendee"),
        ("DTSTART:20260302T003000Z\nSUMMARY:wang", "an event without length"),
        ("DTSTART:20260302T003000Z\nDURATION:-P1D\nSUMMARY:wang", "an event without length"),
        ("DURATION:P1D\nSUMMARY:wang", "no beginning"),
        ("DTSTART:soon\nDURATION:P1D\nSUMMARY:wang", "DTSTART"),
        ("DTSTART:20260302T003000Z\nDURATION:PT1M\nRRULE:FREQ=MINUTELY\nSUMMARY:wang", "every hour or more"),
        ("DTSTART:20260302T003000Z\nDURATION:PT1M\nRECURRENCE-ID:never\nSUMMARY:wang", "RECURRENCE-ID"),
    ],
)
def test_what_cannot_be_told_as_duty_is_refused(event: str, why: str) -> None:
    assert why in refused(event)


def test_every_event_that_is_wrong_is_told_at_once() -> None:
    bad = "DTSTART:20260302T003000Z\nDURATION:P1D\nSUMMARY:ghost"

    assert [line.split(": ")[1] for line in refused(bad, bad).splitlines()] == [
        "VEVENT[0] ghost",
        "VEVENT[1] ghost",
    ]


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\xff\xfe", b"BEGIN:VCALENDAR\r\n", b"x" * (MAX_BYTES + 1)]
)
def test_what_is_no_calendar_is_refused(content: bytes) -> None:
    with pytest.raises(Mistakes):
        read_ical(content, "x.ics", "county", REGISTRY, begin=MARCH, end=APRIL)


def test_a_unit_that_nobody_registered_has_no_roster() -> None:
    with pytest.raises(Mistakes, match="nowhere"):
        read_ical(calendar(), "x.ics", "nowhere", REGISTRY, begin=MARCH, end=APRIL)


@settings(max_examples=40, deadline=None)
@given(
    content=st.binary(max_size=60).map(lambda noise: calendar("DTSTART:20260302T003000Z\nSUMMARY:x") + noise)
)
def test_noise_ends_in_a_roster_or_in_mistakes(content: bytes) -> None:
    with suppress(Mistakes):
        read_ical(content, "x.ics", "county", REGISTRY, begin=MARCH, end=APRIL)


people = st.lists(st.sampled_from(["wang", "zhao", "li"]), min_size=1, max_size=3, unique=True).map(tuple)
shifts = st.builds(
    lambda start, length, who: Period(
        start=MARCH + start * 10 * MINUTE, until=MARCH + (start + length) * 10 * MINUTE, people=who
    ),
    st.integers(0, 31 * 144),
    st.integers(1, 300),
    people,
)


@settings(max_examples=30, deadline=None)
@given(found=st.lists(shifts, max_size=4), probe=st.integers(0, 31 * 24 * 60 - 1))
def test_a_roster_out_and_in_again_as_calendar_and_as_file_has_the_same_people_on_duty(
    found: list[Period], probe: int
) -> None:
    roster = Roster(unit="county", timezone="Asia/Shanghai", shifts=tuple(found))
    content = write_ical(roster, REGISTRY, MARCH, APRIL)
    back = read_ical(content, "c.ics", "county", REGISTRY, begin=MARCH, end=APRIL)
    again = read_roster(write_shifts(back, "c.ics"), "county.yaml", REGISTRY)
    at = MARCH + probe * MINUTE

    assert content == write_ical(roster, REGISTRY, MARCH, APRIL)
    assert back.on_duty(at) == again.on_duty(at) == roster.on_duty(at)
