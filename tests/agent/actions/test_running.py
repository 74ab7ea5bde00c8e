"""A process is in the evidence as it is, whatever it calls itself, and a crowd of them costs little."""

import os
import time
from pathlib import Path

from agent.actions.running import processes


def a_process(proc: Path, pid: int, *, stat: bytes, arguments: bytes = b"", program: str = "") -> None:
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "stat").write_bytes(stat)
    (folder / "cmdline").write_bytes(arguments)
    if program:
        (folder / "exe").symlink_to(program)


def stat_of(pid: int, name: bytes) -> bytes:
    return b"%d (%s) S 7 1 1 0 -1 4194304 %s 250 0 0" % (pid, name, b"0 " * 11 + b"0")


def test_this_process_is_told_with_who_started_it_when_and_by_which_words() -> None:
    began = Path("/proc/self").stat().st_ctime
    own = next(row for row in processes(characters=1024) if row["pid"] == os.getpid())

    assert own["ppid"] == os.getppid()
    assert own["exe"] == str(Path("/proc/self/exe").readlink())
    assert own["cmdline"].startswith(Path("/proc/self/cmdline").read_bytes().split(b"\0")[0].decode())
    assert abs(own["create_time"] - began) < 3600


def test_a_name_with_parentheses_and_bytes_that_are_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "stat").write_bytes(b"cpu 1\nbtime 1000\n")
    a_process(tmp_path, 9, stat=stat_of(9, b"a) S 1 (\xff"), arguments=b"/x\0\xff\0y", program="/tmp/x")

    (row,) = processes(tmp_path, characters=8)

    assert (row["pid"], row["ppid"], row["name"]) == (9, 7, "a) S 1 (\\xff")
    assert (row["exe"], row["cmdline"]) == ("/tmp/x", "/x \\xff ")
    assert row["create_time"] == 1000 + 250 / os.sysconf("SC_CLK_TCK")


def test_what_ended_between_two_reads_was_not_there(tmp_path: Path) -> None:
    (tmp_path / "stat").write_bytes(b"btime 1\n")
    (tmp_path / "8").mkdir()
    a_process(tmp_path, 9, stat=b"", arguments=b"")
    a_process(tmp_path, 10, stat=stat_of(10, b"x"))

    assert [row["pid"] for row in processes(tmp_path, characters=8)] == [10]


def test_two_thousand_processes_take_less_than_a_third_of_a_second(tmp_path: Path) -> None:
    (tmp_path / "stat").write_bytes(b"btime 1\n")
    for pid in range(2000):
        a_process(tmp_path, pid, stat=stat_of(pid, b"x"), arguments=b"/x\0y", program="/bin/true")

    before = time.process_time()
    rows = sum(1 for _ in processes(tmp_path, characters=1024))

    assert rows == 2000
    assert time.process_time() - before < 0.3
