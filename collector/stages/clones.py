"""Finds out that two hosts have one node's key, where the listener could not, and says so.

Two clones of one disk continue one outbox. Mostly they meet at one number and the listener sees it at once
(`wire.session`: fork). Where one is behind, what it sends is held already; it finds that out by its own rows,
begins a new epoch, and from then on both write side by side under one key:

    one   E1 ─── E1 ─── E1 ───
    two      E2 ─── E2 ─── E2      an outbox never goes back to an epoch that it has left

One return may be a batch that was long on its way; at the second there are two writers. Counting begins anew
then, and what comes within `SETTLE` of it is of the old key or of who goes on with a fresh one.
"""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ..incident import Finding
from ..store import nodes
from ..store.nodes import NodeRow
from .port import Item, Open

KLASS = "DETECH"
SOURCE = "identity"
RETURNS = 2
SETTLE = timedelta(minutes=1)
_LEFT = 4
_MOST_NODES = 200_000


class _Writer:
    """The epochs of a node: the one it writes, those it has left, and how often it came back to one."""

    __slots__ = ("epoch", "left", "position", "returns")

    def __init__(self, epoch: str, position: int) -> None:
        self.epoch = epoch
        self.left: tuple[str, ...] = ()
        self.position = position
        self.returns = 0

    def move(self, epoch: str) -> bool:
        """Go on to an epoch; say whether there must be another writer, and begin to count anew."""
        self.returns += epoch in self.left
        self.left = (*(one for one in self.left if one != epoch), self.epoch)[-_LEFT:]
        self.epoch = epoch
        if self.returns < RETURNS:
            return False
        self.left, self.returns = (), 0
        return True


class Clones:
    """Third stage. It remembers in memory: after a start it learns anew within two returns."""

    name = "clones"

    def __init__(self, open_incident: Open) -> None:
        self._open = open_incident
        self._writers: dict[str, _Writer] = {}

    async def apply(self, conn: AsyncConnection, item: Item) -> Item | None:
        """Take the key of a node with two writers out of use, and open one incident for it."""
        if self._has_two(item):
            row = await nodes.node(conn, item.node.id)
            before = row is None or (row.cloned_at is not None and item.received_at <= row.cloned_at + SETTLE)
            if row and not before and await nodes.mark_cloned(conn, row.id, item.now):
                await self._open(conn, cloned(row, item.now), item.received_at, item.now)
        return item

    def _has_two(self, item: Item) -> bool:
        position, epoch, _ = item.place.split("/", 2)
        known = self._writers.get(item.node.id)
        if known is None:
            if len(self._writers) >= _MOST_NODES:
                self._writers.clear()
            self._writers[item.node.id] = _Writer(epoch, int(position))
            return False
        if int(position) <= known.position:
            return False  # the same again, after a write that was rolled back
        known.position = int(position)
        return epoch != known.epoch and known.move(epoch)


def cloned(row: NodeRow, now: datetime) -> Finding:
    """Return the finding: one incident a node, however often it forks."""
    return Finding(
        fingerprint=f"{row.id}/cloned",
        klass=KLASS,
        unit=row.unit,
        node=row.id,
        times={"occurred": now, "detected": now},
        first_seen=now,
        last_seen=now,
        title=f"节点密钥被两台主机使用：{row.host_name}",
        title_en=f"two hosts use the key of one node: {row.host_name}",
        evidence=(
            {
                "source": SOURCE,
                "node": row.id,
                "why": "cloned",
                "machine_id": row.machine_id,
                "certificate_serial": row.certificate_serial,
                "received_at": now.isoformat(),
            },
        ),
        source=SOURCE,
    )
