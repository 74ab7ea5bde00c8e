"""Conditions of plans: CEL over what a run knows. What cannot be decided is `Unknown`, and a person decides.

A condition sees `vars` (the run's variables), `incident` (class, level, state, unit, asset, count, facts),
`run` (id, plan, drill, level: the response level) and the `warning` that began it (class, colour, title). A
name that is missing or null makes the answer unknown, unless it does not matter. After `stix:` stands a STIX
comparison expression, as CACAO playbooks have them:

>>> decide("incident.level == 'II' || vars.spread", {"incident": {"level": "II"}, "vars": {}})
True
>>> decide("vars.spread", {"vars": {}})
Unknown(why="vars.spread: 'spread' is not known")
>>> decide("stix: __spread__:value > 3", {"vars": {"spread": 4}})
True
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ..cel_engine import cel
from . import stix
from .truth import Unknown

STIX = "stix:"
MOST_CHARACTERS = 4096
"""Of one expression: what its compiler takes for a longer one grows by squares."""
ROOTS = ("vars", "incident", "run", "warning")
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_VARIABLE = re.compile(r"\bvars\.([A-Za-z_][A-Za-z0-9_]*)")
_PLACE = re.compile(r"\{((?:vars|incident|run|warning)(?:\.[A-Za-z_][A-Za-z0-9_]*)+)\}")


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:  # noqa: ANN401 - the library's class is not exported
    return cel().compile(expression)


def syntax_error(expression: str) -> str | None:
    """Return what is wrong with an expression's form or names; None where it can be evaluated."""
    if len(expression) > MOST_CHARACTERS:
        return f"{len(expression)} characters, expected at most {MOST_CHARACTERS}"
    if expression.startswith(STIX):
        return stix.syntax_error(_comparison(expression))
    try:
        names = _compiled(expression).references()["variables"]
    except ValueError as error:
        return " ".join(str(error).split())[:200]
    strangers = sorted(set(names) - set(ROOTS) - _bound_in(expression))
    return f"the name {strangers[0]!r}" if strangers else None


def _comparison(expression: str) -> str:
    """Blank the prefix, so that columns stay those of the whole."""
    return " " * len(STIX) + expression.removeprefix(STIX)


def _bound_in(expression: str) -> set[str]:
    """Names that macros such as `list.exists(x, ...)` bind themselves."""
    return set(re.findall(r"\.(?:exists|exists_one|all|map|filter)\(\s*([A-Za-z_]\w*)\s*,", expression))


def variables_of(expression: str) -> frozenset[str]:
    """Return the run's variables that an expression names."""
    if expression.startswith(STIX):
        return stix.variables_of(_comparison(expression))
    return frozenset(_VARIABLE.findall(_STRINGS.sub("''", expression)))


def places_of(text: str) -> tuple[str, ...]:
    """Return the places of a text that `fill` fills."""
    return tuple(_PLACE.findall(text))


def value_of(expression: str, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401 - an expression's value is any
    """Evaluate an expression; `Unknown` where something it needs is missing or of another type."""
    if len(expression) > MOST_CHARACTERS:
        return Unknown(f"a condition of {len(expression)} characters, expected at most {MOST_CHARACTERS}")
    if expression.startswith(STIX):
        return stix.decide(_comparison(expression), scope)
    try:
        value = _compiled(expression).execute(dict(scope))
    except KeyError as error:
        return Unknown(f"{expression}: {error} is not known")
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        return Unknown(f"{expression}: {' '.join(str(error).split())[:200]}")
    return Unknown(f"{expression}: its value is not known") if value is None else value


def decide(expression: str, scope: Mapping[str, Any]) -> bool | Unknown:
    """Evaluate a condition: true, false, or unknown; anything but a truth value is unknown."""
    value = value_of(expression, scope)
    if isinstance(value, bool | Unknown):
        return value
    return Unknown(f"{expression}: its value {value!r} is neither true nor false")


def fill(text: str, scope: Mapping[str, Any]) -> str:
    """Put values in the places of a text; what is not known stays visible as its place.

    >>> fill("{incident.title} ({vars.page})", {"incident": {"title": "Tampered"}})
    'Tampered ({vars.page})'
    """

    def value(match: re.Match[str]) -> str:
        found: Any = scope
        for name in match[1].split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return match[0] if found is None else str(found)

    return _PLACE.sub(value, text)
