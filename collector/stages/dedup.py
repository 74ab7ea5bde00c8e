"""Lets an incident report through once, however often and under whatever number it is sent.

Batches sent twice are cut by the session rules before they are stored. What remains is the fork: an agent
that begins a new epoch numbers everything it still holds anew, and some of it may be stored already. The
report's id survives that; telemetry needs no such memory: a fact that is told twice stays the same.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from ..store.facts import first_sight
from .port import Item


class Dedup:
    """Sixth stage."""

    name = "dedup"

    async def apply(self, conn: AsyncConnection, item: Item) -> Item | None:
        """End an incident report that was here before."""
        if item.kind != "incident" or await first_sight(conn, item.node.id, item.id, item.now):
            return item
        return None
