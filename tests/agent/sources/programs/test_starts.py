"""Program starts, as rules are told of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.netlink import proc_events
from agent.rules.events import Event
from agent.sources.programs.starts import Starts


def wait_for(reader: Starts, word: str) -> Event:
    for _ in range(30):
        for event in reader.read(0.5):
            if word in event.fields["CommandLine"]:
                return event
    raise AssertionError(f"no start with {word!r} in its command line")


def starts_a(word: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", f"import time; time.sleep(20)  # {word}"], cwd="/")


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="process events need root")
def test_a_start_is_told_with_its_parent_its_user_and_its_folder() -> None:
    reader = Starts()
    try:
        with starts_a("beacon-1") as child:
            fields = wait_for(reader, "beacon-1").fields
            child.kill()
    finally:
        reader.close()

    assert reader.why_sweeps == ""
    assert fields["Image"] == str(Path(sys.executable).resolve())
    assert (fields["ProcessId"], fields["ParentProcessId"]) == (str(child.pid), str(os.getpid()))
    assert (fields["User"], fields["CurrentDirectory"]) == ("root", "/")
    own = Path("/proc/self/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode()
    assert fields["ParentCommandLine"] == own[:4096]


def test_without_the_connector_what_stays_is_found_by_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(proc_events.ProcEvents, "__init__", denied)
    reader = Starts()
    with starts_a("beacon-2") as child:
        event = wait_for(reader, "beacon-2")
        child.kill()

    assert reader.why_sweeps == "Operation not permitted"
    assert event.fields["ProcessId"] == str(child.pid)


def test_a_sweep_reads_only_of_those_it_does_not_know_and_a_number_used_again_is_new(tmp_path: Path) -> None:
    def runs(pid: int, begun: int) -> None:
        folder = tmp_path / str(pid)
        folder.mkdir()
        (folder / "stat").write_text(f"{pid} (x) S 0 {'0 ' * 17}{begun} 0")
        (folder / "cmdline").write_bytes(b"/x\0")
        (folder / "exe").symlink_to("/x")

    runs(7, 100)
    reader = Starts(tmp_path, tmp_path / "passwd")
    reader.close()
    reader._connector = None
    reader._known = reader._running()
    (tmp_path / "7/stat").unlink()
    runs(8, 200)
    assert [event.fields["ProcessId"] for event in reader._swept()] == ["8"]

    (tmp_path / "7").rename(tmp_path / "gone")
    runs(7, 300)
    assert [event.fields["ProcessId"] for event in reader._swept()] == ["7"]
    assert list(reader._swept()) == []


def test_the_kernel_keeps_the_inode_of_a_process_that_lives() -> None:
    def inode(pid: int) -> int:
        with os.scandir("/proc") as entries:
            return next(entry.inode() for entry in entries if entry.name == str(pid))

    assert inode(os.getpid()) == inode(os.getpid()) == Path("/proc/self").stat().st_ino


def test_a_process_that_is_gone_is_no_event(tmp_path: Path) -> None:
    reader = Starts(tmp_path, tmp_path / "passwd")
    try:
        assert reader.describe("4711") is None
    finally:
        reader.close()


def test_hostile_names_and_words_do_no_harm(tmp_path: Path) -> None:
    """A process may call itself anything: `) R 0 0` in its name, bytes that are no text in its words."""
    folder = tmp_path / "77"
    folder.mkdir()
    (folder / "stat").write_bytes(b"77 (x) R 1 (y)) S 42 " + b"0 " * 40)
    (folder / "cmdline").write_bytes(b"/x\0\xff\n\0" + b"a" * 100_000)
    (folder / "exe").symlink_to("/tmp/\n (deleted)")
    (tmp_path / "passwd").write_text("broken\nroot:x:0:0::/root:/bin/sh\n")
    reader = Starts(tmp_path, tmp_path / "passwd")
    try:
        event = reader.describe("77")
    finally:
        reader.close()

    assert event is not None
    assert event.fields["Image"] == "/tmp/\n"
    assert event.fields["ParentProcessId"] == "42"
    assert event.fields["CommandLine"].startswith("/x \\xff\n a")
    assert len(event.fields["CommandLine"]) <= 4096
