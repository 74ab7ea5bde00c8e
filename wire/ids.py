"""UUIDv7 identifiers: sortable by the time they were made (RFC 9562, section 5.7)."""

from datetime import datetime
from secrets import token_bytes
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62


def uuid7(now: datetime, random: bytes | None = None) -> str:
    """Return a new UUIDv7 in its canonical text form.

    Args:
        now: The time the identifier carries, to the millisecond; aware.
        random: Ten bytes of randomness; drawn from the operating system when absent.

    >>> from datetime import UTC
    >>> uuid7(datetime(2026, 3, 2, 1, 10, tzinfo=UTC), bytes(10))
    '019cac18-4e40-7000-8000-000000000000'
    """
    milliseconds = int(now.timestamp() * 1000)
    noise = int.from_bytes(random or token_bytes(10))
    high, low = noise >> 68 & 0xFFF, noise & (1 << 62) - 1
    return str(UUID(int=milliseconds << 80 | _VERSION | high << 64 | _VARIANT | low))
