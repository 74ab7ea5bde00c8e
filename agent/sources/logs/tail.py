"""Reads a log file from where it was left, over rotations, by whole lines.

    auth.log  (inode 7)  ....|read up to 4096          Place(7, 4096)
    rotated: auth.log.1 is inode 7, auth.log is inode 9
    next read: the rest of inode 7, then inode 9 from 0  Place(9, n)

A file that is shorter than the place was cut in place (copytruncate), and one that begins with other bytes is
another under a used inode, or was cut and has grown since: it is read from its beginning, and the caller is
told, for lines may have been lost.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from ...keeping import open_regular

MAX_LINE = 8192
_CHUNK = 1 << 18
_SIBLINGS = 50
_HEAD = 256


class Place(Struct, frozen=True):
    """How far a log was read: the file's inode and the bytes of whole lines read.

    `head_size` and `head`: how many of its first bytes are known, and their digest. `inside`: the place lies
    in a line over the limit, whose beginning was given already.
    """

    inode: int
    offset: int
    head_size: int = 0
    head: str = ""
    inside: bool = False


class Line(NamedTuple):
    """A line without its end, and the place after it; `whole` is false for one that is cut at the limit."""

    data: bytes
    place: Place
    whole: bool


class Tail:
    """One log file.

    Args:
        path: The file.
        place: How far it was read.
        limit: Bytes of a line that are given; the rest of a longer one is left out.

    Attributes:
        lines: How many lines were read.
        cuts: How often the file turned out to be another, or its rest could not be found again.
    """

    def __init__(self, path: Path, place: Place | None, limit: int = MAX_LINE) -> None:
        self.path = path
        self.place = place
        self.lines = 0
        self.cuts = 0
        self._limit = limit

    def start_at_end(self, back: int = 0) -> None:
        """Begin with what is written from now on, or with the last `back` bytes.

        Raises:
            OSError: the file can't be seen.
        """
        status = self.path.stat()
        self.place = Place(status.st_ino, max(0, status.st_size - back))

    def read(self) -> Iterator[Line]:
        """Yield the lines since the place, moving it.

        Raises:
            OSError: a file is there and can't be read, or something else is in its place.
        """
        try:
            inode = self.path.stat().st_ino
        except FileNotFoundError:
            return  # between the two steps of a rotation
        if self.place and self.place.inode != inode:
            old = self._rotated(self.place.inode)
            if old:
                yield from self._lines(old, self.place, final=True)
            else:
                self.cuts += 1
            self.place = Place(inode, 0)
        yield from self._lines(self.path, self.place or Place(inode, 0), final=False)

    def _rotated(self, inode: int) -> Path | None:
        """Return where the file that was read is now."""
        found = sorted(self.path.parent.glob(f"{self.path.name}[.-]*"))[:_SIBLINGS]
        return next((path for path in found if path.stat().st_ino == inode), None)

    def _lines(self, path: Path, place: Place, *, final: bool) -> Iterator[Line]:
        with open_regular(path) as file:
            status = os.fstat(file.fileno())
            if status.st_ino != place.inode:
                return  # rotated between stat and open: the next read sees it
            if status.st_size < place.offset or _head(file.fileno(), place.head_size) != place.head:
                self.cuts += 1
                place = Place(place.inode, 0)
            self.place = _with_head(place, file.fileno())
            file.seek(place.offset)
            rest = b""
            while chunk := file.read(_CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield from self._line(line, 1)
                if len(rest) > self._limit or self._inside():
                    yield from self._line(rest, 0)
                    rest = b""
            if rest and final:
                yield from self._line(rest, 0)
            self.place = _with_head(self.place, file.fileno())

    def _inside(self) -> bool:
        return self.place is not None and self.place.inside

    def _line(self, data: bytes, end: int) -> Iterator[Line]:
        """Move on, and give the line, or the first of one that goes on; nothing of how it goes on."""
        before = self.place or Place(0, 0)
        self.place = replace(before, offset=before.offset + len(data) + end, inside=not end)
        if not before.inside:
            self.lines += 1
            yield Line(data[: self._limit], self.place, len(data) <= self._limit)


def _with_head(place: Place, descriptor: int) -> Place:
    """Return a place with as much known of the file's beginning as was read of it."""
    size = min(_HEAD, place.offset)
    return replace(place, head_size=size, head=_head(descriptor, size)) if place.head_size < size else place


def _head(descriptor: int, size: int) -> str:
    return hashlib.sha256(os.pread(descriptor, size, 0)).hexdigest()[:32] if size else ""
