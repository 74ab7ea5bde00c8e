import os
import socket
import subprocess
import sys
from pathlib import Path

from agent.sources.programs.procfs import describe, hidden_because, pids, socket_owners, writers


def test_this_process_is_among_those_running_and_the_newest_come_first() -> None:
    found = pids()

    assert str(os.getpid()) in found
    assert [int(pid) for pid in found] == sorted((int(pid) for pid in found), reverse=True)


def test_who_writes_a_file_is_found_and_who_only_reads_it_is_not(tmp_path: Path) -> None:
    written, read = tmp_path / "written", tmp_path / "read"
    read.write_text("x")
    with written.open("w"), read.open():
        found = writers([str(written), str(read)])

    assert set(found) == {str(written)}
    assert found[str(written)]["pid"] == os.getpid()
    assert found[str(written)]["uid"] == os.getuid()


def test_another_process_that_writes_is_named_with_its_program(tmp_path: Path) -> None:
    place = tmp_path / "page.html"
    script = f"f = open({str(place)!r}, 'w'); print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        found = writers([str(place)])
        child.communicate(b"\n")

    assert found[str(place)]["pid"] == child.pid
    assert "python" in found[str(place)]["program"]


def test_a_sockets_process_is_found_by_its_inode() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        inode = os.fstat(server.fileno()).st_ino
        found = socket_owners({inode, 1})

    assert found[inode]["pid"] == os.getpid()
    assert 1 not in found


def test_nothing_asked_for_is_nothing_looked_through(tmp_path: Path) -> None:
    assert socket_owners(set(), tmp_path / "no proc here") == {}


def test_a_process_that_ended_is_described_without_what_is_gone(tmp_path: Path) -> None:
    assert describe(tmp_path, "7") == {"pid": 7, "name": None, "program": None, "uid": None}


def test_why_a_process_stays_hidden_depends_on_who_looks() -> None:
    assert hidden_because().startswith("no process" if os.geteuid() == 0 else "another user's")


def test_processes_that_come_and_go_under_the_look_are_no_trouble() -> None:
    for _ in range(10):
        short = [subprocess.Popen(["true"]) for _ in range(10)]
        assert socket_owners({0x7FFFFFFF}) == {}
        assert all(describe(Path("/proc"), str(child.pid))["pid"] == child.pid for child in short)
        for child in short:
            child.wait()
