"""Marked nodes of a YAML text, and the mistakes found in it."""

from __future__ import annotations

import re
from typing import ClassVar, NamedTuple, TypeAlias

_STEP = re.compile(r"\[(\d+)\]|\.?([^.\[\]]+)")


class Mark(NamedTuple):
    """Where something stands: file name as the user gave it, line and column from 1."""

    file: str
    line: int
    column: int


class Mistake(NamedTuple):
    """One mistake of a file: where it stands, what was found there and what was expected.

    Prints as ``FILE:LINE:COL: path: found …, expected …``, which editors open.
    """

    file: str
    line: int
    column: int
    path: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.sentence}"

    @property
    def sentence(self) -> str:
        """The mistake without its place in the file."""
        return f"{self.path or '$'}: found {self.found}, expected {self.expected}"

    @property
    def with_line(self) -> str:
        """The mistake as ``FILE:LINE: path: found …, expected …``, the form of a case's mistakes."""
        return f"{self.file}:{self.line}: {self.sentence}"


class Mistakes(ValueError):  # noqa: N818 - it is a list of mistakes, in their order in the file
    """Every mistake of one or several files; permanent, a retry will not help.

    ``columns``: whether people are told the column beside the line.
    """

    columns: ClassVar[bool] = True

    def __init__(self, mistakes: tuple[Mistake, ...] | list[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class Scalar(NamedTuple):
    """A single value, still text. ``plain`` is false where it was quoted or a block."""

    mark: Mark
    text: str
    plain: bool = True

    @property
    def empty(self) -> bool:
        """Whether this stands for "nothing": an absent value, ``~`` or ``null``."""
        return self.plain and self.text in {"", "~", "null"}

    def mistake(self, path: str, found: str, expected: str) -> Mistake:
        """A mistake at the place of ``path`` below this node."""
        return mistake_at(self, path, found, expected)


class Sequence(NamedTuple):
    """A list of nodes."""

    mark: Mark
    items: tuple[Node, ...]

    def mistake(self, path: str, found: str, expected: str) -> Mistake:
        """A mistake at the place of ``path`` below this node."""
        return mistake_at(self, path, found, expected)


class Mapping(NamedTuple):
    """Named nodes, in the order of the file; no name stands twice."""

    mark: Mark
    entries: tuple[tuple[Scalar, Node], ...]

    def get(self, name: str) -> Node | None:
        """The node under a name."""
        return next((value for key, value in self.entries if key.text == name), None)

    def key(self, name: str) -> Scalar | None:
        """The key node of a name, for its place."""
        return next((key for key, _ in self.entries if key.text == name), None)

    def mistake(self, path: str, found: str, expected: str) -> Mistake:
        """A mistake at the place of ``path`` below this node."""
        return mistake_at(self, path, found, expected)


Node: TypeAlias = Scalar | Sequence | Mapping


def mistake_at(node: Node, path: str, found: str, expected: str) -> Mistake:
    """A mistake at the deepest node that ``path`` (``stages[0].id``) reaches below ``node``."""
    return Mistake(*_locate(node, path).mark, path, found, expected)


def _locate(node: Node, path: str) -> Node:
    for index, name in _STEP.findall(path):
        below: Node | None = None
        if index and isinstance(node, Sequence) and int(index) < len(node.items):
            below = node.items[int(index)]
        elif name and isinstance(node, Mapping):
            below = node.get(name)
        if below is None:
            return node
        node = below
    return node
