"""Small files replaced whole: after a kill or a power cut there is the old one or the new one.

FILE.new written, fsync -> renamed over FILE -> fsync of the folder, so that the rename stays too

Files of others are opened where they are files, and nothing else.
"""

import os
import stat
from io import FileIO
from pathlib import Path


def replace_file(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Put `content` in the place of the file, durably; `mode`, less the umask: who may open it.

    Raises:
        OSError: nothing changed, the old file stands.
    """
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # one that a kill left has the mode it had then
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_file(path: Path, most: int) -> bytes | None:
    """Return what the file holds, None where there is none.

    Raises:
        OSError: it can't be read, or has more than `most` bytes.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError:
        return None
    if len(content) > most:
        raise OSError(f"{path}: more than {most} bytes")
    return content


def open_regular(path: str | Path) -> FileIO:
    """Open a file to be read, without a buffer.

    Others may put a pipe where a log is looked for: to open it waits until somebody writes, for ever, and
    whoever looks is blind to everything else meanwhile.

    Raises:
        OSError: it is not there, may not be read, or is no regular file.
    """
    file = FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(f"{path}: is no regular file")
    return file
