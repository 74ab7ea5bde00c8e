"""What a sensor's log costs: lines a second that one core takes, and the CPU of following 500 lines a second.

    benchmarks/sensorlog.py [--seconds 10]

A tenth of the lines are alerts of 30 signatures from 200 addresses, the rest flows: what Suricata writes
most. The second figure is the whole source in this process (tail, decoding, troubles, state file), fed by a
writer beside it.

1: following took more than a hundredth of a core.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from agent.clock import host_clock
from agent.detection.eve import EveReader
from agent.detection.sensor import Sensor, SensorSettings
from agent.detection.zeek import ZeekReader
from agent.sources import Observation, SensorLogSettings, Suricata
from agent.tasks import Tasks

LINES = 50_000
RATE = 500
LIMIT = 0.01
AT = datetime(2026, 3, 2, 2, tzinfo=UTC)


def eve(number: int, at: str = "2026-03-02T09:10:00.5+0800") -> bytes:
    ends = {"timestamp": at, "src_ip": f"203.0.113.{number % 200}", "dest_ip": "10.1.1.5", "dest_port": 443}
    if number % 10:
        event = ends | {"event_type": "flow", "flow": {"bytes_toserver": 400, "state": "closed"}}
    else:
        alert = {"signature_id": 9_000_000 + number % 300, "signature": "S" * 60, "category": "Misc Attack"}
        event = ends | {"event_type": "alert", "alert": alert | {"severity": 2}, "payload": "A" * 300}
    return json.dumps(event).encode()


def zeek(number: int) -> bytes:
    row = {"ts": 1772413800 + number / 100, "id.orig_h": f"10.0.0.{number % 50}", "id.resp_h": "10.1.1.5"}
    return json.dumps(row | {"id.resp_p": 443, "proto": "tcp", "conn_state": "SF", "uid": "C1"}).encode()


def rate(sensor: Sensor, lines: list[bytes], log: str) -> float:
    began = time.process_time()
    for line in lines:
        sensor.line(line, log, AT)
    return len(lines) / (time.process_time() - began)


async def follow(seconds: float) -> tuple[float, int]:
    """Return the share of a core that following took, and how many reports there were."""
    told = 0

    async def emit(_: Observation) -> None:
        nonlocal told
        told += 1

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "eve.json"
        log.touch()
        source = Suricata(SensorLogSettings(files=(str(log),)), state=Path(folder))
        lines = [eve(number, host_clock().now().isoformat()) + b"\n" for number in range(RATE // 10)]
        async with Tasks() as tasks:
            tasks.spawn("source", source.watch(emit, host_clock().now))
            await asyncio.sleep(1.5)
            began, clock = time.process_time(), time.perf_counter()
            with log.open("ab", buffering=0) as file:
                while time.perf_counter() - clock < seconds:
                    file.write(b"".join(lines))
                    await asyncio.sleep(0.1)
            share = (time.process_time() - began) / (time.perf_counter() - clock)
            tasks.stop()
    return share, told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    args = parser.parse_args()
    eves = rate(Sensor(EveReader(), SensorSettings()), [eve(number) for number in range(LINES)], "eve.json")
    rows = rate(Sensor(ZeekReader(), SensorSettings()), [zeek(number) for number in range(LINES)], "conn.log")
    share, told = asyncio.run(follow(args.seconds))
    print(f"EVE lines a second, one core:        {eves:9,.0f}")
    print(f"Zeek conn rows a second, one core:   {rows:9,.0f}")
    print(f"following {RATE} EVE lines a second: {share:9.2%} of a core, {told} reports")
    return int(share > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
