"""docs/host.md names what the node's own sources find, and the collector knows what to do with each."""

import re
from pathlib import Path

from agent.sources import SOURCES, Patrol, SourcesSettings
from collector.classes import read_classes
from collector.plans import read_plan
from collector.shipped import configs_dir, playbooks_dir

TEXT = (Path(__file__).parents[2] / "docs/host.md").read_text("utf-8")
ROWS = [line.split("|")[1:-1] for line in TEXT.splitlines() if line.startswith("| ")][1:]


def told() -> set[str]:
    return {code for row in ROWS for code in re.findall(r"\b[A-Z]{4,}\b", row[2]) if code != "MPOTH"}


def test_every_source_that_makes_rounds_has_its_row() -> None:
    named = {name for row in ROWS for name in re.findall(r"`(\w+)`", row[0])}

    assert named == {source.name for source in SOURCES if issubclass(source, Patrol)}
    assert named <= set(SourcesSettings.__struct_fields__)


def test_every_class_is_one_of_the_standard_and_has_a_plan() -> None:
    classes = read_classes((configs_dir() / "classes.yaml").read_text("utf-8"), "classes.yaml")
    plans = [read_plan(path.read_text("utf-8"), path.name)[0] for path in playbooks_dir().glob("*.yaml")]
    planned = {code for plan in plans for code in plan.classes}

    assert len(told()) > 8
    assert {code for code in told() if not classes.knows(code)} == set()
    assert told() - planned == set()
