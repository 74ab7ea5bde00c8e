"""Times as people read them: absolute in a named zone, and how long it is until then. Pure.

`console.js` counts the same words down in the browser; a browser test holds the two together.
"""

from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Heat = Literal["calm", "soon", "hot", "late"]
YEARS = range(2, 9999)
"""Of which every zone has its times."""
_SOON, _HOT = 0.5, 0.8
_LAST_HOUR = timedelta(hours=1)
_LAST_QUARTER = timedelta(minutes=15)


def zone_named(name: str | None) -> ZoneInfo:
    """Return a time zone; UTC where the name is none."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def written_time(text: str, zone: ZoneInfo) -> datetime:
    """Return a time that a person wrote, in a zone where it has no offset.

    >>> written_time("2026-03-02T09:10", ZoneInfo("Asia/Shanghai")).isoformat()
    '2026-03-02T09:10:00+08:00'

    Raises:
        ValueError: it is none, or of a year that other zones have no time of.
    """
    at = datetime.fromisoformat(text.strip())
    if at.year not in YEARS:
        raise ValueError(f"the year {at.year}")
    return at if at.tzinfo else at.replace(tzinfo=zone)


def stamp(at: datetime, zone: ZoneInfo) -> str:
    """Return a time to the second with its offset.

    >>> from datetime import UTC
    >>> stamp(datetime(2026, 3, 2, 1, 10, 5, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))
    '2026-03-02 09:10:05 UTC+8'
    """
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {offset(local)}"


def clock_face(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Return the time of day, with the date where it is another day.

    >>> from datetime import UTC
    >>> now, zone = datetime(2026, 3, 2, 1, 0, tzinfo=UTC), ZoneInfo("Asia/Shanghai")
    >>> clock_face(datetime(2026, 3, 2, 3, 0, tzinfo=UTC), zone, now)
    '11:00:00'
    >>> clock_face(datetime(2026, 3, 3, 3, 0, tzinfo=UTC), zone, now)
    '03-03 11:00:00'
    """
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%m-%d %H:%M:%S}"


def offset(local: datetime) -> str:
    """Return the zone's offset as people write it.

    >>> offset(datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("Asia/Kathmandu")))
    'UTC+5:45'
    """
    minutes = int((local.utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def span(length: timedelta, language: str) -> str:
    """Return a length of time: to the second below an hour, to the minute below a day, else to the hour.

    >>> span(timedelta(minutes=43, seconds=12), "en"), span(timedelta(hours=26, minutes=5), "zh")
    ('43:12', '1 天 2 小时')
    >>> span(timedelta(hours=2, minutes=5), "en")
    '2 h 05 min'
    """
    seconds = int(abs(length.total_seconds()))
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    chinese = language == "zh"
    if days:
        return f"{days} 天 {hours} 小时" if chinese else f"{days} d {hours} h"
    if hours:
        return f"{hours} 小时 {minutes:02} 分" if chinese else f"{hours} h {minutes:02} min"
    return f"{minutes:02}:{rest:02}"


def lapse(length: timedelta, language: str) -> str:
    """Return roughly how long ago something was, in its largest unit.

    >>> lapse(timedelta(seconds=12), "en"), lapse(timedelta(minutes=26, seconds=50), "zh")
    ('12 s', '26 分钟')
    """
    seconds = max(0, int(length.total_seconds()))
    for size, chinese, english in ((86400, "天", "d"), (3600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= size:
            return f"{seconds // size} {chinese if language == 'zh' else english}"
    return f"{seconds} {'秒' if language == 'zh' else 's'}"


def heat(began: datetime | None, due: datetime, now: datetime) -> Heat:
    """Return how near a clock is: by the share of its time that is gone, and by the last hour and quarter.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    >>> heat(noon, noon + timedelta(hours=4), noon), heat(None, noon + timedelta(minutes=10), noon)
    ('calm', 'hot')
    """
    left = due - now
    if left < timedelta(0):
        return "late"
    share = elapsed(began, due, now)
    if share >= _HOT or left <= _LAST_QUARTER:
        return "hot"
    return "soon" if share >= _SOON or left <= _LAST_HOUR else "calm"


def elapsed(began: datetime | None, due: datetime, now: datetime) -> float:
    """Return the share of a clock's time that is gone, 0 to 1; 0 where its beginning is not known."""
    if began is None or due <= began:
        return 0.0
    return min(1.0, max(0.0, (now - began) / (due - began)))
