"""The deputy: fixed verbs for one user, and nothing of what the settings do not allow."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.powers import Deputy, FirewallError, ForbiddenError, Wanted, serve
from agent.powers.capture import Captured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALL = ("check_block", "block", "unblock", "isolate", "release", "stop", "capture")


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

    def check_block(self, address: str) -> None:
        self._note("check_block", address)

    def block(self, address: str, seconds: int) -> bool:
        return self._note("block", address, seconds)

    def unblock(self, address: str) -> bool:
        return self._note("unblock", address)

    def isolate(self, seconds: int) -> bool:
        return self._note("isolate", seconds)

    def release(self) -> bool:
        return self._note("release")

    def stop(self, pid: int, program: str, *, dry_run: bool = False) -> str:
        self._note("stop", pid, program, dry_run)
        return "ended"

    def capture(self, wanted: Wanted) -> Captured:
        self._note("capture", wanted)
        return Captured(b"\xa1\x00pcap", 3, 1, "time")


@contextmanager
def deputy(
    path: Path, powers: Recorder, verbs: tuple[str, ...] = ALL, user: int | None = None
) -> Iterator[Deputy]:
    stop = threading.Event()
    thread = threading.Thread(
        target=serve, args=(path, powers, verbs, os.getuid() if user is None else user, stop)
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
        asking.check_block("192.0.2.1")
        said = (
            asking.block("192.0.2.1", 60),
            asking.unblock("192.0.2.1"),
            asking.isolate(60),
            asking.release(),
            asking.stop(7, "/bin/x", dry_run=True),
            asking.capture(wanted),
        )

    assert said == (True, True, True, True, "ended", Captured(b"\xa1\x00pcap", 3, 1, "time"))
    assert powers.asked == [
        ("check_block", "192.0.2.1"),
        ("block", "192.0.2.1", 60),
        ("unblock", "192.0.2.1"),
        ("isolate", 60),
        ("release",),
        ("stop", 7, "/bin/x", True),
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


def test_another_user_is_refused_whatever_is_asked(tmp_path: Path) -> None:
    if os.getuid():
        pytest.skip("needs root: another user has to ask")
    powers = Recorder()
    path = tmp_path / "deputy.sock"
    tmp_path.chmod(0o777)
    with deputy(path, powers, user=12345):
        path.chmod(0o666)
        child = os.fork()
        if not child:
            try:
                os.setuid(23456)
                Deputy(path).isolate(60)
            except ForbiddenError:
                os._exit(7)
            except BaseException:  # noqa: BLE001 - the child answers by its code alone
                os._exit(1)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    # A parent folder that the other user may not enter would end it with 1 as well.
    assert code in {1, 7}
    assert powers.asked == []


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
