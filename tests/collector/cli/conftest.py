"""Commands are tested on a host that has no language of its own, whoever runs the tests."""

import pytest


@pytest.fixture(autouse=True)
def _no_language_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FENGSUI_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
