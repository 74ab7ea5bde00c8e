"""What is built from source is what is locked, and is all that an agent compiles."""

import importlib.util
import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wheels", ROOT / "packaging/wheels_from_source.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_source_is_pinned_with_its_hashes(script: ModuleType) -> None:
    names = (*script.COMPILED, *script.PURE)
    found = dict(script.pins(script.LOCK.read_text("ascii"), names))

    assert tuple(found) == names
    for name, pin in found.items():
        assert len(re.findall(r"^\S", pin, re.MULTILINE)) == 1, "no line of the next package"
        assert re.match(rf"{name}==\d", pin)
        assert "--hash=sha256:" in pin
    with pytest.raises(ValueError, match="nowhere is not in the lock"):
        dict(script.pins("", ("nowhere",)))


def needed(name: str, seen: set[str]) -> set[str]:
    """A distribution and all that it needs here."""
    if name in seen:
        return seen
    seen.add(name)
    try:
        requires = distribution(name).requires or []
    except PackageNotFoundError:
        seen.discard(name)
        return seen
    for requirement in requires:
        if "extra ==" not in requirement:
            needed(re.split(r"[^\w-]", requirement)[0].lower().replace("_", "-"), seen)
    return seen


def test_nothing_else_of_an_agent_is_compiled(script: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names: set[str] = set()
    for requirement in project["dependencies"]:
        if "platform_machine" not in requirement:
            needed(re.split(r"[^\w-]", requirement)[0].lower(), names)

    compiled = {
        name for name in names if any(str(file).endswith(".so") for file in distribution(name).files or [])
    }

    assert compiled <= {*script.COMPILED, *script.PURE}
    assert {"cryptography", "msgspec"} <= compiled
