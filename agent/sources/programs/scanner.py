"""Holds the scanning child by its pipes: a path in, an answer out, and its death when it takes too long."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from wire.codec import UNREADABLE

CHILD = Path(__file__).with_name("yarachild.py")
PYTHON = (sys.executable, "-I")
_START_SECONDS = 60.0
_MAX_ANSWER = 1 << 20


class ScannerError(OSError):
    """The child can't scan: yara-x is absent, it died, or it did not answer in time."""


class Scanner:
    """One child, started with the block and ended with it.

    Attributes:
        errors: Files of rules that could not be compiled, with the reason.
        rules: How many rules hold.
    """

    def __init__(self, rules: Sequence[str], seconds: float, python: Sequence[str] = PYTHON) -> None:
        self._words = [*python, str(CHILD), *rules]
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self.errors: list[tuple[str, str]] = []
        self.rules = 0

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            ScannerError: it can't scan.
        """
        self._child = subprocess.Popen(  # noqa: S603 - our own file and the settings' paths, no shell
            self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        try:
            said = self._answer(_START_SECONDS)
        except ScannerError:
            self.__exit__()
            raise
        if "absent" in said:
            self.__exit__()
            raise ScannerError("yara-x is not installed (fengsui[yara])")
        self.errors = [(str(one["file"]), str(one["why"])) for one in said.get("errors", ())]
        self.rules = int(said.get("rules", 0))
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever it is doing."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                pipe.close()
        child.wait()

    def scan(self, path: str) -> dict[str, Any]:
        """Return the child's answer on a file.

        Raises:
            ScannerError: none in time, or the child is dead.
        """
        if self._child is None or self._child.stdin is None:
            raise ScannerError("the scanner was not started")
        try:
            self._child.stdin.write(json.dumps(path).encode("ascii") + b"\n")
        except OSError as error:
            raise ScannerError(f"the scanner is dead: {error}") from None
        return self._answer(self._seconds)

    def _answer(self, seconds: float) -> dict[str, Any]:
        if self._child is None or self._child.stdout is None:
            raise ScannerError("the scanner was not started")
        descriptor, deadline = self._child.stdout.fileno(), time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise ScannerError(f"no answer within {seconds:g} s")
            piece = os.read(descriptor, 65536)
            if not piece or len(self._rest) > _MAX_ANSWER:
                raise ScannerError("the scanner died")
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return heard(line)


def heard(line: bytes) -> dict[str, Any]:
    """Return a line of the child's.

    Raises:
        ScannerError: it is nonsense.
    """
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except UNREADABLE as error:
        raise ScannerError(f"the scanner answered nonsense: {error}") from None
