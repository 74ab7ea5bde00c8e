"""The real agent is killed between what a source sees and what its disk keeps: the source sees it again.

A page is tampered with under a running agent, which dies as the incident is handed over, as it is written, or
before the source could remember that it was told. It is started again, and the collector has one incident.
"""

import os
import signal
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent.cli import main
from agent.outbox import Ledger, Observed, Outbox
from collector.cli.demo.stage import Stage
from tests.faults import failpoints
from tests.faults.test_disk_full import rows
from tests.faults.way_of_a_report import SECONDS, Place, killed, stop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
STEPS = ("collect: seen, not yet handed over", *failpoints.NODE_STEPS[1:3])


def arm_for_incidents(step: str) -> None:
    """As `failpoints.arm`, but only the incident comes by the step."""
    way = failpoints.Way(step, 1)
    accept, append = Outbox.accept, Ledger.accept

    async def handed(outbox: Outbox, seen: Observed) -> str:
        if seen.kind == "incident":
            way.past(STEPS[0])
        return await accept(outbox, seen)

    def written(ledger: Ledger, seen: Observed) -> str:
        if seen.kind == "incident":
            way.committing.add(STEPS[1:])  # type: ignore[arg-type] - the two steps around a commit
        return append(ledger, seen)

    Outbox.accept, Ledger.accept = handed, written  # type: ignore[method-assign]
    failpoints._watch_commits(way)


def agent(words: list[str], said: Path, arm: Callable[[], None] = lambda: None) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        arm()
        code = main(words)
    finally:
        os._exit(code)


def until(holds: Callable[[], bool], child: int) -> None:
    """Wait while a child works."""
    while not holds():
        assert os.waitpid(child, os.WNOHANG) == (0, 0), "it ended by itself; see what it said"
        signal.sigtimedwait([], 0.02)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def incidents(place: Place) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(place.collector / "state.db", timeout=10)) as state:
        return state.execute("SELECT class, count FROM incidents").fetchall()


@pytest.mark.parametrize("step", STEPS)
def test_what_a_source_saw_is_one_incident(step: str, tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    stage = Stage(tmp_path / "stage", "en")
    stage.folder.mkdir()
    stage.build("http://127.0.0.1:9/notices")
    config, said = str(stage.settings("agent")), tmp_path / "said"
    collector = place.collector_lives()
    token = (place.collector / "token").read_text()
    url = f"https://localhost:{place.port}"
    until(lambda: listens(place.port), collector)
    assert not killed(agent(["enrol", "--config", config, "--collector", url, "--token", token], said))

    run = ["run", "--config", config, "--lang", "en"]
    first = agent(run, said, lambda: arm_for_incidents(step))
    until(lambda: bool(rows(stage.agent_state / "files", "SELECT 1 FROM entry")), first)
    stage.tamper()
    assert killed(first)
    assert incidents(place) == []

    again = agent(run, said)
    until(lambda: bool(incidents(place)), again)
    os.kill(again, signal.SIGTERM)
    assert not killed(again)
    stop(collector)

    ((klass, count),) = incidents(place)
    assert klass == "NAWEBMOD"
    # Told before it is remembered as told: killed in between, the source tells the same incident once more.
    assert count in ({1, 2} if step == STEPS[2] else {1})
