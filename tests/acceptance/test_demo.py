"""The main job, end to end, on real input: what the README's first command shows is so."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import pytest

STEPS = [
    "collector_ready",
    "agent_enrolled",
    "asset_reported",
    "exits_reported",
    "incident_detected",
    "incident_opened",
    "graded",
    "obligations_opened",
    "plan_started",
    "notice_sent",
    "report_filed",
    "receipt_received",
]
COMMAND = [str(Path(sys.executable).parent / "fengsui-collector"), "demo", "--once"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]


def play(*words: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, *COMMAND, *words], capture_output=True, text=True, timeout=120, check=False
    )


def test_an_incident_goes_from_the_disk_to_the_receipt_of_the_authority_above(tmp_path: Path) -> None:
    done = play("--json", "--dir", str(tmp_path / "demo"))
    answer = json.loads(done.stdout)

    assert (done.returncode, answer["ok"]) == (0, True), done.stderr + done.stdout
    assert [step["name"] for step in answer["steps"]] == STEPS
    assert all(datetime.fromisoformat(step["at"]).tzinfo for step in answer["steps"])
    assert all(0 <= step["seconds"] < 60 for step in answer["steps"])


def test_the_law_is_shown_honestly(tmp_path: Path) -> None:
    done = play("--lang", "en", "--dir", str(tmp_path / "demo"))

    assert done.returncode == 0, done.stderr + done.stdout
    assert "IV general; if it goes on, level III at" in done.stdout
    assert "cn-informatization/report -> informatization_authority" in done.stdout
    assert "a house target, not law" in done.stdout
    assert "manual): waiting" in done.stdout


@pytest.mark.root
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="root runs it as an ordinary user"
)
def test_it_needs_no_root() -> None:
    # Root's own interpreter may lie where nobody else may look: reading is all that is lent for it.
    lent = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    ordinary = (
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        *lent,
        "env",
        "HOME=/nonexistent",
    )
    # pytest's own folders are root's alone.
    with tempfile.TemporaryDirectory(prefix="fengsui-demo-") as folder:
        os.chown(folder, 65534, 65534)
        done = play("--json", "--dir", folder, prefix=ordinary)

    assert done.returncode == 0, done.stderr + done.stdout
    assert [step["name"] for step in json.loads(done.stdout)["steps"]] == STEPS
