"""One unit's duty roster: who is on duty at a moment (pure).

::

    rotations   whose turn it is, handed over daily or weekly at a local time  ┐
    shifts      duties with a beginning and an end, as a calendar gives them    ├─ base, as in the file
    holidays    days on which their own people take daily turns instead         ┘
    calendar    whose decreed holidays and make-up workdays make a day worked or not, under the file's own
    overrides   until a moment somebody stands in: for one person, or for everybody

Handovers are wall-clock times in the roster's zone. Each is turned into an instant first, so a day of 23 or
25 hours is one turn like any other and nobody is on duty twice at a clock set back.

>>> from zoneinfo import ZoneInfo
>>> week = Rotation(people=("li", "wang"), since=date(2026, 3, 2))
>>> roster = Roster(unit="county", timezone="Asia/Shanghai", rotations=(week,))
>>> monday = datetime(2026, 3, 9, 8, 29, tzinfo=ZoneInfo("Asia/Shanghai"))
>>> roster.on_duty(monday), roster.on_duty(monday + timedelta(minutes=1))
(('li',), ('wang',))
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEK: tuple[Weekday, ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
_DAY = timedelta(days=1)
People = Annotated[tuple[str, ...], Meta(min_length=1, max_length=200)]


class TimeOfDay(NamedTuple):
    """A wall-clock time to the minute."""

    hour: int
    minute: int

    @classmethod
    def parse_yaml(cls, text: str) -> "TimeOfDay":
        """Read `08:30`.

        Raises:
            ValueError: It is no such time.
        """
        try:
            read = datetime.strptime(text, "%H:%M") if len(text) == 5 else None  # noqa: DTZ007 - the zone is the roster's
        except ValueError:
            read = None
        if read is None:
            raise ValueError("a time of day such as 08:30")
        return cls(read.hour, read.minute)

    def on(self, day: date, zone: ZoneInfo) -> datetime:
        """Return the instant it stands for on a day; the first of two, where clocks are set back."""
        local = datetime(day.year, day.month, day.day, self.hour, self.minute, tzinfo=zone)
        return local.astimezone(UTC)


MORNING = TimeOfDay(8, 30)


class Window(NamedTuple):
    """Hours of a day; one that ends before it begins goes on into the next day."""

    begin: TimeOfDay
    end: TimeOfDay

    @classmethod
    def parse_yaml(cls, text: str) -> "Window":
        """Read `17:30-08:30`.

        Raises:
            ValueError: It is no window, or has no length.
        """
        begin, _, end = text.partition("-")
        try:
            window = cls(TimeOfDay.parse_yaml(begin), TimeOfDay.parse_yaml(end))
        except ValueError:
            raise ValueError("hours such as 17:30-08:30") from None
        if window.begin == window.end:
            raise ValueError("hours that end at another time than they begin")
        return window

    def on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return the instants between which it is open when it begins on `day`."""
        last = day + _DAY if self.end < self.begin else day
        return self.begin.on(day, zone), self.end.on(last, zone)


class Rotation(Struct, frozen=True, kw_only=True):
    """People who take turns.

    Fields:
        people: In the order of their turns.
        since: The day of the first turn; before it nobody of the rotation is on duty.
        turn, each: A turn is so many days or weeks long.
        handover: When the next takes over, in the roster's zone.
        on: The day of the week of a weekly handover.
        days: On which days it holds; `restdays`: weekends and holidays.
        between: Within which hours; none: from handover to handover.
    """

    people: People
    since: date
    name: str = ""
    turn: Literal["daily", "weekly"] = "weekly"
    each: Annotated[int, Meta(ge=1, le=52)] = 1
    handover: TimeOfDay = MORNING
    on: Weekday = "monday"
    days: Literal["all", "workdays", "restdays"] = "all"
    between: Window | None = None

    def whose(self, day: date) -> str | None:
        """Return whose turn a duty day is; None before the first."""
        if day < self.since:
            return None
        first = self.since
        if self.turn == "weekly":
            first -= timedelta(days=(first.weekday() - _WEEK.index(self.on)) % 7)
        length = 7 * self.each if self.turn == "weekly" else self.each
        return self.people[(day - first).days // length % len(self.people)]


class Period(Struct, frozen=True, kw_only=True, rename={"start": "from"}):
    """People who are on duty from one moment to another; at `until` itself no more."""

    start: datetime
    until: datetime
    people: People
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins."""
        if self.until <= self.start:
            raise ValueError("`until` to be later than `from`")

    def holds(self, at: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.start <= at < self.until


class Override(Period, frozen=True, kw_only=True, rename={"start": "from"}):
    """Who stands in; `instead_of`: for this person only. A later override of the file counts more."""

    instead_of: str | None = None


class Holiday(Struct, frozen=True, kw_only=True, rename={"start": "from"}):
    """Days off, both ends included; `people` take daily turns in place of rotations and shifts."""

    start: date
    until: date
    name: str = ""
    people: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a holiday that ends before it begins."""
        if self.until < self.start:
            raise ValueError("`until` not to be before `from`")

    def holds(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.start <= day <= self.until


class Roster(Struct, frozen=True, kw_only=True):
    """Who is on duty in a unit; the first is woken first.

    Fields:
        unit: Registry key.
        timezone: Of its wall-clock times; empty: the unit's.
        handover: When a holiday's people take over.
        workdays: Weekend days that are worked instead of others (调休).
        calendar: Region whose decreed working days `days` goes by (ISO 3166); empty: Monday to Friday. What
            the file itself says of a day wins.
    """

    unit: str
    timezone: str = ""
    handover: TimeOfDay = MORNING
    rotations: tuple[Rotation, ...] = ()
    shifts: tuple[Period, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    workdays: tuple[date, ...] = ()
    calendar: Annotated[str, Meta(pattern=r"^$|^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = ""
    overrides: tuple[Override, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its wall-clock times."""
        return ZoneInfo(self.timezone or "UTC")

    def on_duty(self, at: datetime) -> tuple[str, ...]:
        """Return the keys of the people on duty at a moment; nobody is an answer too."""
        people = list(dict.fromkeys(self._base(at)))
        for override in self.overrides:
            if override.holds(at):
                people = _stood_in(people, override)
        return tuple(dict.fromkeys(people))

    def edges(self, begin: datetime, end: datetime) -> list[datetime]:
        """Return the moments in between at which who is on duty may change, both ends included."""
        begin, end = begin.astimezone(UTC), end.astimezone(UTC)
        fixed = [edge for one in (*self.shifts, *self.overrides) for edge in (one.start, one.until)]
        found = {edge for edge in (*fixed, *self._daily(begin, end)) if begin < edge < end}
        return sorted({begin, end, *found})

    def spells(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, tuple[str, ...]]]:
        """Yield from when to when who is on duty; neighbours differ, and nothing is left out."""
        edges = self.edges(begin, end)
        start = edges[0]
        for this, following in pairwise(edges):
            if following == end or self.on_duty(following) != self.on_duty(this):
                yield start, following, self.on_duty(start)
                start = following

    def _base(self, at: datetime) -> Iterator[str]:
        today = _duty_day(at, self.handover, self.zone)
        for holiday in self.holidays:
            if holiday.people and holiday.holds(today):
                yield holiday.people[(today - holiday.start).days % len(holiday.people)]
                return
        for rotation in self.rotations:
            if (whose := self._turn(rotation, at)) is not None:
                yield whose
        for shift in self.shifts:
            if shift.holds(at):
                yield from shift.people

    def _turn(self, rotation: Rotation, at: datetime) -> str | None:
        """Return whose turn it is; within hours it is whoever's turn it was as they began."""
        day, began = _duty_day(at, rotation.handover, self.zone), at
        if rotation.between is not None:
            today = at.astimezone(self.zone).date()
            spans = {one: rotation.between.on(one, self.zone) for one in (today, today - _DAY)}
            opened = [one for one, (begin, end) in spans.items() if begin <= at < end]
            if not opened:
                return None
            day, began = opened[0], spans[opened[0]][0]
        if rotation.days != "all" and self.is_workday(day) != (rotation.days == "workdays"):
            return None
        return rotation.whose(_duty_day(began, rotation.handover, self.zone))

    def is_workday(self, day: date) -> bool:
        """Whether a day is worked."""
        if day in self.workdays:
            return True
        return not any(holiday.holds(day) for holiday in self.holidays) and self._usually_worked(day)

    def counted_by(self, years: Mapping[int, frozenset[date]]) -> "Roster":
        """Return it with the working days of its calendar, year by year; a year not there has weeks alone."""
        return Counted(**{name: getattr(self, name) for name in Roster.__struct_fields__}, years=years)

    def _usually_worked(self, day: date) -> bool:
        return day.weekday() < 5

    def _daily(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        times = {self.handover, *(rotation.handover for rotation in self.rotations)}
        for window in (rotation.between for rotation in self.rotations):
            times |= set(window or ())
        day, last = begin.astimezone(self.zone).date() - _DAY, end.astimezone(self.zone).date() + _DAY
        while day <= last:
            yield from (moment.on(day, self.zone) for moment in times)
            day += _DAY


class Counted(Roster, frozen=True, kw_only=True):
    """A roster with the working days of its calendar, which no file holds but the calendar table."""

    years: Mapping[int, frozenset[date]] = {}

    def _usually_worked(self, day: date) -> bool:
        year = self.years.get(day.year)
        return day in year if year is not None else super()._usually_worked(day)


def _duty_day(at: datetime, handover: TimeOfDay, zone: ZoneInfo) -> date:
    """Return the day whose duty a moment belongs to: it begins at the handover."""
    day = at.astimezone(zone).date()
    return day if at >= handover.on(day, zone) else day - _DAY


def _stood_in(people: Iterable[str], override: Override) -> list[str]:
    if override.instead_of is None:
        return list(override.people)
    stood: list[str] = []
    for person in people:
        stood += override.people if person == override.instead_of else [person]
    return stood
