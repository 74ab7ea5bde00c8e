"""The deputy's command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agent.cli import main
from agent.powers import Deputy, ForbiddenError

ASK = """
import sys
from pathlib import Path
from agent.powers import Deputy
Deputy(Path(sys.argv[1])).release()
"""
# The interpreter may lie in a home that the other user may not enter.
ANOTHER = (
    *("setpriv", "--reuid=23456", "--regid=23456", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)
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


@pytest.mark.root
def test_a_foreign_user_is_refused_and_the_log_says_how_many_were() -> None:
    with TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / "deputy.sock"
        file = settings(folder, f"orders: {{allow: [release_node], deputy: {path}}}\nlanguage: en\n")
        words = [COMMAND, "deputy", "--user", "12345", "--config", file]
        child = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        assert child.stderr is not None
        with child.stderr as said:
            said.readline()
            while not path.exists():
                pass
            path.chmod(0o666)
            done = subprocess.run(
                [*ANOTHER, sys.executable, "-c", ASK, str(path)], check=False, capture_output=True, text=True
            )
            assert "ForbiddenError: user 23456 may not ask the deputy" in done.stderr
            assert said.readline() == (
                "user 23456 may not ask the deputy and was refused; 1 refusals since its start.\n"
            )
            child.terminate()
            assert child.wait(10) == 0


def test_an_unknown_user_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["deputy", "--user", "nobody-of-this-name"])

    assert ended.value.code == 2
    assert "there is no user" in capsys.readouterr().err
