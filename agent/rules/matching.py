"""A condition as a function: built once a program, called for every event.

A comparison with a field that the event does not tell is false; so its negation is true, as in Sigma. Lists
of values become one call of the library's: a set for `is`, a tuple for `starts` and `ends`.

>>> from wire.program import And, Not, Text
>>> nc = And([Text("Image", "ends", ["/nc", "/ncat"]), Not(Text("User", "is", ["root"]))])
>>> holds = build(nc)
>>> holds(Event("process", {"Image": "/bin/NC"}))
True
>>> holds(Event("process", {"Image": "/bin/nc", "User": "root"}))
False
"""

import re
from collections.abc import Callable
from functools import partial, singledispatch
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from operator import ge, gt, le, lt

from wire.program import And, Net, Node, Not, Number, Or, Pattern, Same, Text, There, compiled

from .events import Event

Holds = Callable[[Event], bool]
Read = Callable[[Event, str], str | None]
_ORDERS: dict[str, Callable[[float, float], bool]] = {"lt": lt, "lte": le, "gt": gt, "gte": ge}
_COST = {"is": 0, "ends": 1, "starts": 1, "has": 2, "like": 4}


@singledispatch
def build(node: Node) -> Holds:
    """Return what tells whether a condition holds for an event.

    Raises:
        ProgramError: an expression is none.
    """
    raise TypeError(f"{type(node).__name__} is no node of a program")


@build.register
def _(node: And) -> Holds:
    return _all([build(part) for part in sorted(node.of, key=cost)])


@build.register
def _(node: Or) -> Holds:
    return _any([build(part) for part in sorted(node.of, key=cost)])


@build.register
def _(node: Not) -> Holds:
    part = build(node.of)
    return lambda event: not part(event)


@build.register
def _(node: Text) -> Holds:
    field = node.field
    values = node.values if node.cased else [value.lower() for value in node.values]
    read: Read = Event.text if node.cased else Event.low
    if node.how == "is":
        return _among(read, field, frozenset(values))
    if node.how == "ends":
        return _edge(read, field, str.endswith, tuple(values))
    if node.how == "starts":
        return _edge(read, field, str.startswith, tuple(values))
    if node.how == "has":
        return _having(read, field, values)
    glob = re.compile("|".join(f"(?:{_translated(value)})" for value in values), re.DOTALL)
    return _matching(read, field, glob.fullmatch)


@build.register
def _(node: Pattern) -> Holds:
    return _matching(Event.text, node.field, compiled(node).search)


@build.register
def _(node: Net) -> Holds:
    return partial(_inside, node.field, tuple(ip_network(one) for one in node.networks))


@build.register
def _(node: Number) -> Holds:
    return partial(_compares, node.field, _ORDERS[node.how], node.value)


@build.register
def _(node: Same) -> Holds:
    return partial(_same, node.field, node.other, node.how)


@build.register
def _(node: There) -> Holds:
    return lambda event: bool(event.text(node.field)) == node.yes


def cost(node: Node) -> int:
    """Return about how dear a condition is, so that the cheap ones are asked first."""
    match node:
        case And(of=parts) | Or(of=parts):
            return 1 + sum(cost(part) for part in parts)
        case Not(of=part):
            return cost(part)
        case Text():
            return _COST[node.how] * len(node.values) if node.how in {"has", "like"} else _COST[node.how]
        case Pattern():
            return 8
        case _:
            return 2


def _all(parts: list[Holds]) -> Holds:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda event: first(event) and second(event)

    def holds(event: Event) -> bool:
        for part in parts:  # noqa: SIM110 - a generator costs twice as much, and this is called for every event
            if not part(event):
                return False
        return True

    return holds


def _any(parts: list[Holds]) -> Holds:
    if len(parts) == 1:
        return parts[0]

    def holds(event: Event) -> bool:
        for part in parts:  # noqa: SIM110 - likewise
            if part(event):
                return True
        return False

    return holds


def _among(read: Read, field: str, values: frozenset[str]) -> Holds:
    return lambda event: read(event, field) in values


def _edge(
    read: Read, field: str, fits: Callable[[str, tuple[str, ...]], bool], values: tuple[str, ...]
) -> Holds:
    def holds(event: Event) -> bool:
        text = read(event, field)
        return text is not None and fits(text, values)

    return holds


def _having(read: Read, field: str, values: list[str]) -> Holds:
    def holds(event: Event) -> bool:
        text = read(event, field)
        if text is None:
            return False
        for value in values:  # noqa: SIM110 - likewise
            if value in text:
                return True
        return False

    return holds


def _matching(read: Read, field: str, fits: Callable[[str], object]) -> Holds:
    def holds(event: Event) -> bool:
        text = read(event, field)
        return text is not None and fits(text) is not None

    return holds


def _translated(glob: str) -> str:
    r"""Return a `like` value as an expression.

    >>> _translated("/tmp/*.s?")
    '/tmp/.*\\.s.'
    """
    signs = {"*": ".*", "?": "."}
    parts = re.findall(r"\\[\\*?]|.", glob, re.DOTALL)
    return "".join(signs.get(part) or re.escape(part[-1]) for part in parts)


def _inside(field: str, networks: tuple[IPv4Network | IPv6Network, ...], event: Event) -> bool:
    try:
        address = ip_address(event.text(field) or "")
    except ValueError:
        return False
    return any(address in network for network in networks)


def _compares(field: str, order: Callable[[float, float], bool], value: float, event: Event) -> bool:
    try:
        return order(float(event.text(field) or ""), value)
    except ValueError:
        return False


def _same(field: str, other: str, how: str, event: Event) -> bool:
    one, two = event.low(field), event.low(other)
    if one is None or two is None:
        return False
    return one == two if how == "is" else one.startswith(two) if how == "starts" else one.endswith(two)
