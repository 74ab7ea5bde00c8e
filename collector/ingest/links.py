"""Which nodes hold a connection, and how the last one ended: what tells a killed agent from a lost line.

process killed   its kernel ends the connection in the same moment    ended by peer, nothing said before
line lost        nothing comes, nothing ends                          still open, as far as we know
our own doing    an idle connection closed by us                      says nothing of the node
"""

from collections import Counter
from datetime import datetime

from msgspec import Struct


class Link(Struct, frozen=True):
    """How a node's connections stand: how many are open, and when the node itself ended the last one."""

    open: int = 0
    ended_at: datetime | None = None


class Links:
    """Kept in memory by the process that holds the connections; after its start nothing is known."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._ended: dict[str, datetime] = {}

    def opened(self, node: str) -> None:
        """A node's connection was accepted."""
        if node:
            self._open[node] += 1
            self._ended.pop(node, None)

    def closed(self, node: str, *, by_peer: bool, at: datetime) -> None:
        """It ended; `by_peer`: the other side did it."""
        if not node:
            return
        self._open[node] -= 1
        if self._open[node] <= 0:
            del self._open[node]
            if by_peer:
                self._ended[node] = at

    def of(self, node: str) -> Link:
        """Return how a node's connections stand."""
        return Link(self._open.get(node, 0), self._ended.get(node))
