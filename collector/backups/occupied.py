"""Who works in a state folder: collectors beside each other, a restore alone.

in-use               locked, shared, by every collector for its life, and exclusively by a restore; the
                     kernel lets go of it when a process dies
restore.unfinished   from the moment at which a restore changes what was there until all of it is in place;
                     where it lies, no collector starts
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from wire.codec import UNREADABLE

from ..errors import PermanentError
from ..trust.keeping import write_secret
from . import disk

LOCK, MARK = "in-use", "restore.unfinished"


class Unfinished(Struct, frozen=True, kw_only=True):
    """A restore that was begun: of which backup, and when."""

    backup: str
    begun_at: datetime


@contextmanager
def in_use(state: Path) -> Iterator[None]:
    """Hold a state folder as a collector that runs.

    Raises:
        PermanentError: A restore is at work there, or was cut off.
    """
    with _locked(state, fcntl.LOCK_SH) as got:
        if not got:
            raise PermanentError(f"{state}: a restore is at work here; start when it has ended")
        if (mark := unfinished(state)) is not None:
            raise PermanentError(
                f"{state}: a restore was begun and not finished; "
                f"run it again: fengsui-collector restore {mark.backup}"
            )
        yield


@contextmanager
def exclusively(state: Path) -> Iterator[None]:
    """Hold a state folder alone.

    Raises:
        PermanentError: A collector runs there, or another restore.
    """
    with _locked(state, fcntl.LOCK_EX) as got:
        if not got:
            raise PermanentError(f"{state}: a collector runs here; stop it first")
        yield


@contextmanager
def _locked(state: Path, how: int) -> Iterator[bool]:
    descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def unfinished(state: Path) -> Unfinished | None:
    """Return the restore that was cut off here, if one was."""
    try:
        return msgspec.json.decode((state / MARK).read_bytes(), type=Unfinished)
    except FileNotFoundError:
        return None
    except UNREADABLE as error:
        raise PermanentError(f"{state / MARK}: {error}; restore again") from None


def mark(state: Path, begun: Unfinished) -> None:
    """Say that from now on this folder is neither the old state nor the new one."""
    write_secret(state / MARK, msgspec.json.encode(begun))


def unmark(state: Path) -> None:
    """Say that all is in place."""
    (state / MARK).unlink(missing_ok=True)
    disk.sync(state)
