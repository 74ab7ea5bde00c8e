"""Files that are replaced whole: after a kill or a power cut there is the old one or the new one.

FILE.new written, fsync -> renamed over FILE -> fsync of the folder, so that the rename stays too
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Give what is written in the place of the file; where the block raises, the old one stands.

    Args:
        path: The file.
        mode: Who may read it, besides what the process's umask takes away.

    Raises:
        OSError: Nothing changed.
    """
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, complete or not at all, surviving a power cut."""
    with replacing(path, 0o600) as file:
        file.write(content)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time look and make: `token create` may run before, or beside, the first `run`."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
