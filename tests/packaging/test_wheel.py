"""The wheel installs three packages and nothing else, and carries the YAML it needs."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=100,
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, put before everything else on the path."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", *command],
        cwd="/",
        env={"PYTHONPATH": str(installed), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_its_top_level_names_are_the_three_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"agent", "collector", "wire"}


def test_it_carries_the_shipped_regimes_plans_and_settings(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert "collector/_shipped/configs/regimes/cn-cac-2025.yaml" in names
    assert "collector/_shipped/playbooks/page-tampering.yaml" in names
    assert "agent/_shipped/webmail.yaml" in names


@pytest.mark.parametrize("module", ["agent", "collector"])
def test_the_commands_run_from_the_root_folder(installed: Path, module: str) -> None:
    done = run(installed, "-m", module, "--help")

    assert (done.returncode, done.stderr) == (0, "")
    assert "check-config" in done.stdout


def test_a_case_is_explained_with_the_shipped_regimes(installed: Path, tmp_path: Path) -> None:
    case = tmp_path / "case.yaml"
    case.write_text(
        "unit: {kind: local_government, level: district, region: CN-12}\n"
        "asset: {classified: false}\n"
        "incident: {times: {aware: 2026-03-02T09:10:00+08:00}}\n"
        "at: 2026-03-02T10:00:00+08:00\n"
    )
    done = run(installed, "-m", "collector", "duty", "explain", str(case), "--json")

    assert (done.returncode, done.stderr) == (0, "")
    assert '"cn-informatization/report"' in done.stdout
