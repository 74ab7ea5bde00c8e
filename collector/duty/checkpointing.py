"""Signs where the journal's chains end: every thousand entries, every minute, and when the process ends.

The first checkpoint of a process signs the ends of all chains, so that the last entries of a process that was
killed are covered from the next start on. The newest one is handed out to be kept outside the database too.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import asdict
from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import RetryableError
from ..sealing import Head
from ..store.checkpoints import add_checkpoint, chain_ends
from ..store.engine import Store
from ..trust.checkpoints import Checkpoint, ends_of, sign

EVERY = timedelta(minutes=1)
AGAIN = timedelta(seconds=10)
ENTRIES = 1000
_log = logging.getLogger(__name__)


class Checkpointing:
    """Writes checkpoints; `run` for ever, `seal` once.

    Args:
        store: The state, with the journal.
        key: Signs.
        now: The time.
        keep: Keeps the newest checkpoint outside the database, once it is in there; may block.
    """

    def __init__(
        self,
        store: Store,
        key: Ed25519PrivateKey,
        *,
        now: Callable[[], datetime],
        keep: Callable[[Checkpoint], None] = lambda _: None,
    ) -> None:
        self._keep = keep
        self._store = store
        self._key = key
        self._now = now
        self._signed: dict[str, Head] = {}
        self._n = 0
        self._previous = ""

    async def run(self) -> None:
        """Seal until cancelled."""
        while True:
            try:
                await self.seal()
            except RetryableError as error:
                _log.warning("no checkpoint of the journal: %s", error)
                await asyncio.sleep(AGAIN.total_seconds())
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY.total_seconds()):
                    await self._grown()

    async def seal(self) -> Checkpoint | None:
        """Sign and store the ends that are not signed yet; None where there is none.

        Raises:
            StoreBusyError: The database is away.
        """
        made = await self._store.run(self._write)
        if made is not None:
            self._n, self._previous = made.n, made.signature
            self._signed |= {head[0]: Head(*head) for head in made.heads}
            await self._keep_outside(made)
        return made

    async def _keep_outside(self, made: Checkpoint) -> None:
        try:
            await asyncio.to_thread(self._keep, made)
        except OSError as error:  # a full disk; the next one is kept again
            _log.warning("the newest checkpoint is kept in the database alone: %s", error)

    async def _grown(self) -> None:
        seen = self._store.changed.count
        while True:
            end = self._store.journal_end
            signed = self._signed.get(end.chain)
            if end.n - (signed.n if signed else 0) >= ENTRIES:
                return
            seen = await self._store.changed.wait(seen)

    def _own(self) -> list[str]:
        """Names of this process's chains: a new one begins where a commit's fate stayed unknown."""
        prefix, _, count = self._store.journal_end.chain.rpartition("-")
        return [f"{prefix}-{number}" for number in range(1, int(count) + 1)]

    async def _write(self, connection: AsyncConnection) -> Checkpoint | None:
        if self._n:
            ends = set(await chain_ends(connection, self._own())) - set(self._signed.values())
        else:
            ends = set(await chain_ends(connection))
        if not ends:
            return None
        made = sign(
            self._key,
            Checkpoint(
                at=self._now(),
                owner=self._store.incarnation,
                n=self._n + 1,
                heads=ends_of(sorted(ends, key=lambda head: head.chain)),
                previous=self._previous,
            ),
        )
        await add_checkpoint(connection, asdict(made) | {"heads": [list(head) for head in made.heads]})
        return made
