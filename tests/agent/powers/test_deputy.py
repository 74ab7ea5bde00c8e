"""The deputy: fixed verbs for one user, and nothing of what the settings do not allow."""

from __future__ import annotations

import doctest
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.powers import Deputy, FirewallError, ForbiddenError, Wanted, serve
from agent.powers import deputy as deputy_room
from agent.powers.capture import Captured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALL = ("block", "unblock", "isolate", "release", "refresh", "stop", "capture")


class Recorder:
    """Powers that write down what they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.error: Exception | None = None

    def _note(self, *what: Any) -> bool:  # noqa: ANN401 - whatever was asked
        if self.error:
            raise self.error
        self.asked.append(what)
        return True

    def block(self, address: str, seconds: int, *, dry_run: bool = False) -> bool:
        return self._note("block", address, seconds, dry_run)

    def unblock(self, address: str) -> bool:
        return self._note("unblock", address)

    def isolate(self, seconds: int, *, dry_run: bool = False) -> bool:
        return self._note("isolate", seconds, dry_run)

    def refresh(self) -> bool:
        return self._note("refresh")

    def holds(self) -> bool:
        return self._note("holds")

    def release(self) -> bool:
        return self._note("release")

    def stop(self, pid: int, program: str, *, asked_ago: float = 0.0, dry_run: bool = False) -> str:
        self._note("stop", pid, program, asked_ago, dry_run)
        return "ended"

    def capture(self, wanted: Wanted) -> Captured:
        self._note("capture", wanted)
        return Captured(b"\xa1\x00pcap", 3, 1, "time")


@contextmanager
def deputy(
    path: Path,
    powers: Recorder,
    verbs: tuple[str, ...] = ALL,
    user: int | None = None,
    refused: Callable[[int], object] = lambda _: None,
) -> Iterator[Deputy]:
    stop = threading.Event()
    thread = threading.Thread(
        target=serve,
        args=(path, powers, verbs, os.getuid() if user is None else user, stop),
        kwargs={"refused": refused},
    )
    thread.start()
    try:
        _await(path)
        yield Deputy(path)
    finally:
        stop.set()
        thread.join()


def _await(path: Path) -> None:
    while True:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.connect(str(path))
                return
        except OSError:
            continue


def test_every_verb_reaches_the_powers_with_its_parameters(tmp_path: Path) -> None:
    powers = Recorder()
    wanted = Wanted(seconds=3, packet_bytes=96, most_bytes=1000, port=53)

    with deputy(tmp_path / "deputy.sock", powers) as asking:
        said = (
            asking.block("192.0.2.1", 60, dry_run=True),
            asking.unblock("192.0.2.1"),
            asking.isolate(60),
            asking.release(),
            asking.refresh(),
            asking.stop(7, "/bin/x", asked_ago=1.5, dry_run=True),
            asking.capture(wanted),
        )

    assert said == (True, True, True, True, True, "ended", Captured(b"\xa1\x00pcap", 3, 1, "time"))
    assert powers.asked == [
        ("block", "192.0.2.1", 60, True),
        ("unblock", "192.0.2.1"),
        ("isolate", 60, False),
        ("release",),
        ("refresh",),
        ("stop", 7, "/bin/x", 1.5, True),
        ("capture", wanted),
    ]


@pytest.mark.parametrize(
    "error", [ForbiddenError("never"), FirewallError("nft: no"), PermissionError("not permitted")]
)
def test_what_goes_wrong_there_is_raised_here(tmp_path: Path, error: Exception) -> None:
    powers = Recorder()
    powers.error = error

    with deputy(tmp_path / "deputy.sock", powers) as asking, pytest.raises(type(error).__mro__[-4]) as caught:
        asking.isolate(60)

    assert str(error) in str(caught.value)


def test_a_verb_the_settings_do_not_allow_is_forbidden(tmp_path: Path) -> None:
    powers = Recorder()

    with (
        deputy(tmp_path / "deputy.sock", powers, verbs=("block",)) as asking,
        pytest.raises(ForbiddenError, match="do not allow 'stop'"),
    ):
        asking.stop(7, "/bin/x")

    assert powers.asked == []


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, which pytest's own is not."""
    if os.getuid():
        pytest.skip("needs root: another user has to ask")
    with TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def as_another(work: Callable[[], object]) -> str:
    """Do it as user 23456 in a process of its own; return what it raised."""
    end, begin = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setgid(23456)
            os.setuid(23456)
            work()
        except BaseException as error:  # noqa: BLE001 - the child's answer
            os.write(begin, f"{type(error).__name__}: {error}".encode())
        os._exit(0)
    os.close(begin)
    os.waitpid(child, 0)
    with os.fdopen(end, "rb") as said:
        return said.read().decode()


def test_a_foreign_user_is_refused_by_name_and_counted_whatever_is_asked(open_folder: Path) -> None:
    powers, path, refused = Recorder(), open_folder / "deputy.sock", []
    with deputy(path, powers, user=12345, refused=refused.append):
        path.chmod(0o666)
        why = [as_another(lambda: Deputy(path).isolate(60)), as_another(Deputy(path).release)]

    assert why == ["ForbiddenError: user 23456 may not ask the deputy"] * 2
    assert refused == [23456, 23456]
    assert powers.asked == []


def test_the_socket_itself_keeps_strangers_out(open_folder: Path) -> None:
    path, refused = open_folder / "deputy.sock", []
    with deputy(path, Recorder(), user=12345, refused=refused.append):
        why = as_another(Deputy(path).release)

    assert why.startswith("PermissionError")
    assert refused == []


def test_strangers_who_hold_the_line_keep_the_agent_waiting_for_nothing(open_folder: Path) -> None:
    powers, path = Recorder(), open_folder / "deputy.sock"

    def hold_ten_lines() -> None:
        lines = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(10)]
        for line in lines:
            line.connect(str(path))
        os.write(ready, b"x")
        os.read(leave, 1)
        raise ConnectionError("left")

    begun, ready = os.pipe()
    leave, go = os.pipe()
    with deputy(path, powers, user=12345) as asking:
        path.chmod(0o666)
        holder = threading.Thread(target=lambda: as_another(hold_ten_lines))
        holder.start()
        os.read(begun, 1)
        assert asking.release()
        os.write(go, b"x")
        holder.join()
    for end in (begun, ready, leave, go):
        os.close(end)

    assert ("release",) in powers.asked


class Slow(Recorder):
    """Powers that are at work until they are let go."""

    def __init__(self, workers: int) -> None:
        super().__init__()
        self.all_at_work = threading.Barrier(workers + 1)
        self.go = threading.Event()

    def isolate(self, seconds: int, *, dry_run: bool = False) -> bool:
        self.all_at_work.wait(10)
        self.go.wait(10)
        return super().isolate(seconds, dry_run=dry_run)


def test_who_asks_while_all_are_at_work_is_answered_once_one_of_them_is_free(tmp_path: Path) -> None:
    """An answer is read before its worker is free: who asks the next thing then is not turned away."""
    most = deputy_room.MOST_AT_ONCE
    powers = Slow(workers=most)
    with (
        deputy(tmp_path / "deputy.sock", powers) as asking,
        ThreadPoolExecutor(most + 1) as pool,
    ):
        at_work = [pool.submit(asking.isolate, 60) for _ in range(most)]
        powers.all_at_work.wait(10)
        waiting = pool.submit(asking.unblock, "192.0.2.1")
        with pytest.raises(TimeoutError):
            waiting.result(0.05)
        powers.go.set()

        assert waiting.result(10)
        assert all(one.result(10) for one in at_work)


def test_refusals_are_told_once_a_minute_with_their_number() -> None:
    assert doctest.testmod(deputy_room).attempted
    assert doctest.testmod(deputy_room).failed == 0


def test_a_left_socket_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "deputy.sock"
    with deputy(path, Recorder()):
        pass

    with deputy(path, Recorder()) as asking:
        assert asking.release()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rubbish=st.binary(max_size=300))
def test_rubbish_is_answered_and_does_nothing(rubbish: bytes, door: tuple[Path, Recorder]) -> None:
    path, powers = door
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(5)
        line.connect(str(path))
        line.sendall(rubbish + b"\n")
        line.shutdown(socket.SHUT_WR)
        assert b"error" in line.recv(65536)

    assert powers.asked == []


@pytest.fixture
def door(tmp_path: Path) -> Iterator[tuple[Path, Recorder]]:
    powers = Recorder()
    with deputy(tmp_path / "deputy.sock", powers):
        yield tmp_path / "deputy.sock", powers


def test_an_agent_asks_no_deputy_to_end_it_or_what_it_lives_in(tmp_path: Path) -> None:
    """The deputy knows only itself: the agent is a process like any other to it."""
    powers = Recorder()
    with deputy(tmp_path / "deputy.sock", powers) as asking:
        for pid in (os.getpid(), os.getppid()):
            with pytest.raises(ForbiddenError, match="never stopped"):
                asking.stop(pid, str(Path(f"/proc/{pid}/exe").resolve()))
    assert powers.asked == []
