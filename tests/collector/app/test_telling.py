"""What a collector loads stands in its journal; what it leaves out is told to whoever started it too."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from collector.app.live import Live
from collector.app.telling import Teller
from collector.store import journal
from collector.store.engine import Store
from collector.world import load_world

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONFIGS = Path(__file__).parents[3] / "configs"


async def test_a_plan_with_a_mistake_is_told_and_stands_in_the_journal(
    sqlite_state: Store, tmp_path: Path
) -> None:
    shutil.copy(CONFIGS / "registry.yaml", tmp_path)
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "broken.yaml").write_text("id: broken\n")
    (tmp_path / "collector.yaml").write_text("unit: district\nregistry: registry.yaml\nplaybooks: plans\n")
    said: list[str] = []
    live = Live(load_world(str(tmp_path / "collector.yaml"), {}))

    await Teller(sqlite_state, live, lambda: NINE, said.append).loaded()

    async with sqlite_state.read() as connection:
        told = [row async for row in journal.read_chains(connection)]
    assert [(row.action, row.subject, row.at) for row in told] == [
        ("registry.loaded", "unit:district", NINE),
        ("audit.finding", "unit:district", NINE),
    ]
    assert told[1].detail["finding"] == "plans_left_out"
    assert "broken.yaml" in told[1].detail["what"][0]
    assert all("plan left out" in line for line in said)
    assert said
