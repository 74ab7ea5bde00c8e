"""The authority's command."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from collector.cli import main
from collector.trust.ca import Authority

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CONFIG = "configs/collector.yaml"


def test_the_three_steps_replace_the_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FENGSUI_STATE_DIR", str(tmp_path))
    now = datetime.now(UTC)  # noqa: TID251 - certificates of the test are of now
    old = Authority.at(tmp_path, "city", now).certificate

    codes = [
        main(["ca", step, "--config", CONFIG, "--lang", "en"]) for step in ("rotate", "switch", "retire")
    ]

    assert codes == [0, 0, 0]
    assert Authority.at(tmp_path, "city", now).certificate != old
    assert "nodes trust it from their next contact on" in capsys.readouterr().err


def test_a_step_out_of_order_ends_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FENGSUI_STATE_DIR", str(tmp_path))
    Authority.at(tmp_path, "city", datetime.now(UTC))  # noqa: TID251 - as above

    assert main(["ca", "switch", "--config", CONFIG]) == 1
    assert "ca rotate" in capsys.readouterr().err
