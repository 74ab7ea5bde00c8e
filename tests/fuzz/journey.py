"""The way of what a node saw: outbox, wire, event log, stages, casework, and the pages that people read."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from aiohttp import ClientSession

from agent.clock import host_clock
from agent.outbox import Outbox
from agent.outbox.entry import Observed
from agent.settings import Bounds
from collector.eventlog.sqlite import SqliteLog
from collector.ingest.receive import Receiver
from collector.ingest.tally import Tally
from collector.pipeline import Pipeline
from collector.stages import stages
from collector.store import schema
from tests.browser.watch_room import PASSWORD, Room, a_node, shipped_classes, watch_room
from wire import codec
from wire.messages import Ack


class Journey:
    """One node, one collector, and an officer at its console."""

    def __init__(self, room: Room, log: SqliteLog, node: str, session: ClientSession) -> None:
        self.room = room
        self.node = node
        self._session = session
        self._receiver = Receiver(log, Tally())
        chain = stages(room.desk.registry, shipped_classes, room.casework.open, room.casework.note)
        self.pipeline = Pipeline(log, room.store, chain, room.clock)

    async def report(self, seen: Iterable[Observed]) -> None:
        """Take observations from the node's disk to the collector's rows."""
        folder = self.room.folder / "node"
        folder.mkdir()
        outbox = Outbox(folder, host_clock(), Bounds(min_free_bytes=0))
        for one in seen:
            await outbox.accept(one)
        while (batch := await outbox.peek()) is not None:
            ack = await self.take(codec.encode(batch))
            await outbox.acknowledge(ack)
        outbox.close()

    async def take(self, body: bytes) -> Ack:
        """Receive a batch and let the stages act on it."""
        ack = await self._receiver.take(self.node, *codec.pack(body), self.room.clock())
        assert isinstance(ack, Ack)
        while await self.pipeline.step():
            pass
        return ack

    async def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        """All rows of a table."""
        async with self.room.store.read() as conn:
            return [dict(row) for row in (await conn.execute(sa.select(table))).mappings()]

    async def pages(self) -> dict[str, str]:
        """Every page on which something of the node stands, in both languages."""
        incidents = [f"/incidents/{row['id']}" for row in await self.rows(schema.incidents)]
        found = {}
        for language in ("zh", "en"):
            for path in ("/", "/nodes", f"/nodes/{self.node}", "/exits", *incidents):
                headers = {"Accept-Language": language}
                async with self._session.get(self.room.url + path, headers=headers) as answer:
                    assert answer.status == 200, (path, answer.status, await answer.text())
                    found[f"{language} {path}"] = await answer.text()
        return found


@asynccontextmanager
async def journey(folder: Path) -> AsyncIterator[Journey]:
    """Run them."""
    async with watch_room(folder) as room, ClientSession() as session:
        await room.account("li", "officer")
        node = a_node(room.clock())
        await room.insert(schema.nodes, node)
        log = await SqliteLog.open(folder / "events.db")
        form = {"name": "li", "password": PASSWORD}
        async with session.post(f"{room.url}/sign-in", data=form) as answer:
            assert answer.status == 200
        yield Journey(room, log, node["id"], session)
        await log.close()
