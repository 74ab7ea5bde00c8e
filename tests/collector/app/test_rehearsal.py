"""A rehearsal plays the real rules on a simulated clock: hours in a moment, and nothing leaves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector import shipped
from collector.app.rehearsal import Rehearsed, rehearse
from collector.drills import read_script
from collector.world import World, load_world
from tests.collector.desk.test_drills import SCRIPT_HERE

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    return load_world(str(shipped.configs_dir() / "collector.yaml"), {})


async def play(world: World, folder: Path, script: str = SCRIPT_HERE) -> Rehearsed:
    return await rehearse(world, read_script(script, "drill.yaml"), "district", NINE, folder)


async def test_three_hours_are_played_to_their_end_and_scored(world: World, tmp_path: Path) -> None:
    found = await play(world, tmp_path)
    took = {(mark.what, mark.about or mark.title): mark.seconds for mark in found.sheet.marks}

    assert found.ended == NINE + timedelta(hours=3)
    assert took["acknowledge", "【演练】首页被篡改"] == 240
    assert took["acknowledge", "【演练】拒绝服务"] == 32 * 60  # its duty people are absent for half an hour
    assert took["report", "cn-informatization/report"] is not None
    assert all("【演练】" in one.subject for one in found.woken)
    assert {"filing.receipted", "run.started", "drill.ended"} <= {one["action"] for one in found.timeline}
    assert not [one for one in found.timeline if one["action"] == "notice.sent"]


async def test_slower_people_score_less(world: World, tmp_path: Path) -> None:
    slow = SCRIPT_HERE.replace("answer: 4m, contain: 40m", "answer: 50m, contain: 170m")
    quick = await play(world, tmp_path)
    (tmp_path / "rehearsal.db").unlink()
    late = await play(world, tmp_path, slow)

    assert (quick.sheet.points or 0) > (late.sheet.points or 0)
