"""What an intake makes of a foreign message: alerts, and what of it could not be read."""

from datetime import datetime

from msgspec import Struct


class Alert(Struct, frozen=True, kw_only=True):
    """One alert, firing or over.

    Fields:
        fingerprint: By which its sender knows it: the same for the same labels.
        starts_at: Since when it fires; with the fingerprint it is one occurrence.
        ends_at: When it was over; None: it fires.
        labels, annotations: As its rule has them.
        links: Where a person sees more, by name.
    """

    fingerprint: str
    starts_at: datetime
    ends_at: datetime | None
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    links: dict[str, str] = {}


class Unreadable(Struct, frozen=True):
    """A part that is kept aside: its JSON path, what was found and expected, and its bytes."""

    where: str
    why: str
    body: bytes


class Read(Struct, frozen=True):
    """What came of a message."""

    alerts: list[Alert]
    unreadable: list[Unreadable]
