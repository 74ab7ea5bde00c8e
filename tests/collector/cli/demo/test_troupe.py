"""The demo's children are real processes, and one that ends is noticed."""

import re
from pathlib import Path

import pytest

from collector.cli.demo.troupe import Troupe
from collector.errors import PermanentError


async def test_a_command_is_run_to_its_end(tmp_path: Path) -> None:
    assert "check-config" in await Troupe(tmp_path).ask("fengsui-collector", "--help")


async def test_a_failed_command_is_told_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=re.compile("exit 2.*invalid choice", re.DOTALL)):
        await Troupe(tmp_path).ask("fengsui-collector", "nonsense")


async def test_a_child_that_ended_is_named_with_its_log(tmp_path: Path) -> None:
    troupe = Troupe(tmp_path)
    await troupe.start("district", "fengsui-collector", "run", "--config", str(tmp_path / "absent.yaml"))
    await troupe._players["district"].wait()

    with pytest.raises(PermanentError, match=r"district ended with exit 1; .*district\.log: .*absent\.yaml"):
        troupe.check()
    await troupe.end()
