"""Reads the settings file a command was given, or says in one sentence why it can't."""

import os
from pathlib import Path

from ..errors import PermanentError
from ..settings import Settings, read_settings


def load_settings(path: str) -> Settings:
    """Return the settings of a file.

    Raises:
        PermanentError: the file can't be read.
        Mistakes: every mistake of the file.
    """
    return read_settings(read_text(path), path, os.environ)


def read_text(path: str) -> str:
    """Return a file's text.

    Raises:
        PermanentError: it can't be read, or is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise PermanentError(f"{path}: {reason}; name a settings file with --config FILE") from None
