"""How much of a kind of request may be in work at once; what is above is told to come back, never dropped."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from .answers import RefusedError

RETRY_SECONDS = 2


class Bounds(Struct, frozen=True, kw_only=True):
    """What one kind of request may take at once: requests, bytes of their bodies, requests of one node."""

    requests: int
    bytes: int
    per_node: int


BATCHES = Bounds(requests=2048, bytes=128 * 1024 * 1024, per_node=8)
FILINGS = Bounds(requests=64, bytes=64 * 1024 * 1024, per_node=8)
DRILLS = Bounds(requests=64, bytes=1024 * 1024, per_node=2)
OUTCOMES = Bounds(requests=256, bytes=64 * 1024 * 1024, per_node=8)
PROGRAMS = Bounds(requests=512, bytes=0, per_node=2)
ORDERS = Bounds(requests=50_000, bytes=0, per_node=4)
RENEWALS = Bounds(requests=64, bytes=4 * 1024 * 1024, per_node=2)
ENROLMENTS = Bounds(requests=64, bytes=4 * 1024 * 1024, per_node=16)
"""Of hosts without a certificate, by address: several may stand behind one."""
MAX_ENROLMENT = 64 * 1024
"""Bytes of a request for a certificate: a token, a request and names."""


class Budget:
    """What is in work of one kind of request."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._requests = 0
        self._bytes = 0
        self._nodes: dict[str, int] = {}

    @contextmanager
    def hold(self, node: str, size: int) -> Iterator[None]:
        """Count a request in while it is served.

        Raises:
            RefusedError: `too_many` (429) for this node's own doing, `busy` (503) for everybody's.
        """
        bounds, mine = self._bounds, self._nodes.get(node, 0)
        if mine >= bounds.per_node:
            text = f"{mine} requests of this node are in work; wait for their answers"
            raise RefusedError("too_many", 429, text, RETRY_SECONDS)
        if self._requests >= bounds.requests or self._bytes + size > bounds.bytes:
            raise RefusedError("busy", 503, "the collector has its hands full; try again", RETRY_SECONDS)
        self._requests += 1
        self._bytes += size
        self._nodes[node] = mine + 1
        try:
            yield
        finally:
            self._requests -= 1
            self._bytes -= size
            left = self._nodes[node] - 1
            if left:
                self._nodes[node] = left
            else:
                del self._nodes[node]
