"""Whether a file came with a package: dpkg writes the list of a package's files when it unpacks them.

A file that is in such a list and changed when the list was written is what the package brought; who
changed it later changed it at another time. Where there is no dpkg, nothing is known to have come so.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

_LISTS = "var/lib/dpkg/info"
_WINDOW = 600.0
_MOST = 10_000
_MAX_LIST = 16 << 20


class Packages:
    """The packages of a host that were unpacked about a time.

    Args:
        root: Where the host's files are.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / _LISTS
        self._lists: list[tuple[float, Path]] | None = None
        self._paths: dict[Path, frozenset[bytes]] = {}

    @property
    def known(self) -> bool:
        """Whether there are lists of packages."""
        self._lists = list(self._written()) if self._lists is None else self._lists
        return bool(self._lists)

    def brought(self, name: str, changed: float) -> bool:
        """Say whether a package that was unpacked about when a file changed (seconds since 1970) has it."""
        path = os.fsencode(name)
        # Where /bin is a link to /usr/bin, lists may name either.
        names = {path, path.removeprefix(b"/usr")}
        near = (one for at, one in self._lists or () if abs(at - changed) <= _WINDOW) if self.known else ()
        return any(not names.isdisjoint(self._of(one)) for one in near)

    def _written(self) -> Iterator[tuple[float, Path]]:
        try:
            with os.scandir(self._folder) as entries:
                for entry in islice((one for one in entries if one.name.endswith(".list")), _MOST):
                    yield entry.stat().st_mtime, Path(entry.path)
        except OSError:
            return

    def _of(self, one: Path) -> frozenset[bytes]:
        if one not in self._paths:
            try:
                with one.open("rb") as file:
                    self._paths[one] = frozenset(file.read(_MAX_LIST).splitlines())
            except OSError:
                self._paths[one] = frozenset()
        return self._paths[one]
