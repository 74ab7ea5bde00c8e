"""Marked nodes to typed values: one small reader a kind of type, each naming what it expected."""

from __future__ import annotations

import dataclasses
import difflib
import enum
import re
import types
from datetime import date, datetime, timedelta
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from . import scalars
from .nodes import Mapping, Mistake, Mistakes, Node, Scalar, Sequence
from .reading import read_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    _Reader: TypeAlias = Callable[[Node, "Kind", str], "Value"]

T = TypeVar("T")
Kind: TypeAlias = Any  # a class or a typing form: the language has no annotation that covers both
Value: TypeAlias = Any  # what a kind's own fields then type

_SCALARS: dict[Any, Callable[[str], Any]] = {
    int: scalars.parse_int,
    float: scalars.parse_float,
    bool: scalars.parse_bool,
    datetime: scalars.parse_time,
    date: scalars.parse_date,
    timedelta: scalars.parse_duration,
}
_QUOTED = {datetime, date, timedelta}
_ARTICLES = {Mapping: "a mapping", Sequence: "a list", Scalar: "a single value"}
_BOUNDS: tuple[tuple[str, str, Callable[[Any, Any], bool]], ...] = (
    ("ge", "at least {}", lambda value, bound: value >= bound),
    ("gt", "more than {}", lambda value, bound: value > bound),
    ("le", "at most {}", lambda value, bound: value <= bound),
    ("lt", "less than {}", lambda value, bound: value < bound),
    ("min_length", "a length of at least {}", lambda value, bound: len(value) >= bound),
    ("max_length", "a length of at most {}", lambda value, bound: len(value) <= bound),
    ("pattern", "text like {}", lambda value, bound: re.search(bound, value) is not None),
)


class _Unusable(Exception):  # noqa: N818 - control flow inside this file: the mistake is already noted
    pass


class _Field(NamedTuple):
    name: str
    attribute: str
    type: Any
    required: bool


def load(text: str, file: str, kind: type[T]) -> T:
    """Read a text and decode it.

    Raises:
        Mistakes: every mistake of the text; a name that stands twice hides no other.
    """
    return load_marked(text, file, kind)[0]


def load_marked(text: str, file: str, kind: type[T]) -> tuple[T, Node]:
    """Read a text and decode it; also returns its tree, for checks across fields.

    Raises:
        Mistakes: every mistake of the text; a name that stands twice hides no other.
    """
    root, mistakes = read_on(text, file)
    try:
        value = decode(root, kind)
    except Mistakes as error:
        raise Mistakes([*mistakes, *error.mistakes]) from None
    if mistakes:
        raise Mistakes(mistakes)
    return value, root


def decode(node: Node, kind: type[T], path: str = "") -> T:
    """Turn a marked node into a value of ``kind``.

    Args:
        node: what ``read`` gave, or a part of it.
        kind: the model (see the package's docstring for what it may be made of).
        path: where ``node`` stands, as mistakes shall name it.

    Raises:
        Mistakes: every mistake below the node.
    """
    decoder = _Decoder()
    try:
        value: T = decoder.value(node, kind, path)
    except _Unusable:
        raise Mistakes(decoder.mistakes) from None
    if decoder.mistakes:
        raise Mistakes(decoder.mistakes)
    return value


class _Decoder:
    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def refuse(self, node: Node, path: str, found: str, expected: str) -> _Unusable:
        self.mistakes.append(Mistake(*node.mark, path, found, expected))
        return _Unusable()

    def value(self, node: Node, kind: Kind, path: str) -> Value:
        origin = _origin(kind)
        if origin in {Union, types.UnionType} and kind != Node:
            return self._union(node, get_args(kind), path)
        reader: _Reader | None = {
            Annotated: self._bounded,
            list: self._items,
            tuple: self._items,
            frozenset: self._items,
            dict: self._dict,
        }.get(origin)
        if reader is None and kind is not Any:
            reader = self._unparametrised(kind)
        return reader(node, kind, path) if reader is not None else _plain(node)

    def _unparametrised(self, kind: Kind) -> _Reader:
        if kind == Node or kind in {Mapping, Sequence, Scalar}:
            return self._node
        structured = isinstance(kind, type) and (
            issubclass(kind, msgspec.Struct) or dataclasses.is_dataclass(kind)
        )
        return self._struct if structured and not hasattr(kind, "parse_yaml") else self._scalar

    def _node(self, node: Node, kind: Kind, path: str) -> Node:
        if kind != Node and not isinstance(node, kind):
            raise self.refuse(node, path, _describe(node), _ARTICLES[kind])
        return node

    def _scalar(self, node: Node, kind: Kind, path: str) -> Value:
        expected = expectation(kind)
        if not isinstance(node, Scalar) or (node.empty and kind is not type(None)):
            raise self.refuse(node, path, _describe(node), expected)
        if kind is str:
            return node.text
        if _origin(kind) is Literal:
            return self._choice(node, {str(choice): choice for choice in get_args(kind)}, path)
        if issubclass(kind, enum.Enum):
            return self._choice(node, {str(choice.value): choice for choice in kind}, path)
        parse = getattr(kind, "parse_yaml", None) or _SCALARS.get(kind)
        if parse is None:
            raise TypeError(f"{kind!r} has no reading as YAML; see collector/yaml_marks/__init__.py")
        if kind in _SCALARS and kind not in _QUOTED and not node.plain:
            raise self.refuse(node, path, f"the quoted text {node.text!r}", expected)
        try:
            return parse(node.text)
        except ValueError as error:
            raise self.refuse(node, path, _describe(node), str(error)) from None

    def _choice(self, node: Scalar, choices: dict[str, Value], path: str) -> Value:
        if node.text in choices:
            return choices[node.text]
        raise self.refuse(node, path, _describe(node), _one_of(choices, node.text))

    def _bounded(self, node: Node, kind: Kind, path: str) -> Value:
        inner, *notes = get_args(kind)
        before = len(self.mistakes)
        value = self.value(node, inner, path)
        for note in notes if len(self.mistakes) == before else ():
            for name, words, holds in _BOUNDS:
                bound = getattr(note, name, None)
                if bound is not None and not holds(value, bound):
                    raise self.refuse(node, path, _describe(node), words.format(bound))
        return value

    def _union(self, node: Node, kinds: tuple[Any, ...], path: str) -> Value:
        if isinstance(node, Scalar) and node.empty and type(None) in kinds:
            return None
        rest = [kind for kind in kinds if kind is not type(None)]
        if len(rest) == 1:
            return self.value(node, rest[0], path)
        if isinstance(node, Mapping) and (tagged := [kind for kind in rest if _tag(kind)]):
            return self._tagged(node, tagged, path)
        for kind in rest:
            attempt = _Decoder()
            try:
                value = attempt.value(node, kind, path)
            except _Unusable:
                continue
            if not attempt.mistakes:
                return value
        raise self.refuse(node, path, _describe(node), " or ".join(expectation(kind) for kind in rest))

    def _tagged(self, node: Mapping, kinds: list[Any], path: str) -> Value:
        field = kinds[0].__struct_config__.tag_field
        by_tag = {str(kind.__struct_config__.tag): kind for kind in kinds}
        tag = node.get(field)
        if not isinstance(tag, Scalar):
            raise self.refuse(tag or node, _join(path, field), _describe(tag), _one_of(by_tag))
        kind = self._choice(tag, by_tag, _join(path, field))
        return self._struct(node, kind, path)

    def _items(self, node: Node, kind: Kind, path: str) -> Value:
        if not isinstance(node, Sequence):
            raise self.refuse(node, path, _describe(node), "a list")
        inner = get_args(kind)[0]
        values = []
        for index, item in enumerate(node.items):
            try:
                values.append(self.value(item, inner, f"{path}[{index}]"))
            except _Unusable:
                continue
        origin = _origin(kind)
        return origin(values)

    def _dict(self, node: Node, kind: Kind, path: str) -> dict[str, Value]:
        if not isinstance(node, Mapping):
            raise self.refuse(node, path, _describe(node), "a mapping")
        inner = get_args(kind)[1]
        values = {}
        for key, item in node.entries:
            try:
                values[key.text] = self.value(item, inner, _join(path, key.text))
            except _Unusable:
                continue
        return values

    def _struct(self, node: Node, kind: Kind, path: str) -> Value:
        if not isinstance(node, Mapping):
            raise self.refuse(node, path, _describe(node), "a mapping")
        fields = fields_of(kind)
        before = len(self.mistakes)
        values = self._values(node, kind, path)
        for field in fields.values():
            if field.required and node.get(field.name) is None:
                self.refuse(node, _join(path, field.name), "nothing", expectation(field.type))
        if len(self.mistakes) > before:
            raise _Unusable
        try:
            return kind(**values)
        except ValueError as error:
            raise self.refuse(node, path, "values that do not fit together", str(error)) from None

    def _values(self, node: Mapping, kind: Kind, path: str) -> dict[str, Value]:
        fields = fields_of(kind)
        values = {}
        for key, item in node.entries:
            field = fields.get(key.text)
            if field is None:
                if key.text != _tag(kind):
                    found = f"an unknown field {key.text!r}"
                    self.refuse(key, _join(path, key.text), found, _one_of(sorted(fields), key.text))
            elif field.required or not _left_out(item, field.type):
                try:
                    values[field.attribute] = self.value(item, field.type, _join(path, key.text))
                except _Unusable:
                    continue
        return values


@cache
def fields_of(kind: Kind) -> dict[str, _Field]:
    """The fields of a struct or dataclass by the name under which a file gives them."""
    if issubclass(kind, msgspec.Struct):
        return {
            field.encode_name: _Field(field.encode_name, field.name, field.type, field.required)
            for field in msgspec.structs.fields(kind)
        }
    hints = get_type_hints(kind, include_extras=True)
    missing = dataclasses.MISSING
    return {
        field.name: _Field(
            field.name,
            field.name,
            hints[field.name],
            field.default is missing and field.default_factory is missing,
        )
        for field in dataclasses.fields(kind)
        if field.init
    }


_WORDS: dict[Kind, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    datetime: "a time with offset such as 2026-03-02T09:10:00+08:00",
    date: "a day such as 2026-03-02",
    timedelta: "a duration such as 60m",
    list: "a list",
    tuple: "a list",
    frozenset: "a list",
}


def expectation(kind: Kind) -> str:
    """What a type reads, in a person's words."""
    origin = _origin(kind)
    if origin is Annotated:
        return expectation(get_args(kind)[0])
    if origin in {Union, types.UnionType}:
        return " or ".join(expectation(part) for part in get_args(kind) if part is not type(None))
    if origin is Literal:
        return _one_of(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _one_of(choice.value for choice in kind)
    said: str = getattr(kind, "yaml_expectation", "a value" if hasattr(kind, "parse_yaml") else "a mapping")
    return _WORDS.get(origin or kind, said)


def _origin(kind: Kind) -> Kind:
    return get_origin(kind)


def _tag(kind: Kind) -> str | None:
    config = getattr(kind, "__struct_config__", None)
    return config.tag_field if config is not None and config.tag is not None else None


def _left_out(item: Node, kind: Kind) -> bool:
    """A name with nothing after it is as good as left out, unless nothing is a value of its own."""
    takes_none = kind is Any or kind is type(None) or type(None) in get_args(kind)
    return isinstance(item, Scalar) and item.empty and not takes_none


def _describe(node: Node | None) -> str:
    if node is None or (isinstance(node, Scalar) and node.empty):
        return "nothing"
    if not isinstance(node, Scalar):
        return _ARTICLES[type(node)]
    return repr(node.text if len(node.text) <= 60 else node.text[:57] + "...")


def _one_of(names: Iterable[object], near: str | None = None) -> str:
    choices = [str(name) for name in names]
    close = difflib.get_close_matches(near, choices, n=1) if near is not None else []
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return (f"one of {', '.join(choices)}" if choices else "no field at all") + hint


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _plain(node: Node) -> Value:
    if isinstance(node, Scalar):
        return None if node.empty else node.text
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    return {key.text: _plain(value) for key, value in node.entries}
