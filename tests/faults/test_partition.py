"""A day without a line, by a clock that the test moves: nothing lost, nothing twice, what matters first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from agent.clock import Clock
from agent.outbox import Bounds, Entry, Outbox
from agent.transport import Reply, UnreachableError
from agent.uplink import Uplink
from wire import codec, messages
from wire.session import Held, Slice, Take, receive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DAY = 86400


class Simulated:
    """A host's clocks; a reboot begins the monotonic one anew."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.booted = 0.0

    def now(self) -> datetime:
        return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def clock(self, boot: str) -> Clock:
        return Clock(now=self.now, monotonic=lambda: self.seconds - self.booted, boot_id=boot)


class Line:
    """A collector that judges by the session's rules, behind a line that is down for a day."""

    def __init__(self, simulated: Simulated) -> None:
        self._simulated = simulated
        self._held: dict[str, Held] = {}
        self._batches = codec.Codec(messages.Batch)
        self.reports: list[messages.Report] = []
        self.tries = 0
        self.tried_bytes = 0

    @property
    def up(self) -> bool:
        return self._simulated.seconds >= DAY

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 30.0,
    ) -> Reply:
        assert (method, path, seconds >= 30) == ("POST", "/v1/batches", True)
        assert body is not None
        if not self.up:
            self.tries += 1
            self.tried_bytes += len(body)
            raise UnreachableError("no route to host")
        plain = codec.unpack(body, (headers or {}).get("Content-Encoding", ""))
        batch = self._batches.decode(plain)
        ids = [report.id for report in batch.reports]
        numbers = [report.seq for report in batch.reports]
        step = receive(self._held.get(batch.epoch, Held()), Slice(batch.after, batch.after_id, numbers, ids))
        assert isinstance(step, Take), step
        self._held[batch.epoch] = step.held
        self.reports += batch.reports[len(ids) - step.fresh :]
        highest = step.held
        answer = messages.Ack(
            version=1,
            epoch=batch.epoch,
            highest=highest.highest,
            highest_id=highest.highest_id,
            received_at=self._simulated.now(),
        )
        return Reply(200, codec.encode(answer))


async def live(simulated: Simulated, outbox: Outbox, until: float) -> list[str]:
    """Let a host report until a time; return the ids of its incidents."""
    incidents: list[str] = []
    while simulated.seconds < until:
        simulated.seconds += 600
        now = simulated.now()
        incident, *_ = await asyncio.gather(
            outbox.accept(Entry("incident", "files", now, {"key": str(simulated.seconds)})),
            outbox.accept(Entry("asset", "asset", now, {"at": simulated.seconds})),
            outbox.accept(Entry("exits", "exits", now, {"routes": ["eth0"]})),
            *(outbox.accept(Entry("sockets", "sockets", now, {"n": n})) for n in range(5)),
            *(outbox.accept(Entry("heartbeat", "heartbeat", now, {"n": n})) for n in range(5)),
        )
        incidents.append(incident)
    return incidents


async def test_a_day_without_a_line_and_a_reboot_in_it_lose_nothing_and_double_nothing(
    tmp_path: Path,
) -> None:
    simulated = Simulated()
    line = Line(simulated)
    outbox = Outbox(tmp_path, simulated.clock("boot-1"), Bounds(min_free_bytes=0))
    drained = asyncio.Event()

    async def sleep(seconds: float) -> None:
        # The backoff's waits pass while the host lives on.
        simulated.seconds += seconds
        await asyncio.sleep(0)

    async def send(box: Outbox) -> None:
        up = Uplink(line, box, lambda: 1.0, "en", sleep=sleep, steady=lambda: simulated.seconds)
        await up.run()

    incidents = await live(simulated, outbox, DAY / 2)
    outbox.close()
    simulated.booted = simulated.seconds
    outbox = Outbox(tmp_path, simulated.clock("boot-2"), Bounds(min_free_bytes=0))
    incidents += await live(simulated, outbox, DAY - 3600)
    sending = asyncio.get_running_loop().create_task(send(outbox))
    async with asyncio.timeout(60):
        await outbox.drained()
    drained.set()
    sending.cancel()

    told = [report.id for report in line.reports]
    kinds = [report.kind for report in line.reports]
    assert line.tries > 10
    assert len(told) == len(set(told))
    assert [report.id for report in line.reports if report.kind == "incident"] == incidents
    assert kinds[: len(incidents)] == ["incident"] * len(incidents)
    assert sorted(kinds[len(incidents) : len(incidents) + 3]) == ["asset", "exits", "heartbeat"]
    assert kinds.count("sockets") == 5 * len(incidents)
    assert {report.boot_id for report in line.reports} == {"boot-1", "boot-2"}
    assert (await outbox.status()).drops == {}
    assert line.tried_bytes / ((simulated.seconds - (DAY - 3600)) / 60 + 1) <= 4 * 1024 * 1024
    outbox.close()
