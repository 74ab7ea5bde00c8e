"""Conditions of CACAO playbooks: STIX 2.1 comparison expressions over what a run knows.

A comparison sets a name against constants; AND binds closer than OR, NOT stands before an operator, a
comparison or a parenthesis. `__page__:value` is the run's variable `page`; `incident:level`, `run:drill` and
`incident:facts.reposts` are what CEL conditions call `incident.level` and so on::

    __sev__:value >= 7 AND (__host__:value LIKE 'web-%' OR __ip__:value ISSUBSET '10.0.0.0/8')

What is missing, or cannot be compared, is `Unknown`; it only matters where it decides. MATCHES runs in the
linear-time engine of the CEL library, so no pattern can make it slow; what that engine does not have
(look-around, back-references) is unknown, and a person decides.

>>> decide("__sev__:value >= 7 OR __page__:value = 'x'", {"vars": {"sev": 9}})
True
>>> decide("__page__:value = 'x'", {"vars": {}})
Unknown(why='__page__:value is not known')
>>> syntax_error("__sev__:value >= ")
"column 18: found the end, expected a constant such as 'text', 7, true or t'2026-03-02T09:10:00Z'"
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_network
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from ..cel_engine import cel
from .stix_grammar import ORDERED, Comparison, Condition, Constant, Negation, StixError, parse, time_of
from .truth import Truth, Unknown, both, either, negation

MAX_PATTERN = 1_000
_STEP = re.compile(r"\.?([\w-]+)|\[(\d+)\]")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = dict(
    zip(ORDERED, (eq, eq, ne, ne, lt, gt, le, ge), strict=True)
)


def syntax_error(text: str) -> str | None:
    """Return what is wrong with an expression's form; None where it can be evaluated."""
    try:
        parse(text)
    except StixError as error:
        return str(error)
    return None


def decide(text: str, scope: Mapping[str, Any]) -> Truth:
    """Evaluate an expression; what cannot be read, found or compared is unknown."""
    try:
        condition = parse(text)
    except StixError as error:
        return Unknown(f"{text}: {error}")
    return _truth(condition, scope)


def variables_of(text: str) -> frozenset[str]:
    """Return the run's variables that an expression names; none where it cannot be read."""
    try:
        paths = _paths(parse(text))
    except StixError:
        return frozenset()
    return frozenset(name for path in paths if (name := variable_of(path)) is not None)


def variable_of(path: str) -> str | None:
    """Return the variable that a path such as `__page__:value` names; None where it names none.

    >>> variable_of("__page-url__:value")
    'page_url'
    """
    found = re.fullmatch(r"__([A-Za-z_][\w-]*?)__(?::value)?", path)
    return found[1].replace("-", "_") if found else None


def _paths(condition: Condition) -> Iterator[str]:
    if isinstance(condition, Comparison):
        yield condition.path
    elif isinstance(condition, Negation):
        yield from _paths(condition.of)
    else:
        for part in condition.parts:
            yield from _paths(part)


def _truth(condition: Condition, scope: Mapping[str, Any]) -> Truth:
    if isinstance(condition, Negation):
        return negation(_truth(condition.of, scope))
    if isinstance(condition, Comparison):
        return _compared(condition, scope)
    result: Truth = condition.word == "AND"
    for part in condition.parts:
        result = (both if condition.word == "AND" else either)(result, _truth(part, scope))
    return result


def _compared(condition: Comparison, scope: Mapping[str, Any]) -> Truth:
    value = _found(condition.path, scope)
    if value is None:
        return Unknown(f"{condition.path} is not known")
    if condition.operator == "IN":
        answer: Truth = False
        for constant in condition.constants:
            answer = either(answer, _ordered(condition.path, value, "=", constant))
        return answer
    constant = condition.constants[0]
    if condition.operator in _COMPARE:
        return _ordered(condition.path, value, condition.operator, constant)
    if not isinstance(value, str):
        return Unknown(f"{condition.path}: {value!r} is no text")
    return _TEXTUAL[condition.operator](value, str(constant))


def _found(path: str, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a run's values are any
    variable = variable_of(path)
    if variable is not None:
        return scope.get("vars", {}).get(variable)
    root, _, rest = path.partition(":")
    found: Any = scope.get(root) if root in {"incident", "run"} else None
    for name, index in _STEP.findall(rest.replace("'", "")):
        if isinstance(found, list) and index and int(index) < len(found):
            found = found[int(index)]
        else:
            found = found.get(name) if isinstance(found, Mapping) and name else None
    return found


def _ordered(path: str, value: object, operator: str, constant: Constant) -> Truth:
    """Compare as what the value is; a constant is read as that where it can be."""
    read = _read_as(value, constant)
    if read is None or (isinstance(value, bool) and operator not in {"=", "==", "!=", "<>"}):
        return Unknown(f"{path}: {value!r} {operator} {constant!r} cannot be compared")
    return _COMPARE[operator](*read)


def _read_as(value: object, constant: Constant) -> tuple[Any, Any] | None:
    try:
        if isinstance(value, bool) or isinstance(constant, bool):
            pair = _boolean(value), _boolean(constant)
            return pair if None not in pair else None
        if isinstance(constant, datetime) or isinstance(value, datetime):
            return time_of(value), time_of(constant)
        if isinstance(value, int | float) or isinstance(constant, int | float):
            return _number(value), _number(constant)
    except (TypeError, ValueError, OverflowError):
        return None
    return (value, constant) if isinstance(value, str) else None


def _number(value: object) -> int | float:
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError("a number")
    return float(value) if "." in value else int(value)


def _boolean(value: object) -> bool | None:
    return {"true": True, "false": False}.get(str(value).lower())


def _like(value: str, pattern: str) -> Truth:
    """`%` stands for any text, `_` for one character; a greedy walk, so its cost is bounded."""
    at, star, mark, position = 0, -1, 0, 0
    while position < len(value):
        if at < len(pattern) and pattern[at] == "%":
            star, mark, at = at, position, at + 1
        elif at < len(pattern) and pattern[at] in {"_", value[position]}:
            at, position = at + 1, position + 1
        elif star >= 0:
            at, mark = star + 1, mark + 1
            position = mark
        else:
            return False
    return not pattern[at:].strip("%")


@lru_cache(maxsize=1)
def _matcher() -> Any:  # noqa: ANN401 - the library's class is not exported
    return cel().compile("text.matches(pattern)")


def _matches(value: str, pattern: str) -> Truth:
    if len(pattern) > MAX_PATTERN:
        return Unknown(f"MATCHES: a pattern of {len(pattern)} characters, at most {MAX_PATTERN}")
    try:
        return bool(_matcher().execute({"text": value, "pattern": pattern}))
    except (RuntimeError, ValueError, TypeError) as error:
        return Unknown(f"MATCHES {pattern!r}: {' '.join(str(error).split())[:200]}")


def _subset(value: str, network: str) -> Truth:
    try:
        inner, outer = ip_network(value, strict=False), ip_network(network, strict=False)
    except ValueError as error:
        return Unknown(f"ISSUBSET: {error}")
    if inner.version != outer.version:
        return False
    return (
        inner.network_address in outer
        and inner.broadcast_address in outer
        and inner.prefixlen >= outer.prefixlen
    )


def _superset(value: str, network: str) -> Truth:
    return _subset(network, value)


_TEXTUAL: Mapping[str, Callable[[str, str], Truth]] = {
    "LIKE": _like,
    "MATCHES": _matches,
    "ISSUBSET": _subset,
    "ISSUPERSET": _superset,
}
