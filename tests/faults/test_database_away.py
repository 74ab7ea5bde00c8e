"""A database server that goes away for a while ends no flow; when it is back, what fell due is done."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.engine import make_url

from collector.authority import Upstream
from collector.channels import Channel, Sent
from collector.duty import Auditor, Checkpointing, DutyClock
from collector.escalation import OnDuty
from collector.notices import Notices
from collector.settings import Route
from collector.store.engine import Store, StoreBusyError
from collector.store.filings import filings_of
from collector.store.notices import notices_of
from collector.tasks import spawn
from collector.trust.checkpoints import journal_key

if TYPE_CHECKING:
    from tests.conftest import Office

LONG_AGO = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DEADLINE = 30


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the flows have real clocks here


class Wire:
    """A way to a server's socket that can be cut and mended."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()
        await asyncio.sleep(0)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._socket)
        self._open |= {writer, back}
        with suppress(ConnectionError):
            await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    writer.close()


class Postbox:
    """A channel that takes everything."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def send(self, _address: str, _payload: object, key: str) -> Sent:
        self.keys.append(key)
        return Sent(detail={})

    async def close(self) -> None:
        pass


@pytest.fixture
async def wire(postgres_url: str) -> AsyncIterator[tuple[Wire, str]]:
    url = make_url(postgres_url)
    wire = Wire(Path(str(url.query["host"])) / ".s.PGSQL.5432")
    await wire.mend()
    beside = url.set(host="127.0.0.1", port=wire.port, query={})
    yield wire, beside.render_as_string(hide_password=False)
    await wire.cut()


async def until(look: Any) -> None:  # noqa: ANN401 - a question to a coroutine
    async with asyncio.timeout(DEADLINE):
        while not await look():  # noqa: ASYNC110 - the flows' own pace
            await asyncio.sleep(0.02)


async def test_flows_outlive_the_server_and_go_on_when_it_is_back(
    wire: tuple[Wire, str], office: "Office", tmp_path: Path
) -> None:
    cable, url = wire
    store = await Store.open(url)
    post = Postbox()
    channels: dict[str, Channel] = dict.fromkeys(["webhook", "mail", "sms"], post)
    routes = {"informatization_authority": Route(way="upstream", auto=True)}
    clock = DutyClock(store, office.casework, wall=now, steady=asyncio.get_running_loop().time)
    auditor = Auditor(
        store, lambda: OnDuty(registry=office.registry, rosters={}, at=now()), "county", now=now
    )
    deaths: list[tuple[str, BaseException]] = []
    notices = Notices(
        store,
        channels=lambda: channels,
        registry=lambda: office.registry,
        http_allow=list,
        clock=now,
        on_death=lambda name, error: deaths.append((name, error)),
    )
    upstream = Upstream(
        store,
        state=tmp_path,
        registry=lambda: office.registry,
        routes=lambda: routes,
        record_filing=office.casework.record_filing,
        statement=office.documents.statement,
        clock=now,
    )
    flows = [clock, auditor, notices, upstream, Checkpointing(store, journal_key(tmp_path), now=now)]
    async with AsyncExitStack() as stack:
        for flow in flows:
            name = type(flow).__name__
            task = spawn(name, flow.run(), lambda name, error: deaths.append((name, error)))
            stack.push_async_callback(_end, task)
        await until(lambda: _answer(auditor.last_pass is not None and clock.last_tick is not None))

        await cable.cut()
        with pytest.raises(StoreBusyError, match=r"away|connection lost"):
            async with store.read():
                pass
        await until(lambda: _answer(clock.failures > 1))
        await cable.mend()
        async with asyncio.timeout(DEADLINE):
            key = await store.run(
                lambda connection: office.casework.open(
                    connection, office.finding(LONG_AGO), LONG_AGO, LONG_AGO
                ),
                attempts=50,
            )
        await until(lambda: _answer(bool(post.keys)))
        await until(lambda: _filed(store, key))

        assert clock.fired > 0
        assert deaths == []
        async with store.read() as connection:
            assert {one.state for one in await notices_of(connection, key)} & {"sent", "sending"}
    await store.close()


async def _answer(value: bool) -> bool:  # noqa: FBT001 - an answer
    return value


async def _filed(store: Store, key: str) -> bool:
    async with store.read() as connection:
        return bool(await filings_of(connection, key))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
