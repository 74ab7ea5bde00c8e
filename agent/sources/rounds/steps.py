"""A host's clock that is set while something goes on: what the old one told is told by the new one.

    clock       2000-01-01 08:00     08:02                2026-03-02 12:03 (set by NTP)
    since boot  60 s                 180 s                240 s
    portal      down                 down since 08:00     down since 12:00

A board whose battery is dead begins in the past, one that keeps local time begins hours ahead. Both are set
minutes after the sources have begun; without this a portal that was slow to start would be told to have been
down for 26 years. The seconds since boot, which nobody sets, tell by how much the clock was set; a clock that
is slewed moves them too. What was remembered in an earlier boot stays as it is: nothing tells how wrong its
clock was.

A virtual machine that was paused finds its clock ahead of its seconds when it is woken. It is taken for a
clock that was set: the pause counts into nothing that goes on.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct

from ...clock import Clock as HostClock
from ..port import Clock

TOLERANCE = timedelta(minutes=1)
"""A clock that is ahead by less says nothing untrue about how long an outage lasts."""
Value = TypeVar("Value")


class Mark(Struct, frozen=True):
    """How the wall clock stood to the seconds since boot.

    Fields:
        boot_id: Of the boot that both belong to.
        began: Seconds from 1970 to the boot, by the wall clock of then.
    """

    boot_id: str
    began: float


def mark(clock: Clock) -> Mark | None:
    """Return how a host's clock stands now; None for a clock that has no seconds since boot."""
    if not isinstance(clock, HostClock):
        return None
    return Mark(clock.boot_id, clock.now().timestamp() - clock.monotonic())


def stood(before: Mark | None, clock: Clock) -> tuple[Mark | None, timedelta]:
    """Return the mark to remember, and by how much the clock was set since the one before.

    A mark stays as long as it holds, so that what is kept with it is not written anew for a millisecond.
    """
    now = mark(clock)
    by = step(before, now)
    kept = before and now and before.boot_id == now.boot_id and not by
    return (before if kept else now), by


def step(before: Mark | None, after: Mark | None) -> timedelta:
    """Return by how much the clock was set; zero within the tolerance, and where nobody can say.

    >>> step(Mark("b", 1000.0), Mark("b", 1030.0)), step(Mark("b", 1000.0), Mark("c", 5000.0))
    (datetime.timedelta(0), datetime.timedelta(0))
    >>> step(Mark("b", 1000.0), Mark("b", 29800.0))
    datetime.timedelta(seconds=28800)
    """
    if before is None or after is None or before.boot_id != after.boot_id:
        return timedelta()
    by = timedelta(seconds=after.began - before.began)
    return by if abs(by) > TOLERANCE else timedelta()


def shifted(value: Value, by: timedelta) -> Value:
    """Return what is remembered with every time in it moved; one that would leave the calendar stays.

    >>> shifted({"portal": datetime(2000, 1, 1, 8), "count": 3}, timedelta(hours=1))
    {'portal': datetime.datetime(2000, 1, 1, 9, 0), 'count': 3}
    """
    moved: Any = value
    if isinstance(value, datetime):
        with suppress(OverflowError):
            moved = value + by
    elif isinstance(value, Struct):
        held = {name: getattr(value, name) for name in value.__struct_fields__}
        moved = msgspec.structs.replace(value, **{name: shifted(one, by) for name, one in held.items()})
    elif isinstance(value, dict):
        moved = {key: shifted(one, by) for key, one in value.items()}
    elif isinstance(value, list | tuple):
        moved = type(value)(shifted(one, by) for one in value)
    return cast("Value", moved)
