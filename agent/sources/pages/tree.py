"""Hears what changes below some folders, by inotify; says where to look and never what happened.

What inotify can't tell (its queue ran over, a root was replaced, a folder came with files in it before it
was watched) is told as "look at all of this folder", so that the listener needs no other case.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from asyncinotify import Event, Inotify, Mask, Watch

from ..names import real, told

_MASK = (
    Mask.CLOSE_WRITE
    | Mask.MODIFY
    | Mask.CREATE
    | Mask.DELETE
    | Mask.MOVED_FROM
    | Mask.MOVED_TO
    | Mask.DELETE_SELF
    | Mask.MOVE_SELF
    | Mask.ONLYDIR
    | Mask.EXCL_UNLINK
)
_APPEARS = Mask.CREATE | Mask.MOVED_TO
_EVENTS_A_READ = 256


class Touched(NamedTuple):
    """Where to look: the root by its number, and the path below it; None for all of it."""

    root: int
    path: str | None


class _Place(NamedTuple):
    root: int
    folder: str
    above: bool


class TreeWatch:
    """Watches the folders of several roots, and each root's parent for the root itself.

    Args:
        roots: The folders.
        excludes: Says of a root's number and a path below it whether it is left out.
        watched: Is told every folder that is watched from now on.

    Attributes:
        overflows: How often the kernel's queue ran over.
        unwatched: Folders that could not be watched (the kernel's limit of watches).
    """

    def __init__(
        self,
        roots: Sequence[Path],
        excludes: Callable[[int, str], bool],
        watched: Callable[[Path], object] = lambda _: None,
    ) -> None:
        self._roots = roots
        self._excludes = excludes
        self._watched = watched
        self._inotify = Inotify(cache_size=_EVENTS_A_READ, sync_timeout=0)
        self._places: dict[int, set[_Place]] = {}
        self._watches: dict[int, Watch] = {}
        self.overflows = 0
        self.unwatched = 0

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._inotify.fd

    def close(self) -> None:
        """Stop watching."""
        self._inotify.close()

    def watch_all(self) -> None:
        """Watch every folder of every root; again after an overflow."""
        self.unwatched = 0
        for number, root in enumerate(self._roots):
            self._add(root.parent, _Place(number, "", above=True))
            self._add_below(number, "")

    def drain(self) -> Iterator[Touched]:
        """Yield where to look for everything that waits to be heard."""
        while (event := self._inotify.sync_get()) is not None:
            if Mask.Q_OVERFLOW in event.mask:
                self.overflows += 1
                self.watch_all()
                yield from (Touched(number, None) for number in range(len(self._roots)))
                continue
            for place in self._heard_at(event):
                yield from self._touched(place, event)

    def _heard_at(self, event: Event) -> list[_Place]:
        watch = event.watch
        if watch is None:
            return []
        places = list(self._places.get(watch.wd, ()))
        if Mask.IGNORED in event.mask:
            self._places.pop(watch.wd, None)
            self._watches.pop(watch.wd, None)
            return []
        return places

    def _touched(self, place: _Place, event: Event) -> Iterator[Touched]:
        name = "" if event.name is None else told(str(event.name))
        if place.above:
            if name == self._roots[place.root].name and not event.mask & Mask.MODIFY:
                self._add_below(place.root, "")
                yield Touched(place.root, None)
            return
        path = f"{place.folder}/{name}" if place.folder and name else name or place.folder
        if path and self._excludes(place.root, path):
            return
        if Mask.ISDIR in event.mask:
            if event.mask & _APPEARS:
                self._add_below(place.root, path)
            elif Mask.MOVED_FROM in event.mask:
                self._forget(place.root, path)
        yield Touched(place.root, path or None)

    def _add_below(self, number: int, folder: str) -> None:
        """Watch a folder and all below it; each before it is listed, so that nothing slips in between."""
        waiting = [folder]
        while waiting:
            path = waiting.pop()
            place = Path(os.path.realpath(self._roots[number]), real(path))
            if not self._add(place, _Place(number, path, above=False)):
                continue
            self._watched(place)
            try:
                with os.scandir(place) as found:
                    below = [told(entry.name) for entry in found if entry.is_dir(follow_symlinks=False)]
            except OSError:
                continue
            for name in below:
                inner = f"{path}/{name}" if path else name
                # A pattern that takes in any name of a folder takes in the folder.
                if not self._excludes(number, inner) and not self._excludes(number, f"{inner}/\0"):
                    waiting.append(inner)

    def _add(self, folder: Path, place: _Place) -> bool:
        try:
            watch = self._inotify.add_watch(folder, _MASK)
        except OSError as error:
            self.unwatched += error.errno in {errno.ENOSPC, errno.ENOMEM}
            return False
        self._watches[watch.wd] = watch
        places = self._places.setdefault(watch.wd, set())
        # A folder that was moved inside its root keeps its watch and gets a new path.
        places -= {old for old in places if old.root == place.root and old.above == place.above}
        places.add(place)
        return True

    def _forget(self, number: int, folder: str) -> None:
        """Stop watching a folder that was moved away; where it went is no business of this root."""
        for wd, places in list(self._places.items()):
            gone = {
                place
                for place in places
                if place.root == number
                and not place.above
                and (place.folder == folder or place.folder.startswith(f"{folder}/"))
            }
            places.difference_update(gone)
            if gone and not places and wd in self._watches:
                self._places.pop(wd)
                self._inotify.rm_watch(self._watches.pop(wd))
