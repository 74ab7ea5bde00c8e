r"""A settings file to settings: YAML nodes keep their places, scalars are typed by the structs alone.

>>> from agent.settings import SettingsError, read
>>> try:
...     read("metrics:\n  listn: 0\nheartbeat_seconds: often\n", "agent.yaml", {})
... except SettingsError as error:
...     print(error)
agent.yaml:2:3: metrics.listn: found an unknown field, expected one of listen; did you mean listen?
agent.yaml:3:20: heartbeat_seconds: found 'often', expected a number
"""

import difflib
import math
import re
import types
from collections.abc import Collection, Mapping
from typing import Annotated, Any, NamedTuple, TypeAlias, Union, get_args, get_origin

import msgspec
import yaml

from ..phrasebook import in_language
from .model import Settings, objections

Kind: TypeAlias = Any  # a class or a typing form; the language has no annotation for both
_MAX_CHARACTERS = 1_000_000
_MAX_DEPTH = 30
_WORDS: dict[Any, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


class Mistake(NamedTuple):
    """One mistake of a file and where it stands, both counted from 1."""

    file: str
    line: int
    column: int
    path: str
    found: str
    expected: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: "
        return where + self._said

    def in_language(self, language: str) -> str:
        """Return it in a language, behind the place that editors open."""
        return f"{self.file}:{self.line}:{self.column}: {in_language(self._said, language)}"

    @property
    def _said(self) -> str:
        return f"{self.path + ': ' if self.path else ''}found {self.found}, expected {self.expected}"


class SettingsError(ValueError):
    """A settings file with mistakes; all of them, in the order of the file."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = sorted(mistakes, key=lambda mistake: mistake[1:4])
        super().__init__("\n".join(map(str, self.mistakes)))

    def in_language(self, language: str) -> str:
        """Return them in a language, a line each."""
        return "\n".join(mistake.in_language(language) for mistake in self.mistakes)


def read(text: str, file: str, kinds: Mapping[str, Kind], hidden: Collection[str] = frozenset()) -> Settings:
    """Return the settings of a YAML text.

    Args:
        text: The file's text; an empty one means every default.
        file: Its name, for mistakes.
        kinds: What stands at those fields of `Settings` that leave it open.
        hidden: Paths of fields that a file may not give.

    Raises:
        SettingsError: every mistake of the text.
    """
    reader = _Reader(file, hidden)
    # Every field has a default, so what is right can be looked at together although something is wrong.
    settings = Settings(**reader.fields(reader.parse(text), Settings, "", kinds))
    for path, found, expected in objections(settings):
        reader.object(path, found, expected)
    reader.stop_if_wrong()
    return settings


class _Unusable(Exception):  # noqa: N818 - control flow inside this file: the mistake is already noted
    pass


class _Reader:
    def __init__(self, file: str, hidden: Collection[str]) -> None:
        self._file = file
        self._hidden = hidden
        self._mistakes: list[Mistake] = []
        self._places: dict[str, Any] = {}
        self._moved: dict[str, str] = {}

    def stop_if_wrong(self) -> None:
        if self._mistakes:
            raise SettingsError(self._mistakes)

    def object(self, path: str, found: str, expected: str) -> None:
        for now, written in self._moved.items():
            if path == now or path.startswith(f"{now}."):
                path = written + path.removeprefix(now)
                break
        if path in self._places:
            self._note(self._places[path], path, found, expected)

    def _note(self, mark: Any, path: str, found: str, expected: str) -> _Unusable:  # noqa: ANN401 - PyYAML's mark
        self._mistakes.append(Mistake(self._file, mark.line + 1, mark.column + 1, path, found, expected))
        return _Unusable()

    def parse(self, text: str) -> yaml.MappingNode:
        """Compose the one document of a text, after a look at its depth: the C composer has no limit."""
        if len(text) > _MAX_CHARACTERS:
            raise SettingsError(
                [Mistake(self._file, 1, 1, "", f"{len(text)} characters", f"at most {_MAX_CHARACTERS}")]
            )
        try:
            self._check_depth(text)
            root: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = f"{error.context or ''} {error.problem or ''}".strip()
            raise self._broken(mark, f"a YAML error ({what})") from None
        except yaml.YAMLError as error:
            raise self._broken(None, f"a YAML error ({error})") from None
        if root is None:
            return yaml.MappingNode("", [], yaml.Mark("", 0, 0, 0, None, 0))
        if not isinstance(root, yaml.MappingNode):
            raise self._broken(root.start_mark, "no mapping")
        return root

    def _broken(self, mark: Any, what: str) -> SettingsError:  # noqa: ANN401 - PyYAML's mark or None
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return SettingsError([Mistake(self._file, line, column, "", what, "one YAML mapping of settings")])

    def _check_depth(self, text: str) -> None:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                raise self._broken(event.start_mark, f"more than {_MAX_DEPTH} levels")
            if isinstance(event, yaml.AliasEvent):
                raise self._broken(event.start_mark, f"the alias *{event.anchor}")

    def fields(
        self, node: yaml.MappingNode, kind: type[msgspec.Struct], path: str, instead: Mapping[str, Kind]
    ) -> dict[str, Any]:
        """Return the fields a mapping gives; `instead` names other kinds for some of them."""
        known = {
            field.encode_name: field
            for field in msgspec.structs.fields(kind)
            if (f"{path}.{field.encode_name}" if path else field.encode_name) not in self._hidden
        }
        values: dict[str, Any] = {}
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            here = f"{path}.{name}" if path else name
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self._note(
                    key.start_mark, here, "an unknown field", f"one of {', '.join(sorted(known))}{hint}"
                )
            elif name in seen:
                self._note(key.start_mark, here, "the field again", "each field once")
            else:
                seen.add(name)
                try:
                    values[name] = self.value(value, instead.get(name, known[name].type), here)
                except _Unusable:
                    continue
        for name, field in known.items():
            if field.required and name not in seen:
                here = f"{path}.{name}" if path else name
                self._note(node.start_mark, here, "nothing", _words(field.type))
        return values

    def value(self, node: yaml.Node, kind: Kind, path: str) -> Any:  # noqa: ANN401 - what `kind` says
        self._places[path] = node.start_mark
        inner = _strip(kind)
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            return self._struct(node, inner, path)
        origin: Any = get_origin(inner)
        if origin in {tuple, list, frozenset}:
            return self._items(node, inner, path)
        if origin is dict:
            return self._dict(node, inner, path)
        return self._scalar(node, kind, path)

    def _struct(self, node: yaml.Node, kind: type[msgspec.Struct], path: str) -> msgspec.Struct:
        if not isinstance(node, yaml.MappingNode):
            raise self._note(node.start_mark, path, _describe(node), "a mapping")
        before = len(self._mistakes)
        values = self.fields(node, kind, path, {})
        if len(self._mistakes) > before:
            raise _Unusable
        try:
            return kind(**values)
        except ValueError as error:
            raise self._note(node.start_mark, path, "values that do not fit together", str(error)) from None

    def _items(self, node: yaml.Node, kind: Kind, path: str) -> Any:  # noqa: ANN401 - what `kind` says
        if not isinstance(node, yaml.SequenceNode):
            raise self._note(node.start_mark, path, _describe(node), "a list")
        found: list[Any] = []
        for number, item in enumerate(node.value):
            try:
                made = self.value(item, get_args(kind)[0], f"{path}[{number}]")
            except _Unusable:
                continue
            # Behind one that is left out an item has another number than in the file.
            self._moved[f"{path}[{len(found)}]"] = f"{path}[{number}]"
            found.append(made)
        origin: Any = get_origin(kind)
        return origin(found)

    def _dict(self, node: yaml.Node, kind: Kind, path: str) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise self._note(node.start_mark, path, _describe(node), "a mapping")
        found = {}
        for key, item in node.value:
            try:
                found[str(key.value)] = self.value(item, get_args(kind)[1], f"{path}.{key.value}")
            except _Unusable:
                continue
        return found

    def _scalar(self, node: yaml.Node, kind: Kind, path: str) -> Any:  # noqa: ANN401 - what `kind` says
        if not isinstance(node, yaml.ScalarNode):
            raise self._note(node.start_mark, path, _describe(node), _words(kind))
        empty = not node.style and node.value in {"", "~", "null"}
        if empty and type(None) in get_args(kind):
            return None
        if empty:
            raise self._note(node.start_mark, path, "nothing", _words(kind))
        if "\0" in node.value:
            raise self._note(node.start_mark, path, "a zero byte", "text")
        try:
            found = msgspec.convert(node.value, kind, strict=False)
        except ValueError as error:
            raise self._note(node.start_mark, path, _describe(node), _words(kind, str(error))) from None
        if isinstance(found, float) and not math.isfinite(found):
            raise self._note(node.start_mark, path, _describe(node), _words(kind))
        return found


def _strip(kind: Kind) -> Kind:
    """Return the kind without its bounds and without the possibility of nothing."""
    origin: Any = get_origin(kind)
    if origin is Annotated:
        return _strip(get_args(kind)[0])
    if origin in {Union, types.UnionType}:
        rest = [part for part in get_args(kind) if part is not type(None)]
        return _strip(rest[0]) if len(rest) == 1 else kind
    return kind


def _describe(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return repr(node.value[:80]) if node.value else "nothing"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"


def _words(kind: Kind, told: str = "") -> str:
    """Say what a kind takes; `told` is msgspec's own sentence, which knows the bounds."""
    inner = _strip(kind)
    choices = get_args(inner)
    if choices and all(isinstance(choice, str) for choice in choices):
        return f"one of {', '.join(choices)}"
    if "Expected" in told and re.search("[<>=]|matching|length", told):
        return told.removeprefix("Expected ").split(" - at ")[0]
    return _WORDS.get(inner, "a mapping" if isinstance(inner, type) else str(inner))
