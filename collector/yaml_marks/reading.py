"""Text to marked nodes, within limits of size, depth and number (aliases count as what they stand for).

Events are read instead of composed nodes: PyYAML's C composer recurses once a level without a limit, so that
a file of brackets would end the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from .nodes import Mapping, Mark, Mistake, Mistakes, Node, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

Event: TypeAlias = Any  # PyYAML's published types leave out the fields of its events
MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 200_000


def read(text: str, file: str) -> Node:
    """Read one YAML document.

    Args:
        text: the document; an empty one is an empty scalar.
        file: its name, as it shall stand in mistakes.

    Raises:
        Mistakes: it is no YAML, not one document, too large, too deep, has tags, or a key twice.
    """
    root, mistakes = read_on(text, file)
    if mistakes:
        raise Mistakes(mistakes)
    return root


def read_on(text: str, file: str) -> tuple[Node, list[Mistake]]:
    """Read one YAML document as far as it goes, with the mistakes that hide nothing behind them.

    Raises:
        Mistakes: it is no YAML, not one document, too large or too deep; there is nothing to go on with.
    """
    if len(text) > MAX_CHARACTERS:
        raise Mistakes([Mistake(file, 1, 1, "", f"{len(text)} characters", f"at most {MAX_CHARACTERS}")])
    builder = _Builder(file)
    try:
        root = builder.document(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        what = " ".join(filter(None, [error.context, error.problem]))
        builder.mistakes.append(Mistake(file, line, column, "", f"a YAML error ({what})", "valid YAML"))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        found = f"a character that YAML forbids ({error.reason})"
        builder.mistakes.append(Mistake(file, line, 1, "", found, "printable UTF-8 text"))
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        builder.mistakes.append(Mistake(file, line, 1, "", "half a surrogate pair", "printable UTF-8 text"))
    else:
        return root, builder.mistakes
    raise Mistakes(builder.mistakes)


class _Builder:
    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[Mistake] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._nodes = 0

    def document(self, events: Iterator[Event]) -> Node:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    mark = self._mark(event)
                    raise Mistakes([Mistake(*mark, "", "a second document", "one document a file")])
                root, _ = self._node(next(events), events, 1)
        return root if root is not None else Scalar(Mark(self.file, 1, 1), "")

    def _mark(self, event: Event) -> Mark:
        return Mark(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _node(self, event: Event, events: Iterator[Event], depth: int) -> tuple[Node, int]:
        """One node and how many levels it has."""
        mark = self._mark(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(event.anchor), mark, depth)
        before = self._nodes
        self._count(1, depth, mark)
        if event.tag is not None:
            self.mistakes.append(
                Mistake(*mark, "", f"the tag {event.tag}", "no tag: the model knows the type")
            )
        node: Node
        height = 1
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(event_in := next(events), yaml.SequenceEndEvent):
                item, levels = self._node(event_in, events, depth + 1)
                items.append(item)
                height = max(height, levels + 1)
            node = Sequence(mark, tuple(items))
        elif isinstance(event, yaml.MappingStartEvent):
            node, height = self._mapping(mark, events, depth)
        else:
            if "\0" in event.value:
                self.mistakes.append(Mistake(*mark, "", "a zero byte in a text", "text"))
            node = Scalar(mark, event.value, not event.style)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._nodes - before, height)
        return node, height

    def _mapping(self, mark: Mark, events: Iterator[Event], depth: int) -> tuple[Mapping, int]:
        entries: list[tuple[Scalar, Node]] = []
        seen: dict[str, Mark] = {}
        height = 1
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key, _ = self._node(event, events, depth + 1)
            value, levels = self._node(next(events), events, depth + 1)
            height = max(height, levels + 1)
            if not isinstance(key, Scalar):
                self.mistakes.append(Mistake(*key.mark, "", "a list or mapping as a name", "plain text"))
            elif key.text in seen:
                first = seen[key.text].line
                found = f"the name {key.text!r} again (first in line {first})"
                self.mistakes.append(Mistake(*key.mark, key.text, found, "every name once"))
            else:
                seen[key.text] = key.mark
                entries.append((key, value))
        return Mapping(mark, tuple(entries)), height

    def _alias(self, anchor: str, mark: Mark, depth: int) -> tuple[Node, int]:
        if anchor not in self._anchors:
            raise Mistakes([Mistake(*mark, "", f"the alias *{anchor}", "an anchor that stands before it")])
        node, size, height = self._anchors[anchor]
        self._count(size, depth + height - 1, mark)
        return node, height

    def _count(self, nodes: int, depth: int, mark: Mark) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise Mistakes([Mistake(*mark, "", f"more than {MAX_NODES} values", "a smaller file")])
        if depth > MAX_DEPTH:
            raise Mistakes([Mistake(*mark, "", f"more than {MAX_DEPTH} levels", "flatter nesting")])
