"""The verbs done by a process of their own, so that the agent needs no power: `fengsui-agent deputy`.

    agent (no capabilities) ══ unix socket, a JSON line each way ══> deputy (CAP_NET_ADMIN, _NET_RAW, _KILL)
                                the kernel tells who asks (SO_PEERCRED); fixed verbs, typed parameters

The deputy reads the settings itself: what is never blocked, and which verbs this node's orders may use at
all, does not hang on what the agent says.

Whoever else asks is refused and counted. All strangers share one line that is none of the agent's: they can
keep each other waiting, not the agent.
"""

import os
import socket
import struct
import threading
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from wire.codec import UNREADABLE

from .capture import Captured, Wanted
from .firewall import FirewallError
from .port import ForbiddenError, Powers
from .processes import refuse_own

_MOST_BYTES = 32 * 1024 * 1024
_ASK_BYTES = 64 * 1024
_SECONDS = 330.0
MOST_AT_ONCE = 4
_PATIENCE_SECONDS = 1.0
_TELL_SECONDS = 60.0


class _Asked(Struct, frozen=True, forbid_unknown_fields=True):
    verb: str
    address: str = ""
    seconds: int = 0
    pid: int = 0
    program: str = ""
    asked_ago: float = 0.0
    dry_run: bool = False
    wanted: Wanted | None = None


class _Answer(Struct, frozen=True):
    """What came of it; `error` is empty, `forbidden`, `firewall` or `os`."""

    value: Any = None
    error: str = ""
    why: str = ""


_asked = msgspec.json.Decoder(_Asked)
_answers = msgspec.json.Decoder(_Answer)
_ERRORS: Mapping[str, type[Exception]] = {
    "forbidden": ForbiddenError,
    "firewall": FirewallError,
    "os": OSError,
}
_VERBS: Mapping[str, Callable[[Powers, _Asked], object]] = {
    "block": lambda powers, asked: powers.block(asked.address, asked.seconds, dry_run=asked.dry_run),
    "unblock": lambda powers, asked: powers.unblock(asked.address),
    "isolate": lambda powers, asked: powers.isolate(asked.seconds, dry_run=asked.dry_run),
    "refresh": lambda powers, _: powers.refresh(),
    "holds": lambda powers, _: powers.holds(),
    "release": lambda powers, _: powers.release(),
    "stop": lambda powers, asked: powers.stop(
        asked.pid, asked.program, asked_ago=asked.asked_ago, dry_run=asked.dry_run
    ),
    "capture": lambda powers, asked: powers.capture(_wanted(asked)),
}
VERB_OF = {
    "block_address": ("block", "refresh", "holds"),
    "unblock_address": ("unblock",),
    "isolate_node": ("isolate", "refresh", "holds"),
    "release_node": ("release",),
    "stop_process": ("stop",),
    "snapshot_traffic": ("capture",),
}
"""The verbs that each order may use."""


def _wanted(asked: _Asked) -> Wanted:
    if asked.wanted is None:
        raise OSError("capture needs `wanted`")
    return asked.wanted


class Deputy:
    """Powers of another process, asked over its socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def block(self, address: str, seconds: int, *, dry_run: bool = False) -> bool:
        """See `Powers.block`."""
        return bool(self._ask(_Asked("block", address=address, seconds=seconds, dry_run=dry_run)))

    def unblock(self, address: str) -> bool:
        """See `Powers.unblock`."""
        return bool(self._ask(_Asked("unblock", address=address)))

    def isolate(self, seconds: int, *, dry_run: bool = False) -> bool:
        """See `Powers.isolate`."""
        return bool(self._ask(_Asked("isolate", seconds=seconds, dry_run=dry_run)))

    def refresh(self) -> bool:
        """See `Powers.refresh`."""
        return bool(self._ask(_Asked("refresh")))

    def holds(self) -> bool:
        """See `Powers.holds`."""
        return bool(self._ask(_Asked("holds")))

    def release(self) -> bool:
        """See `Powers.release`."""
        return bool(self._ask(_Asked("release")))

    def stop(self, pid: int, program: str, *, asked_ago: float = 0.0, dry_run: bool = False) -> str:
        """See `Powers.stop`; what is the deputy's own it knows itself, what is the agent's only the agent."""
        refuse_own(pid)
        asked = _Asked("stop", pid=pid, program=program, asked_ago=asked_ago, dry_run=dry_run)
        return str(self._ask(asked))

    def capture(self, wanted: Wanted) -> Captured:
        """See `Powers.capture`."""
        return msgspec.convert(self._ask(_Asked("capture", wanted=wanted)), Captured)

    def _ask(self, asked: _Asked) -> Any:  # noqa: ANN401 - what the verb returns
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            # Where strangers queue, a line that does not block is turned away; this one waits for its turn.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", int(_SECONDS), 0))
            line.connect(str(self._path))
            line.settimeout(_SECONDS)
            line.sendall(msgspec.json.encode(asked) + b"\n")
            answer = _answers.decode(_line(line, _MOST_BYTES))
        if answer.error:
            raise _ERRORS.get(answer.error, OSError)(answer.why)
        return answer.value


class Refusals:
    """Counts who was refused, and says so at once and then once a minute: a log is not to be flooded.

    >>> said = []
    >>> refusals = Refusals(lambda user, count: said.append((user, count)))
    >>> for second in range(0, 100, 10):
    ...     refusals.note(1000, second)
    >>> said
    [(1000, 1), (1000, 7)]
    """

    def __init__(self, tell: Callable[[int, int], object]) -> None:
        """Take what is told: the user of the last one, and how many there were."""
        self._tell = tell
        self._told_at: float | None = None
        self.count = 0

    def note(self, user: int, at: float) -> None:
        """Count one, refused at `at` monotonic seconds."""
        self.count += 1
        if self._told_at is None or at - self._told_at >= _TELL_SECONDS:
            self._told_at = at
            self._tell(user, self.count)


def serve(
    path: Path,
    powers: Powers,
    verbs: Collection[str],
    user: int,
    stop: threading.Event,
    *,
    refused: Callable[[int], object] = lambda _: None,
) -> None:
    """Answer until `stop` is set.

    Args:
        path: Where the socket is made; one that a former deputy left is removed.
        powers: What does the verbs.
        verbs: Those that may be asked for.
        user: The one user, besides root, who may ask.
        stop: Looked at once a second.
        refused: Told the user of every connection that may not ask.
    """
    # It appears under its name when it can be asked, never before.
    new = path.with_name(path.name + "~")
    new.unlink(missing_ok=True)
    slots, strangers = threading.BoundedSemaphore(MOST_AT_ONCE), threading.BoundedSemaphore(1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(str(new))
        new.chmod(0o660)
        os.chown(new, -1, _group_of(user))
        door.listen(MOST_AT_ONCE)
        new.replace(path)
        door.settimeout(1.0)
        while not stop.is_set():
            try:
                line, _ = door.accept()
            except TimeoutError:
                continue
            who = _asking(line)
            # An answer is read before its slot is free again: who asks the next thing at once waits for it.
            answer, free, patience = partial(_answered, powers=powers, verbs=verbs), slots, _PATIENCE_SECONDS
            if who not in {0, user}:
                refused(who)
                answer, free, patience = partial(_refused, who=who), strangers, 0.0
            if not free.acquire(timeout=patience):
                line.close()
                continue
            threading.Thread(target=_one, args=(line, answer, free), daemon=True).start()


def _asking(line: socket.socket) -> int:
    """Return the user at the other end, by the kernel's word."""
    _, who, _ = struct.unpack("=iii", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(who)


def _one(
    line: socket.socket, answered: Callable[[socket.socket], _Answer], slots: threading.BoundedSemaphore
) -> None:
    try:
        with line:
            line.settimeout(10.0)
            answer = answered(line)
            line.sendall(msgspec.json.encode(answer) + b"\n")
    except OSError:
        pass  # whoever asked has gone: what was done is done, and is asked for again
    finally:
        slots.release()


def _refused(line: socket.socket, who: int) -> _Answer:
    _line(line, _ASK_BYTES)  # what was asked is taken, so that the answer can be
    return _Answer(error="forbidden", why=f"user {who} may not ask the deputy")


def _answered(line: socket.socket, powers: Powers, verbs: Collection[str]) -> _Answer:
    try:
        asked = _asked.decode(_line(line, _ASK_BYTES))
    except (OSError, *UNREADABLE) as error:
        return _Answer(error="os", why=f"what was asked can't be read: {error}")
    if asked.verb not in _VERBS or asked.verb not in verbs:
        return _Answer(error="forbidden", why=f"this node's settings do not allow {asked.verb[:40]!r}")
    return _done(powers, asked)


def _done(powers: Powers, asked: _Asked) -> _Answer:
    try:
        return _Answer(value=_VERBS[asked.verb](powers, asked))
    except ForbiddenError as error:
        return _Answer(error="forbidden", why=str(error))
    except FirewallError as error:
        return _Answer(error="firewall", why=str(error))
    except (OSError, ValueError) as error:
        return _Answer(error="os", why=str(error))


def _line(line: socket.socket, most: int) -> bytes:
    taken = bytearray()
    while not taken.endswith(b"\n"):
        piece = line.recv(65536)
        if not piece:
            raise ConnectionError("the other side ended in the middle of a line")
        taken += piece
        if len(taken) > most:
            raise OSError(f"a line of more than {most} bytes")
    return bytes(taken)


def _group_of(user: int) -> int:
    import pwd  # noqa: PLC0415 - the deputy alone needs it

    try:
        return pwd.getpwuid(user).pw_gid
    except KeyError:
        return -1
