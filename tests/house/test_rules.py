"""House rules that no linter knows, held by machines."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "constants", "misc"}
SOURCES = [
    path
    for wing in ("wire", "agent", "collector")
    for path in (ROOT / wing).rglob("*.py")
    if "migrations" not in path.parts
]


def test_no_room_is_a_lumber_room() -> None:
    assert [path for path in SOURCES if path.stem in BANNED_NAMES or path.parent.name in BANNED_NAMES] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_inside_a_wing_imports_are_relative(path: Path) -> None:
    wing = path.relative_to(ROOT).parts[0]
    absolute = [
        node.module
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.level == 0
        and node.module
        and node.module.split(".")[0] == wing
    ]

    assert absolute == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_commands_print_or_exit(path: Path) -> None:
    if "cli" in path.parts or path.name == "__main__.py":
        return
    calls = [
        ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
    ]

    assert [call for call in calls if call in {"print", "exit", "sys.exit", "quit"}] == []


def test_bytes_of_others_are_decoded_within_all_that_decoding_raises() -> None:
    """`wire.codec.UNREADABLE`: to catch the library's own alone is to die of half a letter, or of depth."""
    own = {"msgspec.MsgspecError", "msgspec.DecodeError"}
    narrow = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and node.type and own & set(_names(node.type))
    ]

    assert narrow == []


def _names(caught: ast.expr) -> list[str]:
    return [ast.unparse(one) for one in (caught.elts if isinstance(caught, ast.Tuple) else [caught])]


def test_the_locks_carry_hashes_and_no_index_address() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        pins = re.findall(r"^[a-z0-9][^\s]*==", text, re.MULTILINE)

        assert pins
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text
        assert "index-url" not in text


def test_every_person_reads_the_same_readme_in_both_languages() -> None:
    headings = [
        re.findall(r"^(#+) ", (ROOT / name).read_text(), re.MULTILINE)
        for name in ("README.md", "README.zh-CN.md")
    ]

    assert headings[0] == headings[1]
