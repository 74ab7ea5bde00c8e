"""Program starts as events for rules: by the kernel's connector, or where that is not to be had, by sweeps.

    connector    every execve is named; who is gone before we look is counted (`gone`)
    sweep        what runs now and did not a second ago; what lived between is not seen

A process is described as soon as it is named: its own links and texts in /proc, and its parent's.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ...netlink.proc_events import ProcEvents
from ...rules.events import Event
from ..names import shown

_MOST = 2_000
_SWEEP_SECONDS = 1.0
_BEGUN = 19
_UNSET = "4294967295"


class _Running(NamedTuple):
    """A process seen by a sweep: the inode of its folder in /proc, and when it began."""

    inode: int
    begun: str


class Starts:
    """Whatever begins a program.

    Attributes:
        gone: Processes that had ended before they could be read.
        lost: How often the kernel dropped events.
        why_sweeps: Why the connector is not used; empty where it is.
    """

    def __init__(self, proc: Path = Path("/proc"), passwd: Path = Path("/etc/passwd")) -> None:
        """Open the connector, if it is to be had."""
        self._proc = proc
        self._names = _Names(passwd)
        self.gone = 0
        self.lost = 0
        self.why_sweeps = ""
        self._known: dict[str, _Running] = {}
        self._connector: ProcEvents | None = None
        try:
            self._connector = ProcEvents()
        except OSError as error:
            self.why_sweeps = error.strerror or str(error)
            self._known = self._running()

    def close(self) -> None:
        """Stop listening."""
        if self._connector:
            self._connector.close()

    def read(self, seconds: float) -> list[Event]:
        """Return what began within `seconds`; blocks for as long, in a thread of its own.

        Raises:
            OSError: the connector's socket is gone.
        """
        if self._connector is None:
            time.sleep(min(seconds, _SWEEP_SECONDS))
            return list(self._swept())
        found: list[Event] = []
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and len(found) < _MOST:
            for pid in self._connector.read(left):
                event = self.describe(str(pid))
                if event is None:
                    self.gone += 1
                else:
                    found.append(event)
        self.lost, self._connector.lost = self.lost + self._connector.lost, 0
        return found

    def _swept(self) -> Iterator[Event]:
        running = self._running()
        known = self._known
        new = [pid for pid, one in running.items() if pid not in known or known[pid].begun != one.begun]
        self._known = running
        for pid in new:
            event = self.describe(pid)
            if event:
                yield event

    def _running(self) -> dict[str, _Running]:
        """Return when each process began, by its number: numbers are used again.

        A folder in /proc keeps its inode while its process lives, so that of a process known by it nothing
        has to be read: on a quiet host a sweep is one listing.
        """
        found = {}
        with os.scandir(self._proc) as entries:
            for entry in entries:
                if not entry.name.isdigit():
                    continue
                known = self._known.get(entry.name)
                if known and known.inode == entry.inode():
                    found[entry.name] = known
                elif stat := self._stat(entry.name):
                    found[entry.name] = _Running(entry.inode(), stat[_BEGUN])
        return found

    def describe(self, pid: str) -> Event | None:
        """Return a process as an event; None where it is gone, or is none of a program."""
        folder = self._proc / pid
        try:
            fields = self._program(folder, "Image", "CommandLine")
            uid = folder.stat().st_uid
        except OSError:
            return None
        fields |= {"ProcessId": pid, "User": self._names.of(uid)}
        with suppress(OSError):
            fields["CurrentDirectory"] = shown((folder / "cwd").readlink())
        with suppress(OSError):
            login = (folder / "loginuid").read_text("ascii")
            if login != _UNSET:
                fields["LogonId"] = login
        if (stat := self._stat(pid)) and stat[1] != "0":
            fields["ParentProcessId"] = stat[1]
            with suppress(OSError):
                fields |= self._program(self._proc / stat[1], "ParentImage", "ParentCommandLine")
        return Event("process", fields)

    @staticmethod
    def _program(folder: Path, image: str, line: str) -> dict[str, str]:
        with (folder / "cmdline").open("rb") as file:
            words = file.read(8192)
        text = words.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "backslashreplace")
        return {image: shown((folder / "exe").readlink()).removesuffix(" (deleted)"), line: text}

    def _stat(self, pid: str) -> list[str]:
        """Return what stands behind the name in /proc/PID/stat, beginning with the state."""
        try:
            text = (self._proc / pid / "stat").read_bytes()
        except OSError:
            return []
        # The name stands in parentheses and may itself hold any sign.
        fields = text[text.rfind(b")") + 2 :].decode("ascii", "replace").split()
        return fields if len(fields) > _BEGUN else []


class _Names:
    """Account names of the host's own file; a name service that hangs must not hang this."""

    def __init__(self, passwd: Path) -> None:
        self._passwd = passwd
        self._read_at = -1
        self._names: Mapping[int, str] = {}

    def of(self, uid: int) -> str:
        with suppress(OSError, ValueError):
            at = self._passwd.stat().st_mtime_ns
            if at != self._read_at:
                self._names, self._read_at = dict(self._read()), at
        return self._names.get(uid, str(uid))

    def _read(self) -> Iterator[tuple[int, str]]:
        for line in self._passwd.read_text("utf-8", "replace").splitlines():
            words = line.split(":")
            if len(words) > 2 and words[2].isdigit():
                yield int(words[2]), words[0]
