"""Who a certificate's bearer is, from memory: a look into the database a batch would cost too much.

Unit and kind of a node never change and a revoked node never comes back, so one answer may be kept; only
revocations and clones have to be heard of. In this process `forget` tells at once; what other processes did
is read every few seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable

from ..errors import RetryableError
from ..store.nodes import ADMITTED, Standing
from .answers import RefusedError
from .tally import Tally

REFRESH_SECONDS = 2.0
_REMEMBERED = 100_000

FindStanding = Callable[[str], Awaitable[Standing | None]]
FindRevoked = Callable[[], Awaitable[set[str]]]


class Standings:
    """Asks the store once a node; holds the answers."""

    def __init__(self, find: FindStanding, revoked: FindRevoked, tally: Tally) -> None:
        self._find = find
        self._revoked = revoked
        self._tally = tally
        self._known: dict[str, Standing] = {}

    async def active(self, node: str) -> Standing:
        """Return a node's standing.

        Raises:
            RefusedError: `identity` for a node that was never enrolled here, `revoked` for one that may not
                report any more.
        """
        known = self._known.get(node)
        if known is None:
            known = await self._find(node)
            if known is None:
                raise RefusedError("identity", 403, f"node {node[:64]!r} is not enrolled here; enrol it anew")
            if known.state not in ADMITTED:
                raise RefusedError("revoked", 403, f"node {node} was revoked; enrol it anew if it may report")
            if known.cloned:
                return known  # which certificate counts changes with the next fresh key
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[node] = known
        return known

    @staticmethod
    def hold_clone(peer: Standing, serial: str) -> None:
        """Refuse the old certificate of a node that was cloned: its bearer has to get a fresh key.

        Raises:
            RefusedError: `rekey`.
        """
        if peer.cloned and serial != peer.serial:
            text = f"two hosts spoke with the key of node {peer.id}; renew the certificate with a fresh key"
            raise RefusedError("rekey", 403, text)

    def forget(self, node: str) -> None:
        """Ask the store again at the next request of this node."""
        self._known.pop(node, None)

    async def keep_fresh(self) -> None:
        """Hear of revocations by other processes; runs until cancelled."""
        while True:
            try:
                for node in await self._revoked():
                    self.forget(node)
            except RetryableError:
                self._tally.refused["standings_refresh"] += 1
            await asyncio.sleep(REFRESH_SECONDS)
