"""Powers that remember what they put into the packet filter, and put it back where the kernel lost it.

::

    block, isolate     done, then written down       a kill in between: the order comes again
    unblock, release   crossed out, then done        a kill in between: it is never put back
    look               the kernel has our table      all is left alone, also what a person took out of it
                       it has none: a reboot, or somebody flushed all tables
                                                     each entry is due, put back for what is left, and told

What is left goes down by the clock since the boot, and after another boot by the wall clock since the last
look, but by no less than this boot has lasted. A wall clock that went back counts as little as that: how long
the host was down is then not known, which is told; nor is the last minute before a power cut. All else that
was in force before is given once.
"""

import logging
import threading
from collections.abc import Collection
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wire.codec import UNREADABLE

from ..clock import Clock
from ..keeping import read_file, replace_file
from .capture import Captured, Wanted
from .firewall import FirewallError
from .port import Powers

_log = logging.getLogger("fengsui.orders")
_MOST_BYTES = 4 * 1024 * 1024
_LEAST_SECONDS = 2
_BAD = (ValueError, *UNREADABLE)
_UNSURE = "the host's clock went back: how long it was down is not known, and not taken off"
_LOCK = threading.RLock()  # orders run in threads, and for a moment of a reload two worlds have one file


class Held(Struct, frozen=True):
    """A block of an address, or (empty) the isolation; `due`: the kernel has lost it."""

    address: str
    left: float
    due: bool = False

    @property
    def kind(self) -> str:
        """The order that made it."""
        return "block_address" if self.address else "isolate_node"

    @property
    def what(self) -> str:
        """It, for people."""
        return f"the block of {self.address}" if self.address else "the isolation"


class Book(Struct, frozen=True, kw_only=True):
    """What was held at a moment by the clocks of a boot, in seconds; `unsure`: its wall clock went back."""

    boot: str
    monotonic: float
    wall: float
    held: tuple[Held, ...] = ()
    unsure: bool = False


def aged(book: Book, boot: str, monotonic: float, wall: float) -> Book:
    """Return a book as it is at another moment; what is over has left it.

    >>> book = Book(boot="a", monotonic=50, wall=1000, held=(Held("192.0.2.9", 600),))
    >>> aged(book, "a", 80, 9999).held[0].left, aged(book, "b", 20, 1400).held[0].left
    (570.0, 200.0)
    >>> aged(book, "b", 20, 0).held[0].left  # a clock that went back
    580.0
    """
    same, down = boot == book.boot, wall - book.wall
    passed = monotonic - book.monotonic if same else max(down, monotonic)
    held = (replace(one, left=float(one.left - max(passed, 0.0))) for one in book.held)
    return Book(
        boot=boot,
        monotonic=monotonic,
        wall=wall,
        held=tuple(one for one in held if one.left > 0),
        unsure=book.unsure if same else down < monotonic,
    )


def added(held: Collection[Held], address: str, seconds: float) -> tuple[Held, ...]:
    """Return what is held after one more: as in the kernel, a wider block takes in narrower ones."""
    others = [one for one in held if not _within(one.address, address)]
    standing = [one for one in held if not one.due]
    longest = max([seconds, *(one.left for one in standing if _within(one.address, address))])
    if any(_within(address, one.address) and one.left >= seconds - 1 for one in standing):
        return tuple(held)
    return (*others, Held(address, longest))


def _within(one: str, other: str) -> bool:
    if not one or not other:
        return one == other
    narrow, wide = ip_network(one), ip_network(other)
    return narrow.version == wide.version and narrow.subnet_of(wide)  # type: ignore[arg-type]


class Remembered:
    """Powers, with a file of what they block. All methods may be called from any thread."""

    def __init__(self, powers: Powers, path: Path, clock: Clock) -> None:
        """Take the powers themselves, where what they hold is written down, and the host's clocks."""
        self._powers = powers
        self._path = path
        self._clock = clock

    def block(self, address: str, seconds: int, *, dry_run: bool = False) -> bool:
        """See `Powers.block`."""
        with _LOCK:
            fresh = self._powers.block(address, seconds, dry_run=dry_run)
            if not dry_run:
                self._remember(address, seconds)
        return fresh

    def unblock(self, address: str) -> bool:
        """See `Powers.unblock`."""
        with _LOCK:
            self._forget(address)
            return self._powers.unblock(address)

    def isolate(self, seconds: int, *, dry_run: bool = False) -> bool:
        """See `Powers.isolate`."""
        with _LOCK:
            fresh = self._powers.isolate(seconds, dry_run=dry_run)
            if not dry_run:
                self._remember("", seconds)
        return fresh

    def release(self) -> bool:
        """See `Powers.release`."""
        with _LOCK:
            self._forget("")
            return self._powers.release()

    def refresh(self) -> bool:
        """See `Powers.refresh`."""
        return self._powers.refresh()

    def holds(self) -> bool:
        """See `Powers.holds`."""
        return self._powers.holds()

    def stop(self, pid: int, program: str, *, asked_ago: float = 0.0, dry_run: bool = False) -> str:
        """See `Powers.stop`."""
        return self._powers.stop(pid, program, asked_ago=asked_ago, dry_run=dry_run)

    def capture(self, wanted: Wanted) -> Captured:
        """See `Powers.capture`."""
        return self._powers.capture(wanted)

    def restore(self, allowed: Collection[str]) -> list[str]:
        """Put back what the kernel has lost, and write down what is left of all.

        Args:
            allowed: Orders that the node's settings allow: nothing else is put back.

        Returns:
            What is to be told, a sentence each; what could not be put back is tried at the next call.

        Raises:
            FirewallError: whether the kernel holds anything can't be found out.
            OSError: likewise, or nothing can be written down.
        """
        with _LOCK:
            try:
                book = self._read()
            except (OSError, *_BAD) as error:
                self._path.unlink(missing_ok=True)
                return [f"which blocks stood can't be read ({error}): none of them is put back"]
            if not book.held:
                self._path.unlink(missing_ok=True)
                return []
            if not self._powers.holds():
                book = replace(book, held=tuple(replace(one, due=True) for one in book.held))
            # Written before the first is put back: with it our table is there again.
            self._write(book)
            if not any(one.due for one in book.held):
                return []
            ended = [self._put_back(one, allowed) for one in sorted(book.held, key=lambda one: one.address)]
            self._write(replace(book, held=tuple(one for one, _ in ended if one is not None)))
            unsure = f" ({_UNSURE})" if book.unsure else ""
            # Isolation is put back first and told last: of a source's gaps a node's page shows the newest.
            return [why + unsure for _, why in reversed(ended) if why]

    def _put_back(self, one: Held, allowed: Collection[str]) -> tuple[Held | None, str]:
        """Return what is held after a try, and what is to be told of it."""
        seconds = int(one.left)
        if not one.due:
            return one, ""
        if seconds < _LEAST_SECONDS:
            return None, ""
        if one.kind not in allowed:
            return None, f"{one.what} is not put back: this node's settings no longer allow {one.kind}"
        try:
            powers = self._powers
            fresh = powers.block(one.address, seconds) if one.address else powers.isolate(seconds)
        except (OSError, FirewallError) as error:
            return one, f"{one.what} could not be put back yet: {error}"
        said = f"the kernel had lost {one.what}: put back for the {seconds} s that were left"
        return replace(one, due=False), said if fresh else ""

    def _remember(self, address: str, seconds: int) -> None:
        try:
            try:
                book = self._read()
            except _BAD:
                book = self._now()
            self._write(replace(book, held=added(book.held, address, float(seconds))))
        except OSError as error:
            # What was asked for is done; it ends with this boot of the kernel.
            _log.warning("a block that stands is not written down: %s", error)

    def _forget(self, address: str) -> None:
        """Cross out a block; where that can't be written, all of them.

        Raises:
            OSError: not even that.
        """
        try:
            book = self._read()
            if all(one.address != address for one in book.held):
                return
            self._write(replace(book, held=tuple(one for one in book.held if one.address != address)))
        except (OSError, *_BAD):
            self._path.unlink(missing_ok=True)

    def _now(self) -> Book:
        clock = self._clock
        return Book(boot=clock.boot_id, monotonic=clock.monotonic(), wall=clock.now().timestamp())

    def _read(self) -> Book:
        now, content = self._now(), read_file(self._path, _MOST_BYTES)
        if content is None:
            return now
        book = msgspec.json.decode(content, type=Book)
        for one in book.held:
            if one.address:
                ip_network(one.address)
        return aged(book, now.boot, now.monotonic, now.wall)

    def _write(self, book: Book) -> None:
        if not book.held:
            with suppress(FileNotFoundError):
                self._path.unlink()
            return
        replace_file(self._path, msgspec.json.encode(book))
