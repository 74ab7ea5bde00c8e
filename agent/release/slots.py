"""Two folders for one program, and two names for them.

::

    FOLDER/a, FOLDER/b    a release each: a virtual environment, whole once RELEASE.json lies in it
    FOLDER/current        symbolic link: what agent and deputy start from
    FOLDER/good           symbolic link: what has proved itself, and what the updater starts from

`current` and `good` name one folder, except while a release is on trial. Whatever ends the updater in
between, the program that can go back is the one that is known to run. A link is changed by renaming a new
one over it.
"""

import os
import shutil
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from wire.codec import UNREADABLE

from ..keeping import replace_file

Slot = Literal["a", "b"]
Link = Literal["current", "good"]
_SLOTS: tuple[Slot, Slot] = ("a", "b")
FILE = "RELEASE.json"


class Release(Struct, frozen=True):
    """What lies in a slot.

    Fields:
        version: As the mirror calls it.
        installed: Random id of this installation: the proof that a release runs names it.
    """

    version: str
    installed: str


class Slots:
    """The folder of releases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def named(self, link: Link) -> Slot | None:
        """Return which slot a link names; None where it names none of the two."""
        try:
            name = str((self.folder / link).readlink())
        except OSError:
            return None
        return next((slot for slot in _SLOTS if name == slot), None)

    def spare(self) -> Slot:
        """Return the slot that nothing starts from; right only where no trial is on."""
        return "b" if self.named("good") == "a" else "a"

    def path(self, slot: Slot) -> Path:
        """Return a slot's folder."""
        return self.folder / slot

    def release(self, slot: Slot | None) -> Release | None:
        """Return what lies whole in a slot."""
        return release_in(self.folder / slot) if slot else None

    def clear(self, slot: Slot) -> Path:
        """Empty a slot; what is said of it goes first, so that half a release is never taken for one.

        Raises:
            OSError: it can't be emptied.
        """
        path = self.path(slot)
        (path / FILE).unlink(missing_ok=True)
        if path.exists():
            shutil.rmtree(path)
        path.mkdir(mode=0o755)
        return path

    def complete(self, slot: Slot, release: Release) -> None:
        """Say that a slot holds a whole release, after all of it is on the disk.

        Raises:
            OSError: the disk did not take it.
        """
        os.sync()
        replace_file(self.path(slot) / FILE, msgspec.json.encode(release))

    def point(self, link: Link, slot: Slot) -> None:
        """Let a link name a slot, durably.

        Raises:
            OSError: it names what it named.
        """
        new = self.folder / f"{link}.new"
        new.unlink(missing_ok=True)
        new.symlink_to(slot)
        new.replace(self.folder / link)
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def go_back(self) -> None:
        """Let `current` name what `good` names; durably, as `point`."""
        if good := self.named("good"):
            self.point("current", good)


def release_in(folder: Path) -> Release | None:
    """Return the release that lies whole in a folder, None where there is none."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes()[:4096], type=Release)
    except (OSError, *UNREADABLE):
        return None
