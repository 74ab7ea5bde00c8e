"""docs/api.md says of the API what the API is."""

import re
from pathlib import Path
from typing import get_args

from collector.api import ENDPOINTS
from collector.desk.problem import Kind
from collector.desk.rights import MAY

TEXT = (Path(__file__).parents[2] / "docs/api.md").read_text("utf-8")


def test_every_list_and_every_change_is_named() -> None:
    lists = {
        endpoint.path.removeprefix("/api/v1/") for endpoint in ENDPOINTS if endpoint.name.startswith("list")
    }
    changes = {endpoint.template for endpoint in ENDPOINTS if endpoint.method == "POST"}

    assert {name for name in lists if f"`{name}`" not in TEXT} == set()
    assert {path for path in changes if f"POST {path}" not in TEXT} == set()


def test_the_table_of_roles_is_the_one_that_counts() -> None:
    rows = [line.strip("|").split("|") for line in TEXT.splitlines() if line.startswith("| `")]
    told = {
        role: {
            deed
            for deed, cell in zip(("read", "act", "scrape", "report"), cells, strict=False)
            if cell.strip()
        }
        for names, *cells in rows
        for role in re.findall(r"`(\w+)`", names)
        if role in MAY
    }

    assert told == {role: set(deeds) for role, deeds in MAY.items()}


def test_every_kind_of_problem_is_named() -> None:
    assert [kind for kind in get_args(Kind) if f"`{kind}`" not in TEXT] == []
