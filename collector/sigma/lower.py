"""pySigma's tree of a rule's condition to the nodes of a program.

Lists under one field become one comparison with many values; what a node does not tell, or cannot compare,
is a `LoweringError` with the reason, for a rule that is asked without it would answer another question.
"""

from collections.abc import Iterable, Sequence
from functools import singledispatch

from msgspec.structs import replace
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaType,
    SpecialChars,
)

from wire.program import (
    FIELDS,
    MESSAGE,
    And,
    How,
    Log,
    Net,
    Node,
    Not,
    Number,
    Or,
    Order,
    Pattern,
    ProgramError,
    Same,
    Text,
    There,
    compiled,
)

_MANY, _ONE = SpecialChars.WILDCARD_MULTI, SpecialChars.WILDCARD_SINGLE
_ORDERS: dict[str, Order] = {"lt": "lt", "lte": "lte", "gt": "gt", "gte": "gte"}


class LoweringError(ValueError):
    """What no node can do; the text says what and why."""


def lower(condition: object, log: Log) -> Node:
    """Return the node of a parsed condition.

    Args:
        condition: `rule.detection.parsed_condition[i].parsed`.
        log: The kind of event the rule looks at.

    Raises:
        LoweringError: a part of it cannot be done.
    """
    match condition:
        case ConditionAND(args=parts):
            return _together(And, [lower(part, log) for part in parts])
        case ConditionOR(args=parts):
            return any_of([lower(part, log) for part in parts])
        case ConditionNOT(args=parts):
            return Not(lower(parts[0], log))
        case ConditionFieldEqualsValueExpression(field=field, value=value):
            return _compare(value, _told(field, log))
        case ConditionValueExpression(value=value):
            return _keyword(value)
        case _:
            raise LoweringError(f"a condition of the kind {type(condition).__name__}")


def any_of(parts: Sequence[Node]) -> Node:
    """Return "one of these", with equal comparisons of one field put together."""
    kept: list[Node] = []
    texts: dict[tuple[str, How, bool], list[str]] = {}
    for part in _flat(Or, parts):
        if isinstance(part, Text):
            texts.setdefault((part.field, part.how, part.cased), []).extend(part.values)
        else:
            kept.append(part)
    joined: list[Node] = [
        Text(field=field, how=how, values=list(dict.fromkeys(values)), cased=cased)
        for (field, how, cased), values in texts.items()
    ]
    return _together(Or, [*joined, *kept])


def _together(kind: type[And] | type[Or], parts: Sequence[Node]) -> Node:
    flat = list(_flat(kind, parts))
    return flat[0] if len(flat) == 1 else kind(flat)


def _flat(kind: type[And] | type[Or], parts: Iterable[Node]) -> Iterable[Node]:
    for part in parts:
        if isinstance(part, kind):
            yield from part.of
        else:
            yield part


def _told(field: str, log: Log) -> str:
    told = FIELDS[log]
    if told is not None and field not in told:
        known = ", ".join(sorted(told)) or "its text alone (keywords)"
        raise LoweringError(f"field {field!r}: a node tells of a {log} event {known}")
    return field


@singledispatch
def _compare(value: SigmaType, field: str) -> Node:
    raise LoweringError(f"field {field!r}: a value of the kind {type(value).__name__}")


@_compare.register
def _(value: SigmaString, field: str) -> Node:
    return _string(field, value)


@_compare.register
def _(value: SigmaNumber, field: str) -> Node:
    return Text(field, "is", [str(value.number)])


@_compare.register
def _(value: SigmaBool, field: str) -> Node:
    return Text(field, "is", [str(value.boolean)])


@_compare.register
def _(value: SigmaRegularExpression, field: str) -> Node:
    return _pattern(field, value)


@_compare.register
def _(value: SigmaCIDRExpression, field: str) -> Node:
    return Net(field, [value.cidr])


@_compare.register
def _(_: SigmaNull, field: str) -> Node:
    return There(field, yes=False)


@_compare.register
def _(value: SigmaExists, field: str) -> Node:
    return There(field, value.exists)


@_compare.register
def _(value: SigmaExpansion, field: str) -> Node:
    return any_of([_compare(one, field) for one in value.values])


@_compare.register
def _(value: SigmaCompareExpression, field: str) -> Node:
    order = _ORDERS.get(value.op.name.lower())
    if order is None:
        raise LoweringError(f"field {field!r}: the comparison {value.op.name}")
    return Number(field, order, float(value.number.number))


@_compare.register
def _(value: SigmaFieldReference, field: str) -> Node:
    if value.starts_with and value.ends_with:
        raise LoweringError(f"field {field!r}: field {value.field!r} somewhere in it")
    return Same(field, value.field, "starts" if value.starts_with else "ends" if value.ends_with else "is")


def _keyword(value: SigmaType) -> Node:
    """A keyword stands anywhere in the event's text (Sigma specification, "Lists")."""
    match value:
        case SigmaNumber(number=number):
            return Text(MESSAGE, "has", [str(number)])
        case SigmaRegularExpression():
            return _pattern(MESSAGE, value)
        case SigmaString():
            text = _string(MESSAGE, value)
            if text.how == "like":
                return replace(text, values=[f"*{one}*" for one in text.values])
            return replace(text, how="has")
        case _:
            raise LoweringError(f"a keyword of the kind {type(value).__name__}")


def _string(field: str, value: SigmaString) -> Text:
    parts = list(value.s)
    if strange := [part for part in parts if not isinstance(part, str | SpecialChars)]:
        raise LoweringError(f"field {field!r}: the placeholder {strange[0]!r}")
    how, values = _shape(parts)
    return Text(field, how, values, isinstance(value, SigmaCasedString))


def _shape(parts: Sequence[object]) -> tuple[How, list[str]]:
    r"""Return how a value with wildcards is compared, by the cheapest way.

    >>> _shape([_MANY, "/nc"]), _shape(["a", _ONE, "b*"])
    (('ends', ['/nc']), ('like', ['a?b\\*']))
    """
    inner = [part for part in parts if part is not _MANY]
    if not parts:
        return "is", [""]
    if len(inner) <= 1 and all(isinstance(part, str) for part in inner):
        begins, ends = parts[0] is _MANY, parts[-1] is _MANY
        how: How = "has" if begins and ends else "ends" if begins else "starts" if ends else "is"
        return how, [str(inner[0]) if inner else ""]
    return "like", ["".join(map(_glob, parts))]


def _glob(part: object) -> str:
    if part is _MANY or part is _ONE:
        return "*" if part is _MANY else "?"
    return str(part).replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def _pattern(field: str, value: SigmaRegularExpression) -> Pattern:
    flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
    pattern = Pattern(field, str(value.regexp), flags)
    try:
        compiled(pattern)
    except ProgramError as error:
        raise LoweringError(f"field {field!r}: {error}") from None
    return pattern
