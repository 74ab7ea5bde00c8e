"""The end of a process: the one that was meant, or none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.powers.port import ForbiddenError
from agent.powers.processes import stop

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
PROGRAM = str(Path(sys.executable).resolve())


def started(code: str) -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout as said:
        assert said.readline() == b"up\n"
    return child


def test_a_process_ends_and_the_same_order_again_finds_it_gone() -> None:
    child = started(SLEEPER)

    assert stop(child.pid, PROGRAM) == "ended"
    child.wait()
    assert stop(child.pid, PROGRAM) == "gone"


def test_one_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.powers.processes._GRACE_MILLISECONDS", 200)
    child = started(STUBBORN)

    assert stop(child.pid, PROGRAM) == "killed"
    assert child.wait() == -9


def test_a_number_that_runs_another_program_now_is_let_live() -> None:
    child = started(SLEEPER)
    try:
        assert stop(child.pid, "/usr/bin/miner") == "gone"
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def test_one_that_began_after_it_was_asked_for_is_another_with_its_number() -> None:
    """Two scripts run the same program."""
    child = started(SLEEPER)
    try:
        with pytest.raises(ForbiddenError, match="its number was used again"):
            stop(child.pid, PROGRAM, asked_ago=60.0)
        assert child.poll() is None
        assert stop(child.pid, PROGRAM, asked_ago=-1.0, dry_run=True) == "running"
    finally:
        child.kill()
        child.wait()


def test_a_dry_run_only_looks() -> None:
    child = started(SLEEPER)
    try:
        assert stop(child.pid, PROGRAM, dry_run=True) == "running"
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("pid", [1, os.getpid(), os.getppid()], ids=["first", "own", "parent"])
def test_the_first_process_and_the_agents_own_are_never_stopped(pid: int) -> None:
    with pytest.raises(ForbiddenError, match="never stopped"):
        stop(pid, PROGRAM)
