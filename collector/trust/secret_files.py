"""Secrets that operators put into files of their own: keys for signing, passwords of gateways."""

import os
import stat
from pathlib import Path

from ..errors import PermanentError

MAX_BYTES = 4096
_OTHERS = stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP


def read_secret(path: str) -> bytes:
    """Return a secret file's content without the white space around it.

    Raises:
        PermanentError: It cannot be read, is empty, too long, or open to everybody on the host.
    """
    content = _read(Path(path))
    secret = content.strip()
    if not secret or len(content) > MAX_BYTES:
        raise PermanentError(
            f"{path}: secret: found {len(content)} bytes, expected 1 to {MAX_BYTES} besides white space"
        )
    return secret


def read_secret_bytes(file: Path, length: int) -> bytes:
    """Return the content of a secret file that we made, of a fixed length.

    Raises:
        PermanentError: It cannot be read, has another length, or is open to everybody on the host.
    """
    content = _read(file)
    if len(content) != length:
        raise PermanentError(f"{file}: secret: found {len(content)} bytes, expected {length}")
    return content


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise PermanentError(f"{file}: secret: {error.strerror}") from None
    if mode & _OTHERS:
        raise PermanentError(
            f"{file}: secret: found mode {stat.S_IMODE(mode):04o}, "
            "expected one that others cannot read: chmod 0600"
        )
    return content
