import json
import stat
import sys
from pathlib import Path
from subprocess import PIPE, Popen, run

import pytest

BIN = Path(sys.executable).parent / "fengsui-collector"


def beacon(*words: str) -> tuple[int, str, str]:
    done = run([str(BIN), "beacon", *words], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_key_is_made_once_kept_from_others_and_shown(tmp_path: Path) -> None:
    words = ("--key", str(tmp_path / "beacon.key"), "--show-key", "--json")
    first, second = json.loads(beacon(*words)[1]), json.loads(beacon(*words)[1])

    assert first == second
    assert len(first["public_key"]) == 64
    assert stat.S_IMODE((tmp_path / "beacon.key").stat().st_mode) == 0o600


def test_it_serves_until_it_is_ended(tmp_path: Path) -> None:
    words = ["beacon", "--listen", "127.0.0.1:0", "--key", str(tmp_path / "k"), "--json"]
    with Popen([str(BIN), *words], stdout=PIPE, stderr=PIPE, text=True) as child:
        assert child.stdout
        told = json.loads(child.stdout.readline())
        child.terminate()

    assert told["address"].startswith("127.0.0.1:")


@pytest.mark.parametrize(
    ("place", "why"), [("somewhere:1", "expected an IP address"), ("10.0.0.1:99999", "0 to 65535")]
)
def test_an_address_that_is_none_is_wrong_usage(place: str, why: str) -> None:
    code, _, told = beacon("--listen", place)

    assert code == 2
    assert why in told


def test_a_key_of_another_kind_and_a_foreign_address_are_told(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("no key")
    code, _, told = beacon("--listen", "127.0.0.1:0", "--key", str(tmp_path / "bad"))
    assert (code, "bad" in told) == (1, True)

    code, _, told = beacon("--listen", "203.0.113.1:0", "--key", str(tmp_path / "key"))
    assert (code, "--listen 203.0.113.1:0" in told) == (1, True)


def test_to_serve_nowhere_is_wrong_usage(tmp_path: Path) -> None:
    code, _, told = beacon("--key", str(tmp_path / "beacon.key"), "--lang", "zh")

    assert code == 2
    assert "缺少必需的参数：--listen" in told
    assert not (tmp_path / "beacon.key").exists()
