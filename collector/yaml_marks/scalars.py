"""What a scalar's text may mean: the few readings that models ask for, each exact and none implicit."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

_INT = re.compile(r"[-+]?[0-9]{1,19}")
_FLOAT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}"
    r"(:[0-9]{2}([.][0-9]{1,6})?)?(Z|z|[-+][0-9]{2}:?[0-9]{2})"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DURATION = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_INT64 = 2**63
_YEARS = range(1900, 9000)
_MAX_DAYS = 36_600


def parse_int(text: str) -> int:
    """A whole number of 64 bits.

    Raises:
        ValueError: it is none.
    """
    if not _INT.fullmatch(text) or not -_INT64 <= int(text) < _INT64:
        raise ValueError("a whole number")
    return int(text)


def parse_float(text: str) -> float:
    """A finite number.

    Raises:
        ValueError: it is none.
    """
    if not _FLOAT.fullmatch(text) or (number := float(text)) in {float("inf"), float("-inf")}:
        raise ValueError("a number")
    return number


def parse_bool(text: str) -> bool:
    """``true`` or ``false`` and nothing else: readers differ over ``yes``, ``on`` and ``NO``.

    Raises:
        ValueError: it is neither.
    """
    if text not in {"true", "false"}:
        raise ValueError("true or false")
    return text == "true"


def parse_time(text: str) -> datetime:
    """A time by ISO 8601 with its offset, which is kept.

    >>> parse_time("2026-03-02T09:10:00+08:00").isoformat()
    '2026-03-02T09:10:00+08:00'

    Raises:
        ValueError: it is no time of the calendar, or has no offset.
    """
    expected = "a time with offset such as 2026-03-02T09:10:00+08:00"
    if not _TIME.fullmatch(text):
        raise ValueError(expected)
    try:
        time = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise ValueError(f"{expected} ({error})") from error
    if time.year not in _YEARS:
        raise ValueError(f"a year from {_YEARS.start} to {_YEARS.stop - 1}")
    return time


def parse_date(text: str) -> date:
    """A day by ISO 8601.

    Raises:
        ValueError: it is no day of the calendar.
    """
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("a day such as 2026-03-02")


def parse_duration(text: str) -> timedelta:
    """A length of time in days, hours, minutes and seconds.

    >>> parse_duration("1d12h") == timedelta(hours=36)
    True

    Raises:
        ValueError: it is none, or longer than a century.
    """
    match = _DURATION.fullmatch(text) if text else None
    if match is None or len(text) > 20:
        raise ValueError("a duration such as 90s, 60m, 4h or 30d")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = seconds + 60 * (minutes + 60 * (hours + 24 * days))
    if total > _MAX_DAYS * 86_400:
        raise ValueError("a duration of at most a hundred years")
    return timedelta(seconds=total)


def format_duration(length: timedelta) -> str:
    """The shortest spelling that ``parse_duration`` reads back, to the second.

    >>> format_duration(timedelta(hours=36)), format_duration(timedelta(minutes=90))
    ('1d12h', '1h30m')
    """
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"
