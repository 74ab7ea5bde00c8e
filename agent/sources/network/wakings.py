"""What makes the exits source look: the kernel's events, devices plugged in, rules of translation, and files.

    rtnetlink   link, address, route, rule, forwarding; a next hop's hardware address
    uevent      a phone, a stick or a radio comes or goes
    nftables    somebody is let out under our address
    inotify     resolv.conf, proxy settings (also in homes), policies of browsers, the mail server's relay

None of them says what is: each only sets `changed`. What is forbidden here (a sandbox, no CAP_NET_ADMIN) is
named in `deaf`, for whoever watches to tell; the poll remains.

An ear that was read rests for a moment before it is read again: a flood costs a bounded number of wakings,
and the first event after a quiet time is heard at once.
"""

import asyncio
import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from asyncinotify import Inotify, Mask

from ...netlink import changes, nat, uevent
from ...netlink.message import reason
from . import homes

_MASK = Mask.CLOSE_WRITE | Mask.MOVED_TO | Mask.MOVED_FROM | Mask.DELETE | Mask.CREATE | Mask.ONLYDIR
_ETC = frozenset({"resolv.conf", "environment", "profile", "yum.conf", "hosts", "mailname"})
_FOLDERS = (
    "etc",
    "etc/profile.d",
    "etc/environment.d",
    "etc/apt",
    "etc/apt/apt.conf.d",
    "etc/dnf",
    "etc/dconf/db",
    "etc/dconf/db/local.d",
    "etc/xdg",
    "etc/postfix",
    "etc/mail",
    "etc/exim4",
    "etc/firefox/policies",
    "etc/chromium/policies/managed",
    "etc/opt/chrome/policies/managed",
    "etc/opt/edge/policies/managed",
    "run/systemd/resolve",
    "run/NetworkManager",
)


_ALL_COUNT = ".config/environment.d"
_EAR_RESTS = 0.02


class _Ear(Protocol):
    def fileno(self) -> int: ...
    def close(self) -> None: ...


class Wakings:
    """Everything that listens.

    Attributes:
        changed: Set when there is a reason to look.
        deaf: What cannot be heard here, and why.
        listen_at_homes: Begins to hear people's own settings; blocks, where a home is away for as long.
    """

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.listen_at_homes: Callable[[], None] = lambda: None
        self.deaf: dict[str, str] = {}
        self._changes: changes.Changes | None = None
        self._moved = True

    def moved(self) -> bool:
        """Whether tables changed since the last call; always, where the kernel is not heard."""
        moved, self._moved = self._moved, self._changes is None
        return moved

    def note_move(self) -> None:
        """Remember that they changed, and wake."""
        self._moved = True
        self.changed.set()

    @property
    def overflows(self) -> int:
        """How often the kernel had to drop routing events."""
        return self._changes.overflows if self._changes else 0

    def know(self, hops: Mapping[tuple[int, str], str]) -> None:
        """Remember the hardware address of each next hop, as it was told."""
        if self._changes:
            self._changes.hops = hops


@contextmanager
def wakings(loop: asyncio.AbstractEventLoop, root: Path) -> Iterator[Wakings]:
    """Listen for the time of a block."""
    found = Wakings()
    with ExitStack() as stack:

        def listen(name: str, ear: Callable[[], _Ear], heard: Callable[[_Ear], bool]) -> None:
            try:
                one = ear()
            except OSError as error:
                if error.errno != errno.EPROTONOSUPPORT:  # what the kernel has not can't change
                    found.deaf[name] = reason(error.errno)
                return
            stack.callback(one.close)
            stack.callback(_hear(loop, one, lambda: found.changed.set() if heard(one) else None))

        def routes() -> changes.Changes:
            found._changes = changes.Changes()  # noqa: SLF001 - this block makes and ends it
            return found._changes  # noqa: SLF001 - likewise

        def files() -> Files:
            made = Files(root)
            found.listen_at_homes = made.watch_homes
            return made

        def tables_changed(ear: _Ear) -> bool:
            if isinstance(ear, changes.Changes) and ear.drain():
                found.note_move()
            return False

        listen("rtnetlink", routes, tables_changed)
        listen("uevent", uevent.Devices, lambda ear: isinstance(ear, uevent.Devices) and ear.drain())
        listen(
            "nftables", nat.RuleChanges, lambda ear: isinstance(ear, nat.RuleChanges) and bool(ear.drain())
        )
        listen("inotify", files, lambda ear: isinstance(ear, Files) and ear.drain())
        yield found


def _hear(loop: asyncio.AbstractEventLoop, ear: _Ear, read: Callable[[], object]) -> Callable[[], None]:
    """Read an ear when it has something, at most every `_EAR_RESTS` seconds; returns what ends that."""
    waking: asyncio.TimerHandle | None = None

    def listen() -> None:
        loop.add_reader(ear.fileno(), woken)

    def woken() -> None:
        nonlocal waking
        loop.remove_reader(ear.fileno())
        read()
        waking = loop.call_later(_EAR_RESTS, listen)

    def end() -> None:
        loop.remove_reader(ear.fileno())
        if waking:
            waking.cancel()

    listen()
    return end


class Files:
    """Hears changes of the files that name ways out; folders that come later are heard from a new start."""

    def __init__(self, root: Path) -> None:
        """Watch what is there.

        Raises:
            OSError: no inotify left for us.
        """
        self._root = root
        self._inotify = Inotify(sync_timeout=0)
        self._names: dict[Path, frozenset[str]] = {root / "etc": _ETC}
        for name in _FOLDERS:
            folder = root / name
            if folder.is_dir():
                try:
                    self._inotify.add_watch(folder, _MASK)
                except OSError:
                    self._inotify.close()
                    raise

    def watch_homes(self) -> None:
        """Watch people's own settings as far as there are watches left; the poll reads them in any case."""
        for home in homes.homes(self._root):
            for name in homes.FOLDERS:
                folder = home / name
                with suppress(OSError):
                    self._inotify.add_watch(folder, _MASK | Mask.DONT_FOLLOW)
                    if name != _ALL_COUNT:
                        self._names[folder] = homes.NAMES

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._inotify.fd

    def drain(self) -> bool:
        """Read everything that waits; say whether any of it is a reason to look."""
        heard = False
        while (event := self._inotify.sync_get()) is not None:
            inside = event.watch.path if event.watch else None
            names = self._names.get(inside) if inside else None
            heard = heard or names is None or event.name is None or event.name.name in names
        return heard

    def close(self) -> None:
        """Stop."""
        self._inotify.close()
