"""How a release shows that it runs, and what is said of updates to the collector.

The agent that a collector has answered writes the id of its own installation into its state folder; the
updater, another process with other rights, waits for just that id. What became of the last update stands in
the folder of releases, and every heartbeat tells it.
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from wire.codec import UNREADABLE

from ..keeping import read_file, replace_file
from .slots import Release, release_in

ANSWERED = "answered.json"
STANDING = "update.json"
_MOST = 65536
State = Literal["current", "trial", "installed", "rolled_back", "refused"]


class Standing(Struct, frozen=True, kw_only=True):
    """What became of the last update.

    Fields:
        state: `current` nothing newer; `trial` being tried; `installed`; `rolled_back` it did not reach a
            collector; `refused` it could not be installed, or the mirror not be used.
        version: Of which release.
        before: What ran before.
        why: Of a release that is not in use.
        at: When it was written down.
        failed: Versions that were taken back here and are not tried again.
    """

    state: State = "current"
    version: str = ""
    before: str = ""
    why: str = ""
    at: datetime | None = None
    failed: tuple[str, ...] = ()


class Proof:
    """The proof in an agent's state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / ANSWERED

    def read(self) -> str | None:
        """Return the id of the installation that a collector has answered last; None: unreadable or none."""
        try:
            content = read_file(self._path, _MOST)
            return msgspec.json.decode(content, type=Release).installed if content else None
        except (OSError, *UNREADABLE):
            return None

    def give(self, release: Release) -> None:
        """Write down that a collector has answered this installation.

        Raises:
            OSError: the disk did not take it.
        """
        if self.read() != release.installed:
            replace_file(self._path, msgspec.json.encode(release))


def own_release() -> Release | None:
    """Return the release this process runs from; None outside a folder of releases."""
    return release_in(Path(sys.prefix))


def read_standing(folder: Path) -> Standing:
    """Return what became of the last update; nothing is known where the file is missing or damaged."""
    try:
        content = read_file(folder / STANDING, _MOST)
        return msgspec.json.decode(content, type=Standing) if content else Standing()
    except (OSError, *UNREADABLE):
        return Standing()


def write_standing(folder: Path, standing: Standing) -> None:
    """Write down what became of an update, for everybody on the host to read.

    Raises:
        OSError: the disk did not take it.
    """
    replace_file(folder / STANDING, msgspec.json.encode(standing))
    (folder / STANDING).chmod(0o644)
