"""The form of STIX 2.1 comparison expressions: text to a tree, with the column of what cannot be read."""

import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from msgspec import Struct

MAX_DEPTH = 50
_CONSTANT = "a constant such as 'text', 7, true or t'2026-03-02T09:10:00Z'"
_NAME = "a name such as __variable__:value or incident:level"
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<literal>[tbh]?'(?:[^'\\]|\\.)*')
      | (?P<path>[A-Za-z_][\w-]*:(?:'(?:[^'\\]|\\.)*'|[A-Za-z_][\w-]*)(?:\.[A-Za-z_][\w-]*|\[\d{1,4}\])*)
      | (?P<number>[+-]?(?:\d+\.\d+|\.\d+|\d+)(?![\w.]))
      | (?P<word>[A-Za-z]+)
      | (?P<sign><=|>=|<>|!=|==|=|<|>|\(|\)|\[|\]|,)""",
    re.VERBOSE,
)
ORDERED = ("=", "==", "!=", "<>", "<", ">", "<=", ">=")
WORDS = ("IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET")

Constant: TypeAlias = str | int | float | bool | datetime


class StixError(ValueError):
    """An expression that cannot be read; the text names the column."""


class Comparison(Struct, frozen=True):
    """A name set against constants: one, or for IN any number."""

    path: str
    operator: str
    constants: tuple[Constant, ...]


class Negation(Struct, frozen=True):
    """The opposite of what it holds."""

    of: "Condition"


class Junction(Struct, frozen=True):
    """All of its parts (`AND`) or one of them (`OR`)."""

    word: str
    parts: tuple["Condition", ...]


Condition: TypeAlias = Comparison | Negation | Junction


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


@lru_cache(maxsize=4096)
def parse(text: str) -> Condition:
    """Read an expression.

    Raises:
        StixError: naming the column, what was found there and what was expected.
    """
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def whole(self) -> Condition:
        condition = self.junction("OR")
        if self.token.kind != "end":
            raise self.unexpected("AND, OR or the end")
        return condition

    def junction(self, word: str) -> Condition:
        below = self.unary if word == "AND" else lambda: self.junction("AND")
        parts = [below()]
        while self.take_word(word):
            parts.append(below())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def unary(self) -> Condition:
        if self.token.text in {"(", "["} or self.token.text.upper() == "NOT":
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self.unexpected(f"at most {MAX_DEPTH} levels")
            condition = self.nested()
            self.depth -= 1
            return condition
        return self.comparison()

    def nested(self) -> Condition:
        if self.take_word("NOT"):
            return Negation(self.unary())
        closing = ")" if self.next().text == "(" else "]"
        condition = self.junction("OR")
        self.expect(closing)
        return condition

    def comparison(self) -> Condition:
        if self.token.kind != "path":
            raise self.unexpected(_NAME)
        path = self.next().text
        negated = self.take_word("NOT")
        operator = self.token.text.upper()
        if operator not in ORDERED and operator not in WORDS:
            raise self.unexpected(f"one of {' '.join((*ORDERED, *WORDS))}")
        self.next()
        constants = self.set() if operator == "IN" else (self.constant(text=operator in WORDS),)
        compared = Comparison(path, operator, constants)
        return Negation(compared) if negated else compared

    def set(self) -> tuple[Constant, ...]:
        self.expect("(")
        constants = [self.constant()]
        while self.token.text == ",":
            self.next()
            constants.append(self.constant())
        self.expect(")")
        return tuple(constants)

    def constant(self, *, text: bool = False) -> Constant:
        token = self.token
        if text and (token.kind != "literal" or not token.text.startswith("'")):
            raise self.unexpected("a text in single quotes")
        if token.kind == "number":
            value: Constant = float(token.text) if "." in token.text else int(token.text)
        elif token.kind == "word" and token.text.lower() in {"true", "false"}:
            value = token.text.lower() == "true"
        elif token.kind == "literal":
            value = self.literal(token)
        else:
            raise self.unexpected(_CONSTANT)
        self.next()
        return value

    def literal(self, token: _Token) -> Constant:
        marker, quoted = token.text[0], token.text[token.text.index("'") + 1 : -1]
        body = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
        try:
            if marker == "t":
                return time_of(body)
            if marker == "h":
                return bytes.fromhex(body).hex()
            return b64decode(body, validate=True).hex() if marker == "b" else body
        except ValueError:
            kinds = {"t": "a time with offset", "h": "hex digits", "b": "base64"}
            raise self.unexpected(kinds[marker]) from None

    def expect(self, sign: str) -> None:
        if self.token.text != sign:
            raise self.unexpected(repr(sign))
        self.next()

    def take_word(self, word: str) -> bool:
        if self.token.kind == "word" and self.token.text.upper() == word:
            self.next()
            return True
        return False

    def next(self) -> _Token:
        token = self.token
        self.at += 1
        return token

    def unexpected(self, expected: str) -> StixError:
        found = "the end" if self.token.kind == "end" else repr(self.token.text)
        return StixError(f"column {self.token.column}: found {found}, expected {expected}")


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise StixError(
                f"column {at + 1}: found {text[at]!r}, expected a name, an operator or a constant"
            )
        if found.lastgroup != "space":
            yield _Token(str(found.lastgroup), found[0], at + 1)
        at = found.end()
    yield _Token("end", "", len(text) + 1)


def time_of(value: object) -> datetime:
    """Return a time with offset.

    Raises:
        ValueError: it is none.
    """
    time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if time.tzinfo is None:
        raise ValueError("a time with offset")
    return time
