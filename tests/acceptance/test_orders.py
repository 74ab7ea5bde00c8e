"""A collector killed between an order and its outcome: each order has one end, and takes effect once."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from .region import Region

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
KINDS = ["collect_evidence", "rescan", "stop_process", "apply_settings", "renew_certificate"]
MOMENTS = (0.0, 0.15, 0.4, 0.9)
"""Seconds after the orders were given: not told yet, told, being carried out, answered."""


class Giver:
    """Gives orders over the API of the district."""

    def __init__(self, region: Region, bearer: str, node: str) -> None:
        self.region = region
        self.node = node
        self._headers = {"Authorization": f"Bearer {bearer}"}
        self.version = 0

    async def give(self, kind: str, params: dict[str, Any]) -> str:
        asked = {"node": self.node, "kind": kind, "params": params, "dry_run": False, "reason": "trial"}
        url = f"http://127.0.0.1:{self.region.ports('district')['console']}/api/v1/orders"
        async with (
            ClientSession(headers=self._headers) as session,
            session.post(url, json=asked) as answer,
        ):
            assert answer.status in {200, 201}, await answer.text()
            return str((await answer.json())["id"])

    async def give_all(self, victim: int) -> dict[str, str]:
        """Give one order of each kind; return kinds by id."""
        self.version += 1
        settings = {"version": self.version, "settings": {"heartbeat_seconds": 1 + self.version}}
        params: dict[str, dict[str, Any]] = {
            "stop_process": {"pid": victim, "program": program_of(victim)},
            "apply_settings": settings,
        }
        return {await self.give(kind, params.get(kind, {})): kind for kind in KINDS}


@pytest.fixture
async def giver(tmp_path: Path) -> AsyncIterator[Giver]:
    region = Region(tmp_path / "region")
    try:
        await region.rise(joined=False)
        region.settle("district")
        region.agent("node", orders={"allow": KINDS})
        await region.enrol("node", await region.token())
        await region.wake("node")
        node = region.identity("node")["node"]
        heard = "SELECT last_seen FROM nodes WHERE id = ? AND last_seen IS NOT NULL"
        await region.until(lambda: region.rows("district", heard, node))
        made = await region.ask("district", "token", "create", "--api", "admin")
        yield Giver(region, made["token"], node)
    finally:
        await region.end()


def program_of(pid: int) -> str:
    return str(Path(f"/proc/{pid}/exe").readlink())


def victim() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


async def test_whenever_the_collector_is_killed_each_order_has_one_end_and_one_effect(giver: Giver) -> None:
    region, given = giver.region, dict[str, str]()
    victims = [victim() for _ in MOMENTS]
    try:
        for process, moment in zip(victims, MOMENTS, strict=True):
            given |= await giver.give_all(process.pid)
            await asyncio.sleep(moment)
            assert await region.troupe.stop("district", signal.SIGKILL) == -signal.SIGKILL
            await region.start("district")
        left = "SELECT count(*) FROM orders WHERE state = 'open'"
        await region.until(lambda: region.rows("district", left) == [(0,)], within=90)
        ended = await asyncio.gather(*(asyncio.to_thread(process.wait, 10) for process in victims))
    finally:
        for process in victims:
            process.kill()
            process.wait()

    rows = region.rows("district", "SELECT id, state, detail FROM orders")
    assert {row[0]: row[1] for row in rows} == dict.fromkeys(given, "done"), rows
    ends = region.rows("district", "SELECT subject FROM journal WHERE action = 'order.ended'")
    assert sorted(ends) == sorted((f"order:{order}",) for order in given)
    assert set(ended) <= {-signal.SIGTERM, -signal.SIGKILL}
    packs = region.rows("district", "SELECT id, state FROM evidence_packs")
    assert sorted(packs) == sorted(
        (one, "proved") for one, kind in given.items() if kind == "collect_evidence"
    )
    pushed = json.loads((region.stage.folder / "node/pushed.json").read_text())
    assert pushed["version"] == len(MOMENTS)
    renewed = "SELECT count(*) FROM journal WHERE json_extract(detail, '$.renewed')"
    ((renewals,),) = region.rows("district", renewed)
    assert renewals >= 1
