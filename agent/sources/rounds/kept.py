"""What a source must know after a restart: how far it read, what it counted, what it told.

    STATE_DIR/SOURCE.json    {"version": 1, "kept": {...}}

One policy for all of them. A file that is damaged, too large or of another version is set aside as
`SOURCE.json.damaged`, a `gap` says so and what that costs, and the source begins anew. A disk that refuses
a save ends nothing: the source goes on in memory, and a `gap` says, once an hour, what a restart would cost.
"""

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from wire.codec import UNREADABLE, encode

from ...keeping import read_file, replace_file
from .runs import Runs

MOST_BYTES = 64 * 1024 * 1024
_VERSION = 1
Value = TypeVar("Value", bound=Struct)


class _Form(Struct, Generic[Value]):
    """The file: `version` is that of this form, a change of which an older agent could not read."""

    version: int
    kept: Value


class _Version(Struct):
    version: int


class Kept(Generic[Value]):
    """The kept state of one source.

    Args:
        file: Where it is; None: nothing is kept.
        kind: Its type.
        fresh: Makes that of a first start.
        runs: Tells what could not be read or saved.
        lost: What a file lost costs, in words: "reading on from the end of the log".
        repeated: What a save that failed costs after a restart.
        most: Bytes that the file may have.
    """

    def __init__(
        self,
        file: Path | None,
        kind: type[Value],
        fresh: Callable[[], Value],
        runs: Runs,
        *,
        lost: str,
        repeated: str = "what was told since is told again after a restart",
        most: int = MOST_BYTES,
    ) -> None:
        self._file = file
        self._decoder = msgspec.json.Decoder(_Form[kind])  # type: ignore[valid-type] # a type given at run time
        self._fresh = fresh
        self._runs = runs
        self._lost = lost
        self._repeated = repeated
        self._most = most
        self._on_disk: bytes | None = None

    @property
    def keeps(self) -> bool:
        """Whether there is a file at all."""
        return self._file is not None

    def load(self) -> Value:
        """Return what was saved, or that of a first start."""
        try:
            return self.read() or self._fresh()
        except OSError as error:
            self._set_aside()
            self._runs.note_gap(f"{error}; {self._lost}")
            return self._fresh()

    def read(self) -> Value | None:
        """Return what was saved, None where nothing was; changes nothing.

        Raises:
            OSError: the file can't be read, is damaged, too large, or of another version.
        """
        if self._file is None or (content := read_file(self._file, self._most)) is None:
            return None
        try:
            found = msgspec.json.decode(content, type=_Version).version
            if found != _VERSION:
                raise OSError(f"{self._file}: found version {found}, expected {_VERSION}")
            form: _Form[Value] = self._decoder.decode(content)
        except UNREADABLE as error:
            raise OSError(f"{self._file}: {error}") from None
        return form.kept

    def save(self, value: Value) -> None:
        """Replace the file, unless it holds the same; where that fails the old one stands, and it is told."""
        if self._file is None:
            return
        content = encode(_Form(_VERSION, value))
        digest = sha256(content).digest()
        if digest == self._on_disk:
            return
        try:
            if len(content) > self._most:
                raise OSError(f"found {len(content)} bytes to save, expected at most {self._most}")  # noqa: TRY301 - one way to tell both
            replace_file(self._file, content)
            self._on_disk = digest
        except OSError as error:
            self._runs.note_seldom(f"{self._file} could not be saved: {error}; {self._repeated}")

    def _set_aside(self) -> None:
        if self._file:
            with suppress(OSError):  # then the next save replaces it
                self._file.replace(self._file.with_name(f"{self._file.name}.damaged"))
