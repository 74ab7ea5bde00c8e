"""The systemd units are as closed as the operating manual says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec import Meta
from msgspec.structs import fields

from agent.cli import update
from agent.release import bundle
from agent.settings.model import UpdateSettings

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "packaging" / "systemd"
PAGE = (ROOT / "docs" / "operating.md").read_text("utf-8")


def score(unit: str, folder: Path) -> float:
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    # Under a link or a foreign prefix systemd reads no unit: it is looked at as a copy.
    copy = folder / unit
    copy.write_text((UNITS / unit).read_text("utf-8"), "utf-8")
    words = ["systemd-analyze", "security", "--offline=true", str(copy)]
    told = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60).stdout
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert found, told
    return float(found[1])


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        ("fengsui-agent.service", r"gives the agent ([0-9.]+)"),
        ("fengsui-agent-deputy.service", r"the helper ([0-9.]+)"),
        ("fengsui-collector.service", r"the collector ([0-9.]+)\."),
    ],
)
def test_each_unit_is_at_least_as_closed_as_told(unit: str, told: str, tmp_path: Path) -> None:
    written = re.search(told, PAGE)
    assert written

    assert score(unit, tmp_path) <= float(written[1])


@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.glob("*.service")))
def test_no_unit_runs_a_shell_and_each_names_its_capabilities(unit: str) -> None:
    text = (UNITS / unit).read_text("utf-8")

    assert "CapabilityBoundingSet=" in text
    assert not re.search(r"^ExecStart=.*\bsh\b", text, re.MULTILINE)
    assert "NoNewPrivileges=true" in text


def test_no_update_is_cut_off_by_its_unit() -> None:
    """A trial that is cut off begins anew with the next call: a unit too hasty would never let it end."""
    longest = next(one for one in fields(UpdateSettings) if one.name == "trial_seconds").type
    trial = next(mark.le for mark in longest.__metadata__ if isinstance(mark, Meta))
    restarts = 2 * 2 * update._RESTART_SECONDS
    steps = 2 * bundle._SECONDS + update._CHECK_SECONDS + trial + restarts
    written = re.search(
        r"^TimeoutStartSec=(\d+)h$", (UNITS / "fengsui-agent-update.service").read_text(), re.MULTILINE
    )

    assert written
    assert int(written[1]) * 3600 > steps
