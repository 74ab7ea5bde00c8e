"""UUIDv7 identifiers: sortable by the time they were made (RFC 9562, section 5.7)."""

from datetime import datetime
from secrets import token_bytes

_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


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
    noise = (random or token_bytes(10)).hex()
    return _text(f"{milliseconds:012x}", noise)


def uuid7s(now: datetime, count: int) -> list[str]:
    """Return new UUIDv7s of one moment, in their order.

    >>> from datetime import UTC
    >>> made = uuid7s(datetime(2026, 3, 2, 1, 10, tzinfo=UTC), 3)
    >>> made == sorted(made), {one[:15] for one in made}
    (True, {'019cac18-4e40-7'})
    """
    time = f"{int(now.timestamp() * 1000):012x}"
    noise = token_bytes(10 * count).hex()
    return sorted([_text(time, noise[at : at + 20]) for at in range(0, 20 * count, 20)])


def _text(time: str, noise: str) -> str:
    """Return the canonical text for 12 digits of time and 20 of randomness, of which 18 and a half count."""
    variant = _VARIANT[noise[3]]
    return f"{time[:8]}-{time[8:]}-7{noise[:3]}-{variant}{noise[4:7]}-{noise[7:19]}"
