"""What a fleet of idle agents costs one collector: memory each, and the share of one core.

    .venv/bin/python benchmarks/fleet.py [--scenario FILE]

Every agent has its own key and certificate, keeps its poll for orders open on one mutual TLS connection and
sends a heartbeat through session and log on another. The collector's ingest runs on one core, the agents on
the other. Memory is PSS from smaps_rollup, CPU from the process's own times.

Exit: 0 as expected, 1 dearer than expected, 2 wrong usage, 3 the measurement is invalid.
"""

import argparse
import asyncio
import os
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import uvloop
import yaml
from ingest import DEAR, INVALID, InvalidError, free_port
from server import client_contexts

HERE = Path(__file__).parent
_HEARTBEAT = (
    '{"version":1,"epoch":"e-%d","after":%d,"after_id":"%s","sent_at":"2026-03-02T01:10:00Z","reports":'
    '[{"id":"%d-%d","seq":%d,"kind":"heartbeat","source":"heartbeat",'
    '"observed_at":"2026-03-02T01:10:00Z","boot_id":"5f0c8a52","monotonic":123.5,'
    '"body":{"agent_version":"0.1.0","settings_hash":"3f1c","outbox_bytes":4096,"outbox_age":0.5,'
    '"drops":{},"certificate_expires":"2026-06-01T00:00:00Z"}}]}'
)


class Agent:
    """One agent's two connections."""

    def __init__(self, number: int, context: ssl.SSLContext, counts: dict[str, int]) -> None:
        self._number = number
        self._context = context
        self._counts = counts
        self._seq = 0

    async def connect(self, port: int) -> None:
        self._poll = await asyncio.open_connection(
            "127.0.0.1", port, ssl=self._context, server_hostname="localhost"
        )
        self._beat = await asyncio.open_connection(
            "127.0.0.1", port, ssl=self._context, server_hostname="localhost"
        )

    async def live(self, heartbeat: float, phase: float) -> None:
        await asyncio.gather(self._keep_polling(), self._keep_beating(heartbeat, phase))

    async def _keep_polling(self) -> None:
        reader, writer = self._poll
        while True:
            writer.write(b"GET /v1/orders HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await self._answer(reader, "polls")

    async def _keep_beating(self, heartbeat: float, phase: float) -> None:
        reader, writer = self._beat
        writer.write(self._request())
        await self._answer(reader, "heartbeats")
        await asyncio.sleep(phase * heartbeat)
        while True:
            begun = time.monotonic()
            writer.write(self._request())
            await self._answer(reader, "heartbeats")
            await asyncio.sleep(max(0.0, heartbeat - (time.monotonic() - begun)))

    def _request(self) -> bytes:
        self._seq += 1
        before = f"{self._number}-{self._seq - 1}" if self._seq > 1 else ""
        body = _HEARTBEAT % (self._number, self._seq - 1, before, self._number, self._seq, self._seq)
        head = f"POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        return (head + body).encode()

    async def _answer(self, reader: asyncio.StreamReader, kind: str) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        size = int(head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        await reader.readexactly(size)
        self._counts[kind if head[9:12] == b"200" else "other"] += 1


def pss(pid: int) -> float:
    """Proportional set size of a process in kilobytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("Pss:")))


def raise_limits() -> None:
    import resource  # noqa: PLC0415 - for this one call

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))


async def measure(folder: Path, scenario: dict[str, Any]) -> dict[str, float]:
    agents, counts = scenario["agents"], {"polls": 0, "heartbeats": 0, "other": 0}
    port = free_port()
    contexts = client_contexts(folder, agents)
    words = ["taskset", "-c", str(scenario["cores"]["server"]), sys.executable, str(HERE / "server.py")]
    loop = asyncio.get_running_loop()
    child = subprocess.Popen([*words, str(folder), str(port), "tls"])  # noqa: ASYNC220 - nothing runs yet
    try:
        server = psutil.Process(child.pid)
        await wait_for(port)
        os.sched_setaffinity(0, {scenario["cores"]["load"]})
        empty = pss(child.pid)
        fleet = [Agent(number, context, counts) for number, context in enumerate(contexts)]
        begun = time.monotonic()
        lives: list[asyncio.Task[None]] = []
        gate = asyncio.Semaphore(scenario["connect_at_once"])

        async def connect(number: int, agent: Agent) -> None:
            async with gate:
                await agent.connect(port)
            lives.append(loop.create_task(agent.live(scenario["heartbeat"], number / agents)))

        await asyncio.gather(*(connect(number, agent) for number, agent in enumerate(fleet)))
        connected = time.monotonic() - begun
        await asyncio.sleep(scenario["heartbeat"] + scenario["settle"])
        before, cpu, began = counts["heartbeats"], sum(server.cpu_times()[:2]), time.monotonic()
        await asyncio.sleep(scenario["window"])
        seconds = time.monotonic() - began
        figures = {
            "core_share": (sum(server.cpu_times()[:2]) - cpu) / seconds,
            "kilobytes_per_agent": (pss(child.pid) - empty) / agents,
            "heartbeats_share": (counts["heartbeats"] - before) / (agents * seconds / scenario["heartbeat"]),
            "connections": len(server.net_connections("tcp")) - 1,
            "other": counts["other"],
            "connect_seconds": connected,
            "ended": sum(life.done() for life in lives),
        }
        for life in lives:
            life.cancel()
        await asyncio.wait(lives)
        return figures
    finally:
        child.terminate()
        child.wait(30)


async def wait_for(port: int) -> None:
    for _ in range(1500):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
    raise InvalidError("the collector did not start")


def check(figures: dict[str, float], counters: dict[str, float]) -> None:
    if figures["other"] > counters["answers_other_than_200"] or figures["ended"]:
        raise InvalidError(f"answers other than 200, or agents cut off: {figures}")
    if figures["connections"] < counters["connections"]:
        raise InvalidError(f"only {figures['connections']} connections were open")
    if figures["heartbeats_share"] < counters["heartbeats_share"]:
        raise InvalidError(f"only {figures['heartbeats_share']:.2f} of the heartbeats due were answered")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenario", type=Path, default=HERE / "scenarios" / "fleet.yaml")
    scenario = yaml.safe_load(parser.parse_args().scenario.read_text())
    raise_limits()
    try:
        with tempfile.TemporaryDirectory(prefix="fengsui-fleet-") as name:
            figures = uvloop.run(measure(Path(name), scenario))
        print({name: round(value, 3) for name, value in figures.items()})
        check(figures, scenario["counters"])
    except InvalidError as error:
        print(f"invalid: {error}", file=sys.stderr)
        return INVALID
    dear = [name for name, most in scenario["expect"].items() if figures[name] > most]
    for name in dear:
        print(f"dear: {name} is {figures[name]:.2f}, at most {scenario['expect'][name]}", file=sys.stderr)
    return DEAR if dear else 0


if __name__ == "__main__":
    sys.exit(main())
