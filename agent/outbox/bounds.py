"""What the outbox may hold, in which order it lets go, and in which order it sends."""

from collections.abc import Mapping
from typing import Any

from wire.messages import ReportKind

from ..settings import Bounds

SUPERSEDED, NEWEST_STATE, EVIDENCE, INCIDENT, GAP = range(5)
STATES: frozenset[ReportKind] = frozenset({"asset", "exits"})
_RANKS: dict[ReportKind, int] = {
    "sockets": SUPERSEDED,
    "heartbeat": SUPERSEDED,
    "asset": NEWEST_STATE,
    "exits": NEWEST_STATE,
    "evidence": EVIDENCE,
    "incident": INCIDENT,
    "gap": GAP,
}
TELEMETRY = NEWEST_STATE
FIRST, STATE, BULK, LAST = range(4)
_LANES: dict[ReportKind, int] = {
    "incident": FIRST,
    "gap": FIRST,
    "asset": STATE,
    "exits": STATE,
    "heartbeat": STATE,
    "evidence": BULK,
    "sockets": LAST,
}
_USE = frozenset({"evidence", "webmail", "webmail_unread"})
ROW_OVERHEAD = 256
KEPT_ON_A_SHORT_DISK = 1024 * 1024


def lane(kind: ReportKind) -> int:
    """Return the lane of a kind: all that waits in a lower one leaves first."""
    return _LANES[kind]


def collapses(kind: ReportKind, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a state that waits says nothing that a newer one of its source does not say better.

    A way out that came and went is told although it is over: of `exits` only the evidence of use may
    differ, and how often webmail was asked for; a server that was greeted by its name is use that goes
    out of later states with the hour.

    >>> collapses("asset", {"kernel": "6.1"}, {"kernel": "6.6"})
    True
    >>> collapses("exits", {"routes": ["eth0", "ppp0"]}, {"routes": ["eth0"]})
    False
    """
    if kind == "exits":
        names = (old.keys() | new.keys()) - _USE
        return all(old.get(name) == new.get(name) for name in names) and _greeted(old) <= _greeted(new)
    return kind == "asset" or (kind == "heartbeat" and not old.get("stopping"))


def _greeted(exits: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the names of webmail by which servers were greeted, with the servers."""
    rows = exits.get("webmail") or ()
    return {(row["name"], address) for row in rows for address in row.get("greeted", ())}


def rank(kind: ReportKind) -> int:
    """Return the place of a kind in the order of dropping; the lowest goes first."""
    return _RANKS[kind]


def telemetry_ceiling(held: int, free: int, bounds: Bounds) -> int:
    """Return the bytes above which telemetry goes, given the free bytes of the disk.

    >>> mebibyte = 1024 * 1024
    >>> bounds = Bounds(max_bytes=256 * mebibyte, min_free_bytes=200 * mebibyte)
    >>> [telemetry_ceiling(90 * mebibyte, free * mebibyte, bounds) // mebibyte for free in (500, 190, 0)]
    [256, 80, 1]
    """
    short = bounds.min_free_bytes - free
    if short <= 0:
        return bounds.max_bytes
    return min(bounds.max_bytes, max(KEPT_ON_A_SHORT_DISK, held - short))
