"""The play ends with a sentence when somebody can't play; tests/acceptance/test_demo.py plays it whole."""

import io
from pathlib import Path

from collector.cli.demo.stage import Stage
from collector.cli.demo.tell import Teller
from collector.cli.demo.theatre import Theatre


async def test_a_collector_that_does_not_start_is_named_with_its_log(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "en")
    (tmp_path / "city").write_text("a file where a folder should be")
    steps, error = await Theatre(stage, Teller("en", io.StringIO())).play(stay=False)

    assert steps == []
    assert error is not None
    assert "city" in error
