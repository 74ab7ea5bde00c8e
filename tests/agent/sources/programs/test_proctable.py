from __future__ import annotations

import doctest
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from agent.clock import host_clock
from agent.sources.programs import proctable
from agent.sources.programs.proctable import Table, read_row, socket_inode

if TYPE_CHECKING:
    from tests.agent.sources.conftest import ProcTree


def test_the_examples_run() -> None:
    assert doctest.testmod(proctable).failed == 0


def test_the_table_at_hand_has_this_process_and_its_child_with_their_programs() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        table = Table(Path("/proc"))
        child.kill()
    own, sleeper = table.processes[os.getpid()], table.processes[child.pid]

    assert sleeper.parent == own.pid
    assert own.program == str(Path("/proc/self/exe").readlink())
    assert not own.deleted
    assert own.cpu_seconds > 0
    assert table.begun(own, host_clock().now()) <= host_clock().now()
    said = Path("/proc/self/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    assert table.arguments(own.pid).startswith(said[0].decode())


def test_a_name_of_brackets_and_spaces_is_a_name(tree: ProcTree) -> None:
    pid = tree.process("/usr/bin/x", name="a) S 1 (b")

    assert Table(tree.proc).processes[pid].name == "a) S 1 (b"


def test_a_process_that_ends_while_it_is_read_was_not_there(tree: ProcTree) -> None:
    gone, torn, kept = (tree.process("/usr/bin/x") for _ in range(3))
    (tree.proc / str(gone) / "stat").unlink()
    (tree.proc / str(torn) / "stat").write_text("7 (x")

    assert set(Table(tree.proc).processes) == {kept}


def test_kernel_threads_are_left_out(tree: ProcTree) -> None:
    pid = tree.process("/usr/bin/x")
    path = tree.proc / str(pid) / "stat"
    path.write_text(path.read_text().replace("4194560", str(0x00200000 | 64)))

    assert Table(tree.proc).processes == {}


def test_a_program_of_bytes_that_are_no_text_can_be_told(tree: ProcTree) -> None:
    pid = tree.process("/usr/bin/x")
    link = os.fsencode(tree.proc / str(pid) / "exe")
    os.unlink(link)  # noqa: PTH108 - bytes
    os.symlink(b"/tmp/\xff\n", link)  # noqa: PTH211 - bytes

    assert Table(tree.proc).processes[pid].program == "/tmp/\\xff\n"


def test_the_connections_of_a_network_are_read_once_a_pass(tree: ProcTree) -> None:
    pid, other = tree.process("/usr/bin/x"), tree.process("/usr/bin/y")
    tree.connection(4242, remote_port=443)
    tree.connection(1, local_port=22, state=10)
    table = Table(tree.proc)
    (tree.proc / str(other) / "net/tcp").write_text("changed since\n")

    assert table.connections(pid).by_inode[4242].remote_address == "203.0.113.9"
    assert table.connections(pid).listening == {22}
    assert table.connections(other) is table.connections(pid)


def test_an_address_of_ipv6_is_read_in_the_hosts_order() -> None:
    line = "0: B80D0120000000000000000001000000:0016 0000000000000000FFFF00000A01020A:1F90 01 0 0 0 0 0 7"
    row = read_row("tcp", line)

    assert row is not None
    assert (row[2].local_address, row[2].remote_address) == ("2001:db8::1", "10.2.1.10")


@given(st.text(max_size=200))
def test_any_line_is_a_row_or_none(line: str) -> None:
    read_row("tcp", line)
    socket_inode(line)


@given(st.binary(max_size=300))
def test_any_stat_is_a_process_or_none(tmp_path_factory: object, data: bytes) -> None:
    folder = Path(tmp_path_factory.getbasetemp()) / "any/proc/7"  # type: ignore[attr-defined] # pytest's
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stat").write_bytes(data)
    with suppress(OSError):
        Table(folder.parent)
