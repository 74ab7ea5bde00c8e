"""File names as text that any database, any JSON and any terminal takes, and back: one to one.

A name is bytes and need not be UTF-8. Such a name is written in hex behind a mark; so is a name that begins
like the mark, for else two files could share a name, and one of them hide behind the other.

>>> told(b"index.html".decode()), told(chr(0xdcff) + ".php")
('index.html', 'bytes:ff2e706870')
>>> real(told("a/" + chr(0xdcff))) == "a/" + chr(0xdcff)
True
"""

import os

_MARK = "bytes:"


def told(path: str) -> str:
    """Return a path (as the operating system gives it) as it is told and kept."""
    if path.isascii() and _MARK not in path:
        return path
    return "/".join(map(_told, path.split("/")))


def shown(path: str | os.PathLike[str]) -> str:
    r"""Return a path as people read it; what is no UTF-8 is escaped, and cannot be turned back.

    >>> shown(chr(0xdcff) + ".php")
    '\\xff.php'
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def real(path: str) -> str:
    """Return the operating system's path of one that was told."""
    if _MARK not in path:
        return path
    return "/".join(map(_real, path.split("/")))


def _told(name: str) -> str:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return _MARK + os.fsencode(name).hex()
    return _MARK + os.fsencode(name).hex() if name.startswith(_MARK) else name


def _real(name: str) -> str:
    if not name.startswith(_MARK):
        return name
    try:
        return os.fsdecode(bytes.fromhex(name.removeprefix(_MARK)))
    except ValueError:
        return name
