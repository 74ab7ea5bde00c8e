"""What a line of a sensor's log comes to, and how its values are bounded: they come from the network."""

import re
from datetime import UTC, datetime
from ipaddress import ip_address

from msgspec import Struct

from .loss import Counted
from .repeats import Finding

MAX_RECORD = 256 * 1024
_SHOWN = 200
_MILLISECONDS = 1e11
_NUMBER = re.compile(r"\d{9,20}(?:\.\d{1,9})?")


class RecordError(ValueError):
    """A line that is no record of its log; its text says why."""


class Contact(Struct, frozen=True):
    """A connection that a sensor saw end: whether the other side ever answered."""

    source: str
    target: str
    port: int
    answered: bool


class Seen(Struct, frozen=True):
    """What a record tells, if anything: a finding, the sensor's own counters, or a contact."""

    at: datetime
    finding: Finding | None = None
    counted: Counted | None = None
    contact: Contact | None = None
    reader: str = ""


def when(text: str | float) -> datetime:
    """Return a record's time: ISO 8601 with an offset (as EVE writes it, too), or seconds since 1970.

    Numbers beyond the year 5000 are milliseconds, as Zeek writes them with `JSON::TS_MILLIS`.

    >>> when("2026-03-02T09:10:00.123456+0800").isoformat()
    '2026-03-02T01:10:00.123456+00:00'

    Raises:
        RecordError: it is neither.
    """
    try:
        if isinstance(text, str) and _NUMBER.fullmatch(text):
            text = float(text)
        if isinstance(text, str):
            at = datetime.fromisoformat(text)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        return datetime.fromtimestamp(text / 1000 if text > _MILLISECONDS else text, UTC)
    except (ValueError, OverflowError, OSError):
        raise RecordError(f"{str(text)[:40]!r} is no time") from None


def address(text: str) -> str | None:
    """Return an address in its one form, None for what is none."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(found, "ipv4_mapped", None) or found)


def port(number: int) -> int | None:
    """Return a port, None for what is none."""
    return number if 0 < number < 65536 else None


def bounded(text: str, most: int = _SHOWN) -> str:
    """Return a text for people: at most so long, without control characters."""
    return "".join(one if one.isprintable() else "?" for one in text[:most])
