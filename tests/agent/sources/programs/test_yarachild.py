import json
import subprocess
import sys
from pathlib import Path

from agent.sources.programs.malware import SHIPPED
from agent.sources.programs.scanner import CHILD
from agent.sources.programs.yarachild import compiled, scan


def test_the_shipped_rules_compile_without_a_complaint() -> None:
    _, said = compiled([str(SHIPPED)])

    assert said == {"rules": 6, "errors": []}


def test_rules_that_can_not_be_read_or_compiled_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken.yar").write_text("rule {")
    (tmp_path / "bytes.yar").write_bytes(b"\xff\xfe")
    _, said = compiled([f"{tmp_path}/broken.yar", f"{tmp_path}/bytes.yar", f"{tmp_path}/none.yar"])

    assert [Path(one["file"]).name for one in said["errors"]] == ["broken.yar", "bytes.yar", "none.yar"]


def test_a_link_a_folder_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    scanner, _ = compiled([str(SHIPPED)])
    (tmp_path / "link").symlink_to("/etc/passwd")

    assert "error" in scan(scanner, f"{tmp_path}/link")
    assert "error" in scan(scanner, str(tmp_path))
    assert "error" in scan(scanner, "a\0b")


def test_a_child_without_the_library_says_so_and_ends() -> None:
    words = [sys.executable, "-I", "-S", str(CHILD), str(SHIPPED)]
    done = subprocess.run(words, input=b"", capture_output=True, check=True, timeout=60)

    assert "yara_x" in json.loads(done.stdout)["absent"]


def test_a_child_stays_small() -> None:
    """The figure is of the whole child, library and rules included."""
    code = (
        "import json, runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__');"
        "print(open('/proc/self/smaps_rollup').read())"
    )
    words = [sys.executable, "-I", "-c", code, str(CHILD), str(SHIPPED)]
    done = subprocess.run(
        words, input=json.dumps(str(SHIPPED)).encode() + b"\n", capture_output=True, check=True, timeout=60
    )
    pss = next(int(line.split()[1]) for line in done.stdout.decode().splitlines() if line.startswith("Pss:"))

    assert json.loads(done.stdout.splitlines()[1])["matches"] is not None
    assert pss / 1024 < 60
