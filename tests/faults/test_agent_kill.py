"""A node is killed from outside at random moments, under load, over a line that loses answers."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from agent.clock import host_clock
from agent.enrolment import Host, enrol

if TYPE_CHECKING:
    from aiohttp import web

    from tests.agent.conftest import FarSide

CHILD = Path(__file__).with_name("agent_child.py")
KILLS = 20


async def started(folder: Path, url: str, mode: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, str(CHILD), str(folder), url, mode, stdout=asyncio.subprocess.PIPE
    )


async def killed_after(child: asyncio.subprocess.Process, lines: int) -> list[str]:
    """Kill a child once it has told of so many accepted observations; return all that it told of."""
    assert child.stdout is not None
    told = [await child.stdout.readline() for _ in range(lines)]
    child.kill()
    told += (await child.stdout.read()).splitlines(keepends=True)
    await child.wait()
    return [line.decode().strip() for line in told if line.endswith(b"\n")]


@pytest.mark.slow
async def test_twenty_kills_under_load_lose_nothing_that_was_accepted_and_double_nothing(
    far_side: FarSide, tmp_path: Path
) -> None:
    dice = random.Random(2026)  # noqa: S311 - no secret
    folder = tmp_path / "state"
    await enrol(far_side.authority.token(far_side.url), "", folder, Host("host-1"), host_clock().now)

    async def lose_some_answers(request: web.Request) -> web.StreamResponse | None:
        answer = await far_side.batches(request)
        if dice.random() < 0.2 and request.transport is not None:
            request.transport.abort()
        return answer

    far_side.behave["/v1/batches"] = lose_some_answers
    accepted: list[str] = []
    for _ in range(KILLS):
        accepted += await killed_after(await started(folder, far_side.url, "load"), dice.randint(1, 400))
    last = await started(folder, far_side.url, "drain")
    await last.communicate()

    assert last.returncode == 0
    arrived = Counter(
        msgspec.json.decode(bytes(report.body))["note"]
        for report in far_side.reports
        if report.kind == "incident"
    )
    assert set(accepted) - set(arrived) == set()
    assert [note for note, times in arrived.items() if times > 1] == []
    assert far_side.kinds().count("gap") == 0
    assert len(far_side.held) == 1, "no kill may look like a fork"
