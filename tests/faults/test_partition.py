"""A day without a line, by a clock that the test moves: nothing lost, nothing twice, what matters first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from agent.clock import Clock
from agent.outbox import Bounds, Entry, Outbox
from agent.tasks import Tasks
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


async def deliver(simulated: Simulated, line: Line, outbox: Outbox) -> None:
    """Send until all is delivered."""

    async def sleep(seconds: float) -> None:
        # The backoff's waits pass while the host lives on.
        simulated.seconds += seconds
        await asyncio.sleep(0)

    up = Uplink(line, outbox, lambda: 1.0, "en", sleep=sleep, steady=lambda: simulated.seconds)
    async with asyncio.timeout(60), Tasks() as tasks:
        tasks.spawn("uplink", up.run())
        await outbox.drained()


async def test_a_day_without_a_line_and_a_reboot_in_it_lose_nothing_and_double_nothing(
    tmp_path: Path,
) -> None:
    simulated = Simulated()
    line = Line(simulated)
    outbox = Outbox(tmp_path, simulated.clock("boot-1"), Bounds(min_free_bytes=0))
    incidents = await live(simulated, outbox, DAY / 2)
    outbox.close()
    simulated.booted = simulated.seconds
    outbox = Outbox(tmp_path, simulated.clock("boot-2"), Bounds(min_free_bytes=0))
    incidents += await live(simulated, outbox, DAY - 3600)
    await deliver(simulated, line, outbox)

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


async def test_what_a_day_without_a_line_was_too_long_for_is_told_to_the_last_report(tmp_path: Path) -> None:
    """By gaps with their number and their time; no incident and no state is among it."""
    simulated = Simulated()
    line = Line(simulated)
    outbox = Outbox(tmp_path, simulated.clock("boot-1"), Bounds(max_bytes=100_000, min_free_bytes=0))
    incidents = await live(simulated, outbox, DAY - 3600)
    lost = (await outbox.status()).drops
    await deliver(simulated, line, outbox)
    outbox.close()

    kinds = [report.kind for report in line.reports]
    told = [msgspec.json.decode(report.body) for report in line.reports if report.kind == "gap"]
    assert set(lost) == {"sockets"}
    assert lost["sockets"] > 100
    assert {gap["kind"] for gap in told} == {"sockets"}
    assert sum(gap["count"] for gap in told) == lost["sockets"] == 5 * len(incidents) - kinds.count("sockets")
    for gap in told:
        begun, ended = datetime.fromisoformat(gap["from"]), datetime.fromisoformat(gap["to"])
        assert Simulated().now() < begun <= ended < Simulated().now() + timedelta(days=1)
        assert "max_bytes" in gap["why"]
    assert [report.id for report in line.reports if report.kind == "incident"] == incidents
    assert {"asset", "exits", "heartbeat"} < set(kinds)
