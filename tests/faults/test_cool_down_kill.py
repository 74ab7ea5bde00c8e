"""An agent is killed while one of its sources cools down: the source rests on, which is told exactly once."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agent.clock import host_clock
from agent.outbox import Bounds, Outbox
from tests.agent.loaded import bodies

if TYPE_CHECKING:
    from agent.enrolment import Identity
    from tests.agent.conftest import FarSide

CHILD = Path(__file__).with_name("cool_down_child.py")
# Longer than the child takes to start: each life begins while the source still rests.
COOL_DOWN = 1.2
STEPS = ["told", "looked", "told", "telling", "told", "told"]
Step = tuple[str, datetime]


def step(line: bytes) -> Step:
    name, at = line.decode().split()
    return name, datetime.fromisoformat(at)


async def killed_at(name: str, folder: Path) -> list[Step]:
    """Run a life until a step of this name is taken, kill it, and return its steps."""
    words = (sys.executable, str(CHILD), str(folder), str(COOL_DOWN))
    child = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    taken: list[Step] = []
    while name not in {one for one, _ in taken}:
        taken.append(step(await child.stdout.readline()))
    child.kill()
    taken += [step(line) for line in (await child.stdout.read()).splitlines(keepends=True)]
    await child.wait()
    return taken


async def overdrafts_told(folder: Path) -> list[datetime]:
    """When each overdraft in the outbox began."""
    outbox = Outbox(folder, host_clock(), Bounds(min_free_bytes=0))
    await outbox.begin()
    batch = await outbox.peek()
    outbox.close()
    assert batch is not None
    told = [msgspec.json.decode(bytes(report.body)) for report in batch.reports]
    assert all(one["why"].startswith("overdrawn: cpu_seconds") for one in told)
    return sorted(datetime.fromisoformat(one["from"]) for one in told)


@pytest.mark.slow
async def test_kills_at_every_step_of_an_overdraft_lose_no_report_double_none_and_end_no_rest(
    tmp_path: Path,
) -> None:
    lives = [await killed_at(name, tmp_path) for name in STEPS]
    looks = [at for life in lives for name, at in life if name == "looked"]
    told = await overdrafts_told(tmp_path)

    assert len(set(told)) == len(told)
    assert sum(name == "told" for life in lives for name, _ in life) <= len(told)
    unknown = 0
    for look, following in pairwise([*looks, None]):
        assert look is not None
        of_this = [at for at in told if look <= at and (following is None or at < following)]
        if not of_this:
            unknown += 1  # killed before anything was on disk: neither the report nor the rest is known
            continue
        (began,) = of_this
        if following:
            assert following - began >= timedelta(seconds=COOL_DOWN - 0.02)
    assert unknown <= sum(name != "told" for name in STEPS)


async def life(far_side: FarSide, settings: Path, last_report: str) -> None:
    """Run a real agent until it has sent one more of a kind, and kill it."""
    sent = len(far_side.reports)
    words = (sys.executable, "-m", "agent", "run", "--config", str(settings))
    child = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.DEVNULL)
    try:
        await far_side.until(lambda: last_report in far_side.kinds()[sent:], seconds=30)
    finally:
        child.kill()
        await child.wait()


async def test_a_killed_agent_does_not_look_again_before_the_cool_down_is_over(
    far_side: FarSide, identity: Identity, tmp_path: Path
) -> None:
    settings = tmp_path / "agent.yaml"
    budget = "{cpu_seconds: 0.000001, cool_down: 300}"
    settings.write_text(
        f"state_dir: {identity.folder.parent}\noutbox: {{min_free_bytes: 0}}\n"
        f"sources: {{exits: {{budget: {budget}}}, rules: {{enabled: false}}}}\n"
    )

    await life(far_side, settings, "gap")
    await life(far_side, settings, "asset")
    await life(far_side, settings, "sockets")

    def of_exits(kind: str) -> list[dict[str, Any]]:
        of = [report.source == "exits" for report in far_side.reports if report.kind == kind]
        return [body for body, its in zip(bodies(far_side, kind), of, strict=True) if its]

    assert [gap["why"].split(":")[0] for gap in of_exits("gap")] == ["overdrawn"]
    assert len(of_exits("exits")) <= 1
