"""Who wrote a file, by fanotify(7): the one kernel interface that says which process it was.

    process 812 writes /var/www/index.html -> event (fd, pid 812) -> /proc/812 is read at once
                                                                     because 812 may end any moment

Only root may ask (CAP_SYS_ADMIN), so that it is a help beside inotify and never a condition. A process that
ended before its event was read stays a number.
"""

import ctypes
import errno
import os
import struct
from pathlib import Path
from typing import Any

from ..programs.procfs import describe

_FAN_CLOEXEC, _FAN_NONBLOCK = 0x1, 0x2
_FAN_MARK_ADD, _FAN_MARK_ONLYDIR = 0x1, 0x8
_FAN_MODIFY, _FAN_CLOSE_WRITE, _FAN_EVENT_ON_CHILD = 0x2, 0x8, 0x08000000
_AT_FDCWD = -100
# struct fanotify_event_metadata: event_len, vers, reserved, metadata_len, mask, fd, pid.
_EVENT = struct.Struct("=IBBHQii")
_BUFFER = 1 << 16
_REMEMBERED = 1000


class WhoWrote:
    """The last process that wrote each file of the marked folders."""

    def __init__(self, descriptor: int, libc: ctypes.CDLL, proc: Path) -> None:
        self._descriptor = descriptor
        self._libc = libc
        self._proc = proc
        self._last: dict[str, dict[str, Any]] = {}

    @classmethod
    def open(cls, proc: Path = Path("/proc")) -> "WhoWrote | None":
        """Return one, or None where the kernel does not allow it."""
        libc = ctypes.CDLL(None, use_errno=True)
        descriptor = libc.fanotify_init(_FAN_CLOEXEC | _FAN_NONBLOCK, os.O_RDONLY | os.O_CLOEXEC)
        return cls(descriptor, libc, proc) if descriptor >= 0 else None

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._descriptor

    def close(self) -> None:
        """Stop."""
        os.close(self._descriptor)

    def mark(self, folder: Path) -> bool:
        """Hear of writes to the files of a folder; say whether the kernel agreed."""
        mask = ctypes.c_uint64(_FAN_MODIFY | _FAN_CLOSE_WRITE | _FAN_EVENT_ON_CHILD)
        flags = _FAN_MARK_ADD | _FAN_MARK_ONLYDIR
        marked: int = self._libc.fanotify_mark(self._descriptor, flags, mask, _AT_FDCWD, os.fsencode(folder))
        return marked == 0

    def drain(self) -> None:
        """Take in everything that waits."""
        known: dict[int, dict[str, Any]] = {}
        while data := self._read():
            offset = 0
            while offset < len(data):
                length, _, _, _, _, descriptor, pid = _EVENT.unpack_from(data, offset)
                if descriptor >= 0:
                    self._note(descriptor, pid, known)
                offset += max(length, _EVENT.size)

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, _BUFFER)
        except OSError as error:
            if error.errno in {errno.EAGAIN, errno.EMFILE, errno.ENFILE}:
                return b""
            raise

    def _note(self, descriptor: int, pid: int, known: dict[int, dict[str, Any]]) -> None:
        try:
            path = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - text is wanted, not a Path
        except OSError:
            return
        finally:
            os.close(descriptor)
        if pid not in known:
            known[pid] = describe(self._proc, str(pid))
        self._last.pop(path, None)
        self._last[path] = known[pid]
        while len(self._last) > _REMEMBERED:
            del self._last[next(iter(self._last))]

    def last(self, paths: list[str]) -> dict[str, dict[str, Any]]:
        """Return who wrote these files last, of those that are known."""
        return {path: self._last[path] for path in paths if path in self._last}
