import sys
from pathlib import Path

import pytest

from agent.sources.programs.malware import SHIPPED
from agent.sources.programs.scanner import Scanner, ScannerError


def child(tmp_path: Path, body: str) -> tuple[str, ...]:
    """A python that runs this instead of the scanner's own script."""
    path = tmp_path / "child.py"
    path.write_text(
        f"import json, sys, time\nprint(json.dumps({{'rules': 1, 'errors': []}}), flush=True)\n{body}\n"
    )
    return (sys.executable, str(path))


def test_a_child_answers_a_file_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "a.php").write_text("<?php @eval($_POST['x']);")
    (tmp_path / "b.php").write_text("<?php echo 1;")
    with Scanner([str(SHIPPED)], 10) as scanner:
        assert scanner.rules > 3
        assert scanner.scan(f"{tmp_path}/a.php")["matches"][0]["rule"] == "php_one_line_webshell"
        assert scanner.scan(f"{tmp_path}/b.php") == {"matches": []}
        assert "FileNotFoundError" in scanner.scan(f"{tmp_path}/c.php")["error"]


def test_a_child_that_hangs_is_killed(tmp_path: Path) -> None:
    with Scanner([], 0.1, child(tmp_path, "time.sleep(60)")) as scanner:
        process = scanner._child
        with pytest.raises(ScannerError, match=r"no answer within 0\.1 s"):
            scanner.scan("/x")

    assert process is not None
    assert process.returncode == -9


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("sys.exit(1)", "dead|died"),
        ("print('nonsense', flush=True); time.sleep(60)", "nonsense"),
        ("print('x' * 3000000, end='', flush=True); time.sleep(60)", "died"),
    ],
)
def test_a_child_that_dies_or_talks_nonsense_is_told(tmp_path: Path, body: str, why: str) -> None:
    with Scanner([], 10, child(tmp_path, body)) as scanner, pytest.raises(ScannerError, match=why):
        scanner.scan("/x")


def test_a_python_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"), Scanner([], 1, (str(tmp_path / "nowhere"),)):
        pass
