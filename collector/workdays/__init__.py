"""Which days are worked, year by year: by the libraries, and by an operator's own files over them (pure).

    library (chinesecalendar, holidays) ──> a year ──┐
                                                     ├──> the year in force ──> table `calendar_day`
    calendars/*.yaml of the operator ─── over it ────┘

A year is *confirmed* where its days were decreed and read, and not where a library only reckons them: China's
State Council moves holidays and working weekends anew each autumn, for the year to come. Only confirmed years
count for a limit of law; another gives `cannot_compute`, never a guess.
"""

from .file import CalendarFile, overlay, read_calendar, read_calendars
from .library import library_year
from .rosters import counted
from .wanted import known_years, regions_of, years_around
from .year import CalendarYear, calendars_of

__all__ = [
    "CalendarFile",
    "CalendarYear",
    "calendars_of",
    "counted",
    "known_years",
    "library_year",
    "overlay",
    "read_calendar",
    "read_calendars",
    "regions_of",
    "years_around",
]
