"""An incident's evidence is read by people: each field that docs/wire.md promises has a name in zh and en."""

import re
from pathlib import Path

from collector.console.words import word

WIRE = Path(__file__).parents[3] / "docs" / "wire.md"


def promised() -> set[str]:
    """The fields of the items of evidence, as the section of incidents lists them."""
    section = WIRE.read_text("utf-8").partition("### `incident`")[2].partition("\n## ")[0]
    listed = re.findall(r"items? (?:is|are|has|hold)[^`]*`\[?\{([a-z_, \[\]{}:]+)\}", section)
    return {name for fields in listed for name in re.findall(r"[a-z_]+", fields)}


def test_every_field_of_evidence_has_a_name_in_both_languages() -> None:
    fields = promised() | {"arguments", "parent", "uid", "why", "connections", "source_addresses"}

    assert len(fields) > 12
    assert {
        name for name in fields if not re.search("[\u4e00-\u9fff]|PID|SHA|MAC", word("fact", name, "zh"))
    } == set()
