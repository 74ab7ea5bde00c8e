"""Conditions in CEL over facts of which some are not known.

CEL has no value for "not known": a missing name is an error. Here a condition is taken apart at ``&&``,
``||`` and ``!``; each comparison between them stays a CEL program of its own and is asked only if every
name in it is known. The parts are put together by Kleene's three-valued logic, which also tells *which*
unknown names the answer hangs on:

    asset.cii && facts.cii_whole_down_minutes >= 60 || facts.loss_yuan >= 5000000

    asset.cii  minutes  loss      answer
    true       90       ?         yes (whatever the loss)
    false      ?        10        no (the minutes do not matter)
    false      ?        ?         not known, hangs on facts.loss_yuan alone
    ?          ?        10        not known, hangs on asset.cii and facts.cii_whole_down_minutes

>>> known = {"asset.cii": False, "level": "III"}
>>> text = "asset.cii && facts.cii_whole_down_minutes >= 60 || facts.loss_yuan >= 5000000"
>>> Condition.parse_yaml(text).decide(known)
Answer(value=None, missing=('facts.loss_yuan',))
>>> Condition.parse_yaml("level in ['I', 'II', 'III'] || incident.crime_suspected").decide(known)
Answer(value=True, missing=())

So learning an unknown fact can never contradict an answer already given. What would break this
(``has()``, macros over whole structures) is refused when the condition is read, and so are misspelt
names, codes and comparisons of unlike kinds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..cel_engine import cel
from .terms import FIGURE, SAMPLES, TERMS, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(
    r"\s*('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|&&|\|\||[!=<>]=|[()\[\]{}!?:<>,]|[^\s()\[\]{}!?:<>,=&|'\"]+|.)"
)
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_RELATIONS = {"==", "!=", "<", "<=", ">", ">=", "in"}
_WORDS = {"in", "true", "false", "null"}
_OPEN, _CLOSE = "([{", ")]}"
_MAX_TOKENS = 400


class Answer(NamedTuple):
    """Yes, no, or ``None``: not known, with the names it hangs on."""

    value: bool | None
    missing: tuple[str, ...] = ()


def both(one: Answer, other: Answer) -> Answer:
    """Whether both hold."""
    if one.value is False or other.value is False:
        return Answer(value=False)
    missing = tuple(dict.fromkeys(one.missing + other.missing))
    return Answer(None if None in {one.value, other.value} else True, missing)


class _Part(Protocol):
    def decide(self, known: Mapping[str, object]) -> Answer: ...


class Condition:
    """A condition over the terms of a case; see the module's docstring."""

    yaml_expectation = "a condition in CEL"
    __slots__ = ("_root", "names", "text")

    def __init__(self, text: str, root: _Part, names: tuple[str, ...]) -> None:
        self.text = text
        self._root = root
        self.names = names

    @classmethod
    def parse_yaml(cls, text: str) -> Condition:
        """Compile a condition.

        Raises:
            ValueError: it is no condition over the known terms; says why.
        """
        try:
            parser = _Parser(text)
            root = parser.whole()
        except ValueError as error:
            raise ValueError(f"{cls.yaml_expectation} ({error})") from None
        return cls(text, root, tuple(dict.fromkeys(parser.names)))

    def decide(self, known: Mapping[str, object]) -> Answer:
        """Answer from the terms that are known, by their dotted names."""
        return self._root.decide(known)

    def __repr__(self) -> str:
        return f"Condition({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


class _Atom:
    __slots__ = ("_names", "_program")

    def __init__(self, text: str, names: tuple[str, ...]) -> None:
        self._names = names
        try:
            self._program = cel().compile(text)
        except ValueError as error:
            raise ValueError(" ".join(str(error).split())) from None

    def decide(self, known: Mapping[str, object]) -> Answer:
        missing = tuple(name for name in self._names if name not in known)
        return Answer(None, missing) if missing else Answer(self.ask(known))

    def ask(self, known: Mapping[str, object]) -> bool:
        context: dict[str, object] = {}
        for name in self._names:
            root, _, field = name.partition(".")
            if field:
                below = context.setdefault(root, {})
                assert isinstance(below, dict)  # noqa: S101 - a term is a leaf or a group, never both
                below[field] = known[name]
            else:
                context[root] = known[name]
        answer = self._program.execute(context)
        if not isinstance(answer, bool):
            raise TypeError(f"answers {answer!r}, not true or false")
        return answer


class _Not(NamedTuple):
    part: _Part

    def decide(self, known: Mapping[str, object]) -> Answer:
        answer = self.part.decide(known)
        return answer if answer.value is None else Answer(not answer.value)


class _Junction(NamedTuple):
    parts: tuple[_Part, ...]
    decisive: bool

    def decide(self, known: Mapping[str, object]) -> Answer:
        """``decisive`` (false for "and", true for "or") settles it; else what is unknown keeps it open."""
        missing: dict[str, None] = {}
        open_parts = False
        for part in self.parts:
            answer = part.decide(known)
            if answer.value is self.decisive:
                return answer
            if answer.value is None:
                open_parts = True
                missing.update(dict.fromkeys(answer.missing))
        return Answer(None, tuple(missing)) if open_parts else Answer(not self.decisive)


class _Parser:
    """Recursive descent over ``||``, ``&&``, ``!`` and parentheses; what lies between them is CEL's."""

    def __init__(self, text: str) -> None:
        self.names: list[str] = []
        self._tokens = [match[1] for match in _TOKEN.finditer(text)]
        self._next = 0
        if not self._tokens:
            raise ValueError("it is empty")
        if len(self._tokens) > _MAX_TOKENS:
            raise ValueError(f"it has more than {_MAX_TOKENS} words")
        self._levels()

    def whole(self) -> _Part:
        return self._any()

    def _levels(self) -> None:
        """Find each bracket's end and refuse deep nesting."""
        self._ends: dict[int, int] = {}
        stack: list[int] = []
        for index, token in enumerate(self._tokens):
            if token in _OPEN:
                stack.append(index)
            elif token in _CLOSE:
                if not stack or _OPEN.index(self._tokens[stack[-1]]) != _CLOSE.index(token):
                    raise ValueError(f"{token!r} closes nothing")
                self._ends[stack.pop()] = index
            if len(stack) > 10:
                raise ValueError("it is nested more than 10 levels deep")
        if stack:
            raise ValueError(f"{self._tokens[stack[-1]]!r} is never closed")

    def _peek(self) -> str | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _any(self) -> _Part:
        parts = [self._all()]
        while self._peek() == "||":
            self._next += 1
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else _Junction(tuple(parts), decisive=True)

    def _all(self) -> _Part:
        parts = [self._negation()]
        while self._peek() == "&&":
            self._next += 1
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else _Junction(tuple(parts), decisive=False)

    def _negation(self) -> _Part:
        if self._peek() != "!":
            return self._primary(negated=False)
        self._next += 1
        if self._peek() == "!":
            raise ValueError("'!' stands twice")
        return _Not(self._primary(negated=True))

    def _primary(self, *, negated: bool) -> _Part:
        end = self._ends.get(self._next)
        if self._peek() == "(" and end is not None and self._after(end) in {None, "&&", "||", ")"}:
            self._next += 1
            part = self._any()
            self._next = end + 1
            return part
        return self._atom(negated=negated)

    def _after(self, index: int) -> str | None:
        return self._tokens[index + 1] if index + 1 < len(self._tokens) else None

    def _atom(self, *, negated: bool) -> _Part:
        start = self._next
        while (token := self._peek()) is not None and token not in {"&&", "||", ")"}:
            if token in {"?", ":", "!"} or (negated and token in _RELATIONS):
                why = (
                    "the comparison after '!' needs parentheses" if negated else f"{token!r} is not used here"
                )
                raise ValueError(why)
            self._next = self._ends.get(self._next, self._next) + 1
        tokens = self._tokens[start : self._next]
        if not tokens:
            raise ValueError(f"something is missing before {self._peek() or 'the end'!r}")
        return _checked_atom(tokens, self.names)


def _checked_atom(tokens: list[str], names: list[str]) -> _Atom:
    here = tuple(dict.fromkeys(token for token in tokens if _NAME.fullmatch(token) and token not in _WORDS))
    for name in here:
        if name not in TERMS and name != FIGURE:
            raise ValueError(f"unknown name {name!r}{nearest(name)}")
    names.extend(here)
    _check_codes(tokens)
    atom = _Atom(" ".join(tokens), here)
    try:
        _check_equality(tokens)
        atom.ask(SAMPLES)
    except (TypeError, RuntimeError, ValueError, KeyError) as error:
        reason = str(error).split(":")[0]
        raise ValueError(f"{' '.join(tokens)!r} does not compare like with like: {reason}") from None
    return atom


def _check_equality(tokens: list[str]) -> None:
    """CEL answers false, and no error, to whether a number equals a text."""
    if len(tokens) == 3 and tokens[1] in {"==", "!="} and tokens[0] in SAMPLES:
        literal = tokens[2]
        text, flag = literal[0] in "'\"", literal in _WORDS
        sample = SAMPLES[tokens[0]]
        if isinstance(sample, str) != text or isinstance(sample, bool) != flag:
            raise TypeError("no such overload")


def _check_codes(tokens: list[str]) -> None:
    """A code that the term can never have would make a condition that is never met."""
    choices = next((TERMS[token].choices for token in tokens if token in TERMS), ())
    for token in tokens if choices else ():
        if token[0] in "'\"" and token[1:-1] not in choices:
            raise ValueError(f"unknown code {token}, expected one of {', '.join(choices)}")
