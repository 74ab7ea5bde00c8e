from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from agent.sources.programs.proctable import Table
from agent.sources.programs.unnamed import programs, unnamed

if TYPE_CHECKING:
    from tests.agent.sources.conftest import ProcTree

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def found(tree: ProcTree, away: dict[str, datetime] | None = None) -> list[tuple[str, str]]:
    those, _ = unnamed(Table(tree.proc), ("runc_cloned:*",), away or {}, NOON)
    return [(one.process.program, one.severity) for one in those]


def test_a_program_in_memory_is_told_unless_its_name_is_allowed(tree: ProcTree) -> None:
    tree.process("/memfd:kworker (deleted)")
    tree.process("/memfd:runc_cloned:/proc/self/exe (deleted)")

    assert found(tree) == [("/memfd:kworker", "high")]


def test_a_program_deleted_where_anybody_may_write_is_told(tree: ProcTree) -> None:
    tree.process("/dev/shm/.x (deleted)")
    tree.process("/var/www/.cache/php (deleted)")

    assert sorted(found(tree)) == [("/dev/shm/.x", "high"), ("/var/www/.cache/php", "high")]


def test_another_file_of_its_name_is_no_upgrade_where_anybody_may_write(tree: ProcTree) -> None:
    (tree.root / "tmp").mkdir()
    (tree.root / "tmp/x").touch()
    tree.process("/tmp/x (deleted)")

    assert found(tree) == [("/tmp/x", "high")]


def test_a_persons_tool_that_was_upgraded_is_no_hidden_program(tree: ProcTree) -> None:
    tools = ["/root/.vscode-server/bin/1/node", "/home/li/.local/share/uv/python/3.11/bin/python3.11"]
    for tool in tools:
        tree.process(f"{tool} (deleted)")
    tree.process("/home/li/.x/node (deleted)")
    tree.process("/root/.cargo/.x/node (deleted)")

    assert sorted(found(tree)) == [("/home/li/.x/node", "high"), ("/root/.cargo/.x/node", "high")]
    assert {path for path, severity in found(tree, dict.fromkeys(tools, NOON - timedelta(hours=1)))} >= {
        *tools
    }


def test_an_upgraded_program_and_one_that_is_there_are_none(tree: ProcTree) -> None:
    for name in ("nginx", "odd (deleted)"):
        (tree.root / "usr/sbin").mkdir(parents=True, exist_ok=True)
        (tree.root / "usr/sbin" / name).touch()
    tree.process("/usr/sbin/nginx (deleted)")
    tree.process("/usr/sbin/odd (deleted)")
    tree.process("/usr/bin/bash")

    assert found(tree) == []


def test_a_program_of_the_system_that_stays_away_is_told_after_ten_minutes_and_less_grave(
    tree: ProcTree,
) -> None:
    tree.process("/usr/sbin/removed (deleted)")
    those, away = unnamed(Table(tree.proc), (), {}, NOON)

    assert those == []
    assert away == {"/usr/sbin/removed": NOON}
    assert found(tree, {"/usr/sbin/removed": NOON - timedelta(minutes=10)}) == [("/usr/sbin/removed", "low")]


def test_processes_of_one_program_are_told_together(tree: ProcTree) -> None:
    for _ in range(3):
        tree.process("/tmp/x (deleted)")
    those, _ = unnamed(Table(tree.proc), (), {}, NOON)

    assert [(program, len(ones)) for program, ones in programs(those)] == [("/tmp/x", 3)]
