"""A node that is killed at any step of an order brings it to one end: its effect and its evidence once."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from agent.outbox import Bounds, Outbox
from wire.messages import Order

if TYPE_CHECKING:
    from agent.clock import Clock
    from agent.enrolment import Identity
    from tests.agent.conftest import FarSide

CHILD = Path(__file__).with_name("order_child.py")
STEPS = 30


async def carry_out(folder: Path, far_side: FarSide, kill_at: int) -> int:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, str(CHILD), str(folder), far_side.url, str(kill_at)),
        cwd=CHILD.parents[2],
        env={"PYTHONPATH": str(CHILD.parents[2]), "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await child.wait()


async def test_killed_at_every_step_an_order_has_one_end_one_effect_and_its_evidence_once(
    far_side: FarSide, identity: Identity, clock: Clock, tmp_path: Path
) -> None:
    now = clock.now()
    order = Order(
        id="o1",
        node="node-1",
        kind="block_address",
        params={"address": "203.0.113.9", "seconds": 600},
        issued_at=now,
        deadline=now + timedelta(minutes=10),
    )
    killed = 0
    for kill_at in range(1, STEPS):
        folder = tmp_path / f"node-{kill_at}"
        shutil.copytree(identity.folder.parent, folder)
        far_side.orders, far_side.outcomes = [far_side.authority.signed(order)], []

        code = await carry_out(folder, far_side, kill_at)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        killed += 1
        assert await carry_out(folder, far_side, 0) == 0

        ends = {(outcome.order, outcome.state) for outcome in far_side.outcomes}
        assert ends == {("o1", "done")}, kill_at
        assert [path.name for path in (folder / "blocked").iterdir()] == ["o1"]
        outbox = Outbox(folder, clock, Bounds(min_free_bytes=0))
        await outbox.begin()
        batch = await outbox.peek()
        outbox.close()
        assert batch is not None
        kinds = [report.kind for report in batch.reports]
        assert kinds.count("evidence") == 1, kill_at

    assert killed >= 8
