"""What docs/plans.md says of kinds, results, commands and shipped plans is so."""

import re
from pathlib import Path
from typing import get_args

from collector.plans import examine
from collector.plans.lint import _OUTPUTS
from collector.plans.model import Step

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "plans.md").read_text()
ROWS = {
    cells[0].strip("` "): [cell.strip() for cell in cells]
    for line in TEXT.splitlines()
    if line.startswith("| `") and (cells := line.strip("| ").split(" | "))
}


def test_every_kind_of_step_is_told() -> None:
    for step in get_args(Step):
        assert f"`{step.__struct_config__.tag}`" in TEXT


def test_every_result_that_out_may_take_is_told() -> None:
    for kind, outputs in _OUTPUTS.items():
        row = ROWS[kind.__struct_config__.tag]  # type: ignore[attr-defined]

        assert outputs == set(row[3].strip("`|").split())


def test_every_shipped_plan_is_told_with_its_classes() -> None:
    for path in sorted((ROOT / "playbooks").glob("*.yaml")):
        plan = examine(path.read_text(), str(path)).plan
        assert plan is not None

        row = next(cells for cells in ROWS.values() if cells[0].startswith(f"`{plan.id}`"))
        assert set(re.findall(r"\b[A-Z]{5,}\b", row[1])) == set(plan.classes)


def test_the_files_it_names_exist() -> None:
    names = re.findall(r"`((?:tests|benchmarks|collector|playbooks)/[\w./]+)`", TEXT)

    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []
