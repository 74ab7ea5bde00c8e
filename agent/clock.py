"""The host's clocks, read in one place and handed on."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Struct, frozen=True):
    """What time it is, in the three ways a report is stamped with.

    Fields:
        now: Wall clock, aware UTC; a person or NTP may set it.
        monotonic: Seconds since boot, suspend included; nobody sets it.
        boot_id: The kernel's id of this boot; `monotonic` compares only within one.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    boot_id: str

    def __call__(self) -> datetime:
        """Return the wall clock's time: for those who need no other."""
        return self.now()


def host_clock() -> Clock:
    """Return the clock of the host this runs on."""
    return Clock(now=_now, monotonic=_since_boot, boot_id=_BOOT_ID.read_text("ascii").strip())


def moment(at: datetime) -> str:
    """Return a time as bodies carry it: RFC 3339 in UTC.

    >>> moment(datetime(2026, 3, 2, 1, 10, tzinfo=UTC))
    '2026-03-02T01:10:00Z'
    """
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the agent's one clock


def _since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
