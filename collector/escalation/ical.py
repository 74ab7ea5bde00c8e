"""Rosters as calendars (RFC 5545), out and in (pure: bytes to values).

Out, every spell of duty is an event with its people's keys. In, an event's people are found by those keys, by
an attendee's mail address, or by the names in its summary; where it cannot be told who is meant it is a
mistake, never a guess. Whole days begin and end at the handover; times without a zone are the unit's.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr
from icalendar import Calendar, Component, Event, vCalAddress, vRecur

from ..registry import Person, Registry
from ..yaml_marks import Mistake, Mistakes
from .rota import MORNING, Period, Roster

MAX_BYTES = 2_000_000
MAX_EVENTS = 5_000
_PERSON = "X-FENGSUI-PERSON"
_DENSE = {"SECONDLY", "MINUTELY", "HOURLY"}
_BETWEEN_NAMES = re.compile(r"[,;,;、/]")


_YEARS = range(1970, 9999)
# The library keeps what it could not read, and raises when it is asked for.
_BROKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class _NoDutyError(ValueError):
    """An event that cannot be read as duty: what was found, what was expected."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"found {found}, expected {expected}")
        self.found, self.expected = found, expected


def write_ical(roster: Roster, registry: Registry, begin: datetime, end: datetime) -> bytes:
    """Return a roster's spells of duty between two moments; the same roster gives the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", "-//Fengsui//duty roster//EN")
    calendar.add("version", "2.0")
    for start, until, keys in roster.spells(begin, end):
        people = [person for key in keys if (person := registry.person(key))]
        if people:
            calendar.add_component(_event(roster.unit, start, until, people, begin))
    content: bytes = calendar.to_ical()
    return content


def read_ical(
    content: bytes, file: str, unit: str, registry: Registry, *, begin: datetime, end: datetime
) -> Roster:
    """Return a calendar's events that touch a span as a roster of shifts, earliest first.

    Raises:
        Mistakes: Every event that cannot be told as duty.
    """
    if len(content) > MAX_BYTES:
        raise Mistakes([Mistake(file, 1, 1, "", f"{len(content)} bytes", f"at most {MAX_BYTES}")])
    found = registry.unit(unit)
    if found is None:
        raise Mistakes([Mistake(file, 1, 1, "unit", repr(unit), "a unit of the register")])
    try:
        events = Calendar.from_ical(content).walk("VEVENT")
    except (ValueError, KeyError, IndexError) as error:
        raise Mistakes([Mistake(file, 1, 1, "", f"no calendar ({error})"[:300], "RFC 5545")]) from None
    reader = _Reader(registry, unit, ZoneInfo(found.timezone), begin, end)
    reader.read(events[: MAX_EVENTS + 1], file)
    shifts = sorted(reader.shifts, key=lambda shift: (shift.start, shift.until))
    return Roster(unit=unit, timezone=found.timezone, shifts=tuple(shifts))


def _event(unit: str, start: datetime, until: datetime, people: list[Person], stamp: datetime) -> Event:
    event = Event()
    name = f"{unit}/{start.isoformat()}/{','.join(person.id for person in people)}"
    event.add("uid", f"{sha256(name.encode()).hexdigest()[:32]}@fengsui")
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("dtstart", start.astimezone(UTC))
    event.add("dtend", until.astimezone(UTC))
    event.add("summary", "、".join(person.name for person in people))
    event.add(_PERSON, ",".join(person.id for person in people))
    for person in people:
        if address := next((text for text in person.channels.values() if _is_mail(text)), ""):
            event.add("attendee", vCalAddress(f"mailto:{address}"))
    return event


class _Reader:
    """Reads events of one calendar."""

    def __init__(self, registry: Registry, unit: str, zone: ZoneInfo, begin: datetime, end: datetime) -> None:
        self._zone, self._begin, self._end = zone, begin, end
        people = registry.people.values()
        self._people = sorted(people, key=lambda person: person.unit != unit)  # the unit's own come first
        self._own = unit
        self.shifts: list[Period] = []

    def read(self, events: Sequence[Component], file: str) -> None:
        """Take the duty of every event.

        Raises:
            Mistakes: Every event that cannot be read.
        """
        mistakes: list[Mistake] = []
        moved: set[tuple[str, datetime]] = set()
        for event in events:
            with suppress(_NoDutyError, *_BROKEN):  # told when the event itself is taken
                if at := self._moment_of(event, "RECURRENCE-ID"):
                    moved.add((str(event.get("UID")), at.astimezone(UTC)))
        for number, event in enumerate(events):
            try:
                self._take(event, moved)
            except _NoDutyError as error:
                path = f"VEVENT[{number}] {event.get('SUMMARY', '')}"[:120]
                mistakes.append(Mistake(file, 1, 1, path, error.found, error.expected))
            except _BROKEN as error:
                path = f"VEVENT[{number}] {event.get('SUMMARY', '')}"[:120]
                found = f"an event that can't be read ({' '.join(str(error).split())})"[:200]
                mistakes.append(Mistake(file, 1, 1, path, found, "RFC 5545"))
            if len(self.shifts) > MAX_EVENTS or number >= MAX_EVENTS:
                mistakes.append(
                    Mistake(file, 1, 1, "", f"more than {MAX_EVENTS} duties", "a shorter span (--days)")
                )
                break
        if mistakes:
            raise Mistakes(mistakes)

    def _take(self, event: Component, moved: set[tuple[str, datetime]]) -> None:
        if str(event.get("STATUS", "")).upper() == "CANCELLED" or event.get("TRANSP") == "TRANSPARENT":
            return
        start = self._moment_of(event, "DTSTART")
        if start is None:
            raise _NoDutyError("no beginning", "DTSTART, a date or a time")
        if start.year not in _YEARS:
            raise _NoDutyError(f"a beginning in the year {start.year}", "a time of this age")
        length = self._length(event, start)
        uid = str(event.get("UID"))
        alone = self._moment_of(event, "RECURRENCE-ID") is not None
        starts = [at for at in self._starts(event, start, length) if alone or (uid, at) not in moved]
        starts = [at for at in starts if at < self._end and at + length > self._begin]
        if not starts:
            return
        people = self._whom(event)
        name = str(event.get("SUMMARY", ""))[:120]
        self.shifts += [Period(start=at, until=at + length, people=people, name=name) for at in starts]

    def _length(self, event: Component, start: datetime) -> timedelta:
        if "DURATION" in event:
            length = event.decoded("DURATION")
        elif (until := self._moment_of(event, "DTEND")) is not None:
            length = until - start.astimezone(UTC)
        else:
            length = timedelta(days=1) if _is_day(event.get("DTSTART")) else timedelta(0)
        if not isinstance(length, timedelta) or length <= timedelta(0):
            raise _NoDutyError("an event without length", "DTEND or DURATION after DTSTART")
        return length

    def _starts(self, event: Component, start: datetime, length: timedelta) -> Iterator[datetime]:
        rules = event.get("RRULE", [])
        rules = rules if isinstance(rules, list) else [rules]
        skipped = set(self._moments(event, "EXDATE"))
        found = {start.astimezone(UTC), *self._moments(event, "RDATE")}
        for one in rules:
            rule = self._rule(one, start)
            found |= {at.astimezone(UTC) for at in rule.between(self._begin - length, self._end, inc=True)}
        yield from sorted(found - skipped)

    def _rule(self, rule: vRecur, start: datetime) -> rrule:
        if _DENSE & {str(one).upper() for one in rule.get("FREQ", [])}:
            raise _NoDutyError("duty every hour or more often", "FREQ of DAILY, WEEKLY, MONTHLY or YEARLY")
        try:
            if "UNTIL" in rule:
                rule["UNTIL"] = [self._last(one) for one in rule["UNTIL"]]
            text: bytes = rule.to_ical()  # type: ignore[no-untyped-call]
            read = rrulestr(text.decode(), dtstart=start)
        except (ValueError, TypeError, AttributeError) as error:
            raise _NoDutyError(f"RRULE {error}"[:200], "a rule of RFC 5545") from None
        if not isinstance(read, rrule):
            raise _NoDutyError("a set of rules", "one rule")
        return read

    def _last(self, until: Any) -> datetime:  # noqa: ANN401 - a date or a time, as the library gives it
        if isinstance(until, datetime):
            return (until if until.tzinfo else until.replace(tzinfo=self._zone)).astimezone(UTC)
        return datetime(until.year, until.month, until.day, 23, 59, 59, tzinfo=self._zone).astimezone(UTC)

    def _whom(self, event: Component) -> tuple[str, ...]:
        if keys := str(event.get(_PERSON, "")):
            return tuple(self._one(key.strip(), {"id"}) for key in keys.split(","))
        attendees = event.get("ATTENDEE", [])
        attendees = attendees if isinstance(attendees, list) else [attendees]
        mails = [str(one).removeprefix("mailto:").removeprefix("MAILTO:") for one in attendees]
        known = [key for mail in mails if (key := self._by_mail(mail))]
        if known:
            return tuple(dict.fromkeys(known))
        names = [name.strip() for name in _BETWEEN_NAMES.split(str(event.get("SUMMARY", ""))) if name.strip()]
        if not names:
            raise _NoDutyError("no summary and no known attendee", "names of people of the register")
        return tuple(dict.fromkeys(self._one(name, {"id", "name"}) for name in names))

    def _one(self, text: str, ways: set[str]) -> str:
        fitting = [one for one in self._people if text in {getattr(one, way) for way in ways}]
        own = [one for one in fitting if one.unit == self._own] or fitting
        if len(own) != 1:
            found = f"{text!r}" if not own else f"{text!r}, which {len(own)} people are called"
            raise _NoDutyError(found, "the key or name of one person of the register")
        return own[0].id

    def _by_mail(self, address: str) -> str | None:
        wanted = address.lower()
        if not _is_mail(wanted):
            return None
        return next(
            (
                one.id
                for one in self._people
                if wanted in {text.lower().removeprefix("mailto://") for text in one.channels.values()}
            ),
            None,
        )

    def _moment_of(self, event: Component, name: str) -> datetime | None:
        try:
            value = event.decoded(name, None)
        except (ValueError, TypeError, AttributeError):
            raise _NoDutyError(f"{name} {event.get(name)}"[:200], "a date or a time") from None
        return None if value is None else self._moment(value, name)

    def _moments(self, event: Component, name: str) -> Iterator[datetime]:
        lists = event.get(name, [])
        for one in lists if isinstance(lists, list) else [lists]:
            for entry in getattr(one, "dts", []):
                yield self._moment(entry.dt, name).astimezone(UTC)

    def _moment(self, value: object, name: str) -> datetime:
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=self._zone)
        if isinstance(value, date):
            day = datetime(value.year, value.month, value.day, MORNING.hour, MORNING.minute)  # noqa: DTZ001 - the zone follows
            return day.replace(tzinfo=self._zone)
        raise _NoDutyError(f"{name} {value!r}"[:200], "a date or a time")


def _is_day(value: object) -> bool:
    return not isinstance(getattr(value, "dt", None), datetime)


def _is_mail(text: str) -> bool:
    return "@" in text and "/" not in text
