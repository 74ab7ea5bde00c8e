"""What rules are fed with: one endless stream of batches of events a kind, each bounded and paid for.

    process   program starts (`starts`)             auditd   /var/log/audit/audit.log, from where it was left
    network   connections, as a sweep finds them    line     syslog's files, or the journal
    file      what appears in folders that matter

Only the kinds that a program asks for are opened. A batch's place is saved after it was looked at. `every`
is the distance between two looks, or for how long what comes alone is gathered, in seconds.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path

from asyncinotify import Inotify, Mask

from ...netlink import inet_diag
from ...netlink.message import NetlinkError
from ...rules.events import Event
from ...rules.records import audit_event, entry_event, line_event
from ..names import shown
from ..programs.procfs import socket_owners
from ..programs.starts import Starts
from ..rounds.runs import Runs
from . import journal
from .tail import Place, Tail

AUDIT_LOG = "var/log/audit/audit.log"
LINE_LOGS = ("var/log/syslog", "var/log/messages", "var/log/auth.log", "var/log/secure", "var/log/cron")
FOLDERS = (
    "etc", "etc/cron.d", "etc/cron.daily", "etc/cron.hourly", "etc/init.d", "etc/ld.so.conf.d", "etc/pam.d",
    "etc/profile.d", "etc/ssh", "etc/sudoers.d", "etc/systemd/system", "etc/udev/rules.d",
    "usr/lib/systemd/system", "usr/local/bin", "usr/local/sbin", "var/spool/cron", "var/spool/cron/crontabs",
    "root", "root/.ssh", "root/.config/autostart", "tmp", "var/tmp", "dev/shm",
)  # fmt: skip
LOOK_SECONDS = 1.0
_SWEEP_SECONDS = 15.0
_LINES_A_LOOK = 2_000
_MOST_FILES = 1_000
# A record of auditd names a path of 4 096 bytes by twice as many digits.
_MAX_LINE = 1 << 15
_TALKING = inet_diag.states(inet_diag.ESTABLISHED, 2, inet_diag.CLOSE_WAIT)
_LISTENING = inet_diag.states(10)

Batches = AsyncGenerator[list[Event], None]


async def starts(runs: Runs, proc: Path) -> Batches:
    """Yield program starts; says once an hour that it can only sweep, and what it was too late for."""
    reader = await runs.look(partial(Starts, proc))
    if reader.why_sweeps:
        runs.note_trouble(f"short-lived programs are not seen: no process events ({reader.why_sweeps})")
    gone = lost = 0
    try:
        while True:
            yield await runs.look(partial(reader.read, LOOK_SECONDS))
            if reader.gone - gone >= 100 or reader.lost > lost:
                what = f"{reader.gone - gone} programs had ended before they were read"
                runs.note_gap(f"{what}; the kernel dropped events {reader.lost - lost} times")
                gone, lost = reader.gone, reader.lost
            await asyncio.sleep(runs.resting)
    finally:
        reader.close()


async def log(
    runs: Runs,
    path: Path,
    place: Place | None,
    parse: Callable[[bytes], Event | None],
    moved: Callable[[Place], None],
    *,
    every: float = LOOK_SECONDS,
) -> Batches:
    """Yield a log's new lines as events; `moved` is told the place when a batch has been looked at."""
    tail = Tail(path, place, _MAX_LINE)
    cuts = 0
    while True:
        batch: list[Event] = []
        try:
            if tail.place is None:
                tail.start_at_end()
            batch = await runs.look(partial(_lines, tail, parse))
        except FileNotFoundError:
            pass
        except OSError as error:
            runs.note_trouble(f"{path} could not be read: {error}")
        if tail.cuts > cuts:
            cuts = tail.cuts
            runs.note_gap(f"{path} was cut or replaced; lines before that may be lost")
        yield batch
        if tail.place:
            moved(tail.place)
        await asyncio.sleep(max(0.0 if len(batch) >= _LINES_A_LOOK else every, runs.resting))


def _lines(tail: Tail, parse: Callable[[bytes], Event | None]) -> list[Event]:
    lines = islice(tail.read(), _LINES_A_LOOK)
    # Of a line over the limit its beginning is asked about: to make it long must be no way past a rule.
    return [event for line in lines if (event := parse(line.data)) is not None]


async def journal_lines(
    runs: Runs,
    command: Sequence[str],
    cursor: str,
    since: float,
    moved: Callable[[str], None],
    *,
    every: float = LOOK_SECONDS,
) -> Batches:
    """Yield the journal's new entries as events; `moved` is told the cursor likewise."""
    argv = journal.arguments(command, cursor, since, follow=True, matches=())
    async with journal.running(argv) as child:
        while True:
            batch, last = await _entries(runs, child, every)
            yield batch
            if last:
                moved(last)


async def _entries(runs: Runs, child: asyncio.subprocess.Process, every: float) -> tuple[list[Event], str]:
    """Gather the entries of a moment: a line at a time would cost a look each."""
    batch: list[Event] = []
    last = ""
    with suppress(TimeoutError):
        async with asyncio.timeout(every):
            while len(batch) < _LINES_A_LOOK:
                try:
                    event, last = entry_event(await journal.next_line(child))
                except EOFError as error:
                    raise OSError(str(error)) from error
                except ValueError as error:
                    runs.note_gap(str(error))
                else:
                    batch += [event] if event else []
    return batch, last


async def connections(runs: Runs, proc: Path) -> Batches:
    """Yield connections that were not there at the last sweep."""
    known: set[tuple[str, int, str, int]] = set()
    while True:
        batch: list[Event] = []
        try:
            found, listening = await runs.look(_sweep)
        except (OSError, NetlinkError) as error:
            runs.note_trouble(f"connections could not be read: {error}")
        else:
            new = [one for one in found if _ends(one) not in known]
            known = {_ends(one) for one in found}
            inodes = {one.inode for one in new if one.inode}
            owners = await runs.look(partial(socket_owners, inodes, proc)) if inodes else {}
            batch = [_connection(one, owners.get(one.inode), listening) for one in new]
        yield batch
        await asyncio.sleep(max(_SWEEP_SECONDS, runs.resting))


def _sweep() -> tuple[list[inet_diag.Socket], set[int]]:
    listening = {one.local_port for one in inet_diag.sockets(_LISTENING)}
    return list(inet_diag.sockets(_TALKING)), listening


def _ends(one: inet_diag.Socket) -> tuple[str, int, str, int]:
    return one.local_address, one.local_port, one.remote_address, one.remote_port


def _connection(one: inet_diag.Socket, owner: object, listening: set[int]) -> Event:
    fields = {
        "Protocol": one.protocol,
        "SourceIp": one.local_address,
        "SourcePort": str(one.local_port),
        "DestinationIp": one.remote_address,
        "DestinationPort": str(one.remote_port),
        "Initiated": str(one.local_port not in listening).lower(),
    }
    if isinstance(owner, dict):
        named = {"Image": owner.get("program"), "ProcessId": owner.get("pid"), "User": owner.get("uid")}
        fields |= {name: str(value) for name, value in named.items() if value is not None}
    return Event("network", fields)


async def files(runs: Runs, root: Path, *, every: float = LOOK_SECONDS) -> Batches:
    """Yield files that appear, or are written, in folders that matter; a folder that is not there is left."""
    with Inotify() as inotify:
        for folder in FOLDERS:
            with suppress(OSError):
                inotify.add_watch(root / folder, Mask.CREATE | Mask.MOVED_TO | Mask.CLOSE_WRITE)
        while True:
            seen: dict[str, None] = {}
            with suppress(TimeoutError):
                async with asyncio.timeout(every):
                    while len(seen) < _MOST_FILES:
                        event = await inotify.get()
                        if Mask.Q_OVERFLOW in event.mask:
                            runs.note_gap(
                                "more files appeared than the kernel keeps; some were not looked at"
                            )
                        elif event.path is not None:
                            seen["/" + shown(event.path.relative_to(root))] = None
            yield [Event("file", {"TargetFilename": path}) for path in seen]


def audit(line: bytes) -> Event | None:
    """Return an audit record as an event."""
    return audit_event(line)


def syslog(line: bytes) -> Event | None:
    """Return a line of syslog as an event; empty ones are none."""
    return line_event(line) if line.strip() else None
