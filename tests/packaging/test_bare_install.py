"""An agent runs where the server's libraries are not installed."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVER_ONLY = (
    "sqlalchemy",
    "aiosqlite",
    "asyncpg",
    "alembic",
    "apprise",
    "argon2",
    "jinja2",
    "babel",
    "cel",
    "uvloop",
    "greenlet",
    "rfc8785",
    "collector",
)
BLOCKED = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {SERVER_ONLY!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from agent.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "words", [["--help"], ["check-config", str(ROOT / "configs" / "agent.yaml")], ["once", "--json"]]
)
def test_the_agent_needs_none_of_the_servers_libraries(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout or done.stderr
