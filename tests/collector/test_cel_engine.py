import importlib.machinery
import subprocess
import sys

import pytest

from collector.cel_engine import cel


def test_without_the_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "cel.cel", raising=False)
    monkeypatch.setattr(importlib.machinery.PathFinder, "find_spec", lambda *_: None)

    with pytest.raises(ModuleNotFoundError, match=r"install fengsui\[collector\]"):
        cel.__wrapped__()


def test_it_is_loaded_without_its_terminal_interface() -> None:
    """Also where plans and regimes are imported; a process of its own, for here others may have done it."""
    script = "import sys, collector.plans, collector.regimes; print('prompt_toolkit' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
