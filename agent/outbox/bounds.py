"""What the outbox may hold, and in which order it lets go."""

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
ROW_OVERHEAD = 256
KEPT_ON_A_SHORT_DISK = 1024 * 1024


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
