"""The deputy's command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli import main
from agent.powers import Deputy, ForbiddenError

COMMAND = str(Path(sys.executable).parent / "fengsui-agent")


def settings(folder: Path, text: str) -> str:
    file = folder / "agent.yaml"
    file.write_text(text)
    return str(file)


def test_without_a_socket_in_the_settings_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deputy", "--user", "0", "--lang", "en", "--config", settings(tmp_path, "")]) == 1
    assert "orders.deputy" in capsys.readouterr().err


def test_it_serves_what_the_settings_allow_until_it_is_told_to_stop(tmp_path: Path) -> None:
    path = tmp_path / "deputy.sock"
    file = settings(
        tmp_path,
        f"orders: {{allow: [stop_process], deputy: {path}}}\n"
        "collectors: ['https://127.0.0.1:8443']\nlanguage: en\n",
    )
    child = subprocess.Popen(
        [COMMAND, "deputy", "--user", str(os.getuid()), "--config", file], stderr=subprocess.PIPE, text=True
    )
    assert child.stderr is not None
    with child.stderr as said:
        assert "for: stop" in said.readline()
        asking = Deputy(path)
        while not path.exists():
            pass
        assert asking.stop(2**22 - 1, "/nowhere") == "gone"
        with pytest.raises(ForbiddenError, match="do not allow 'isolate'"):
            asking.isolate(60)
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
    assert not path.exists()


def test_an_unknown_user_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["deputy", "--user", "nobody-of-this-name"])

    assert ended.value.code == 2
    assert "there is no user" in capsys.readouterr().err
