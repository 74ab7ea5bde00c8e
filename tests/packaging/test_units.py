"""The systemd units are as closed as the operating manual says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

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
