"""The shipped YAML is found where the product runs from."""

import shutil
import sys
from importlib import metadata, util
from pathlib import Path

import pytest

from collector import shipped


def test_in_a_checkout_it_lies_beside_the_packages() -> None:
    root = Path(shipped.__file__).parents[1]

    assert shipped.configs_dir() == root / "configs"
    assert shipped.playbooks_dir() == root / "playbooks"
    assert (shipped.configs_dir() / "regimes").is_dir()


def test_in_a_wheel_it_lies_inside_the_package(tmp_path: Path) -> None:
    installed = tmp_path / "collector" / "shipped.py"
    for name in ("configs", "playbooks"):
        (installed.parent / "_shipped" / name).mkdir(parents=True)
    shutil.copy(shipped.__file__, installed)
    spec = util.spec_from_file_location("installed_shipped", installed)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert module.configs_dir() == tmp_path.resolve() / "collector" / "_shipped" / "configs"
    assert module.playbooks_dir() == tmp_path.resolve() / "collector" / "_shipped" / "playbooks"
    assert "installed_shipped" not in sys.modules


def test_a_wheel_that_was_unpacked_by_hand_has_no_release(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shipped.release().count(".") == 2

    def none(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", none)
    assert shipped.release() == "0"
