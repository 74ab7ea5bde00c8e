"""The agent knows which release it is, and where its lists lie."""

from importlib import metadata

import pytest

from agent.shipped import configs_dir, release


def test_the_shipped_lists_are_there() -> None:
    assert (configs_dir() / "webmail.yaml").is_file()


def test_what_was_never_installed_is_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    assert release().count(".") == 2

    def none(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", none)
    assert release() == "checkout"
