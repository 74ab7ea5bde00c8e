"""When a clock speaks: twice before it is due, when it is due, then again and again (pure).

::

    anchor ----------- half ------ four_fifths -- due --+-- overdue_1 --+-- overdue_2 -- ...
                                                        every 15 min

The first two are those of the policy, `warn_at`; shown are the shipped ones, whose names they keep.

A clock opened late has missed its first moments. Of those only the last is armed: it fires at once and says
how late it is, and nobody is woken twice for one clock in the same second.

>>> from datetime import UTC
>>> nine, ten = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 10, tzinfo=UTC)
>>> [(kind, f"{at:%H:%M}") for kind, at in moments(nine, ten, "due", nine + timedelta(minutes=50))]
[('four_fifths', '09:48'), ('due', '10:00')]
>>> overdue_after(ten, timedelta(minutes=15), ten + timedelta(minutes=40))
('overdue_3', datetime.datetime(2026, 3, 2, 10, 45, tzinfo=datetime.timezone.utc))
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from ..store.clocks import Alarm, Clock

SHIPPED: tuple[int, ...] = (50, 80)
RUNNING = frozenset({"open", "overdue", "no_number"})


def moments(
    start: datetime, end: datetime, last: str, now: datetime, warn_at: tuple[int, ...] = SHIPPED
) -> list[tuple[str, datetime]]:
    """Return kind and time of the alarms of a running clock, earliest first.

    Args:
        start: Its anchor.
        end: When it is due, or the unit's own target.
        last: Kind of the alarm at `end`: `due` or `target`.
        now: Of the moments that are past only the last is returned.
        warn_at: The first two, in per cent of the time.
    """
    # The same zone on both would be taken as two wall clocks, and a clock change be an hour more or less.
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    length = end - start
    first, second = (start + length * per_cent / 100 for per_cent in warn_at)
    all_of_them = [("half", first), ("four_fifths", second), (last, end)]
    if length <= timedelta(0):
        all_of_them = [(last, end)]
    past = [moment for moment in all_of_them if moment[1] <= now]
    return past[-1:] + [moment for moment in all_of_them if moment[1] > now]


def moments_of(clock: Clock, now: datetime, warn_at: tuple[int, ...] = SHIPPED) -> list[tuple[str, datetime]]:
    """Return the alarms a clock shall have; none where it does not run toward a time."""
    if clock.state not in RUNNING or clock.anchor_at is None:
        return []
    if clock.due_at is not None:
        return moments(clock.anchor_at, clock.due_at, "due", now, warn_at)
    if clock.target_at is not None:
        return moments(clock.anchor_at, clock.target_at, "target", now, warn_at)
    return []


def overdue_after(due: datetime, every: timedelta, now: datetime) -> tuple[str, datetime]:
    """Return the next repetition of an overdue clock that lies after `now`."""
    due = due.astimezone(UTC)
    count = max(0, (now.astimezone(UTC) - due) // every) + 1
    return f"overdue_{count}", due + count * every


def last_due(alarms: Iterable[Alarm]) -> Alarm:
    """Return the one of a clock's due alarms that is sent: the latest, for it says most."""
    return max(alarms, key=lambda alarm: (alarm.generation, alarm.at, alarm.id))
