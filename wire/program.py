"""Rule programs: what a collector makes of Sigma rules, and every node evaluates on its own events.

A program is data, never code: conditions are a tree of the few nodes below, over the fields of an event.
The collector lowers rules to it, signs it (`wire.signed`, purpose `program`) and keeps what it cannot lower;
the node checks sizes, depth and expressions again before it believes that a signed program is a good one.

>>> from datetime import UTC
>>> rule = Rule(id="r1", title="t", incident_class="NAOTH", severity="low", log="process",
...             when=Text(field="Image", how="ends", values=["/nc"]))
>>> program = Program(made_at=datetime(2026, 3, 2, tzinfo=UTC), rules=[rule])
>>> read_program(encode_program(program)).rules[0].when
Text(field='Image', how='ends', values=['/nc'], cased=False)
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_network
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from .codec import UNREADABLE
from .messages import MAX_SIGNED

MAX_RULES = 5_000
MAX_NODES = 50_000
MAX_DEPTH = 32
MAX_PATTERN = 1_000
MESSAGE = ""
"""The field of what stands in no field: a log line's whole text, an event's values together."""
FIELDS: dict[str, frozenset[str] | None] = {
    "process": frozenset({
        "Image", "CommandLine", "CurrentDirectory", "User", "LogonId", "ProcessId",
        "ParentImage", "ParentCommandLine", "ParentProcessId",
    }),
    "file": frozenset({"TargetFilename"}),
    "network": frozenset({
        "Image", "User", "ProcessId", "Protocol", "Initiated",
        "SourceIp", "SourcePort", "DestinationIp", "DestinationPort",
    }),
    "auditd": None,
    "line": frozenset(),
}  # fmt: skip
"""What a node tells of each kind of event, by Sigma's names for Linux; None: what stands in the record."""

Field = Annotated[str, Meta(max_length=128)]
Value = Annotated[str, Meta(max_length=4096)]
Values = Annotated[list[Value], Meta(min_length=1, max_length=2_000)]
Log = Literal["process", "file", "network", "auditd", "line"]
Severity = Literal["low", "medium", "high"]
How = Literal["is", "has", "starts", "ends", "like"]
Order = Literal["lt", "lte", "gt", "gte"]


class ProgramError(ValueError):
    """A program that cannot be used; the text says where and why."""


class And(Struct, frozen=True, tag="and", tag_field="op"):
    """Every part holds."""

    of: Annotated[list["Node"], Meta(min_length=1)]


class Or(Struct, frozen=True, tag="or", tag_field="op"):
    """One part holds."""

    of: Annotated[list["Node"], Meta(min_length=1)]


class Not(Struct, frozen=True, tag="not", tag_field="op"):
    """The part does not hold; what is told of no field does not hold either way but here."""

    of: "Node"


class Text(Struct, frozen=True, tag="text", tag_field="op"):
    """A field's text is, has, starts or ends with one of the values, whatever their case unless `cased`.

    `like` takes `*` and `?`; a backslash before them, or before itself, takes their meaning away.
    """

    field: Field
    how: How
    values: Values
    cased: bool = False


class Pattern(Struct, frozen=True, tag="re", tag_field="op"):
    """A regular expression is found in a field; `flags` of `ims`."""

    field: Field
    pattern: Annotated[str, Meta(min_length=1, max_length=MAX_PATTERN)]
    flags: Annotated[str, Meta(pattern="^[ims]{0,3}$")] = ""


class Net(Struct, frozen=True, tag="net", tag_field="op"):
    """A field's address lies in one of the networks."""

    field: Field
    networks: Values


class Number(Struct, frozen=True, tag="num", tag_field="op"):
    """A field's number compares to the value."""

    field: Field
    how: Order
    value: float


class Same(Struct, frozen=True, tag="same", tag_field="op"):
    """A field's text is, starts or ends with that of another field of the event."""

    field: Field
    other: Field
    how: Literal["is", "starts", "ends"] = "is"


class There(Struct, frozen=True, tag="there", tag_field="op"):
    """An event tells a field (`yes`), or does not tell it or tells nothing in it."""

    field: Field
    yes: bool


Node: TypeAlias = And | Or | Not | Text | Pattern | Net | Number | Same | There


class Rule(Struct, frozen=True, kw_only=True):
    """One rule.

    Fields:
        id: The Sigma rule's own, or one made of its place.
        incident_class: GB/T 20986 subclass of what it finds.
        log: The kind of event it looks at.
        service: For lines: of which service alone; empty: of any.
    """

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    title: Annotated[str, Meta(max_length=256)]
    title_zh: Annotated[str, Meta(max_length=256)] = ""
    incident_class: Annotated[str, Meta(min_length=1, max_length=24)]
    severity: Severity
    log: Log
    service: Annotated[str, Meta(max_length=64)] = ""
    when: Node


class Program(Struct, frozen=True, kw_only=True):
    """Every rule of a collector, at one time. `form` is this module's version."""

    form: Literal[1] = 1
    made_at: datetime
    rules: Annotated[list[Rule], Meta(max_length=MAX_RULES)]


_decoder = msgspec.json.Decoder(Program)


def encode_program(program: Program) -> bytes:
    """Return the bytes that are signed.

    Raises:
        ProgramError: they would be more than an envelope holds.
    """
    body = msgspec.json.encode(program)
    if len(body) > MAX_SIGNED * 3 // 4 - 16_384:
        raise ProgramError(f"the program has {len(body)} bytes, expected fewer rules or shorter lists")
    return body


def digest(rules: list[Rule]) -> str:
    """Return what tells two programs apart: the rules alone, whenever they were read."""
    return hashlib.sha256(msgspec.json.encode(rules)).hexdigest()


def read_program(body: bytes) -> Program:
    """Return a program whose every part can be evaluated in bounded time.

    Raises:
        ProgramError: it has another form, is too large or too deep, or a part of it cannot be used.
    """
    try:
        program = _decoder.decode(body)
    except UNREADABLE as error:
        raise ProgramError(f"not a program of form 1: {error}") from None
    if program.made_at.tzinfo is None:
        raise ProgramError("made_at: found a time without an offset, expected one with it")
    nodes = 0
    for number, rule in enumerate(program.rules):
        try:
            nodes += sum(1 for _ in checked(rule.when))
        except ProgramError as error:
            raise ProgramError(f"rules[{number}] ({rule.id}): {error}") from None
    if nodes > MAX_NODES:
        raise ProgramError(f"{nodes} nodes, expected at most {MAX_NODES}")
    return program


def checked(node: Node, depth: int = 1) -> Iterator[Node]:
    """Yield a condition's nodes.

    Raises:
        ProgramError: it is too deep, or holds an expression or a network that is none.
    """
    if depth > MAX_DEPTH:
        raise ProgramError(f"conditions lie more than {MAX_DEPTH} deep in each other")
    yield node
    match node:
        case And(of=parts) | Or(of=parts):
            for part in parts:
                yield from checked(part, depth + 1)
        case Not(of=part):
            yield from checked(part, depth + 1)
        case Pattern():
            compiled(node)
        case Net():
            for network in node.networks:
                _network(network)
        case _:
            pass


def compiled(node: Pattern) -> re.Pattern[str]:
    """Return the expression, ready to search with.

    Raises:
        ProgramError: it is none, or one that some text would keep busy for ever.
    """
    flags = sum((re.IGNORECASE, re.MULTILINE, re.DOTALL)["ims".index(flag)] for flag in set(node.flags))
    try:
        pattern = re.compile(node.pattern, flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise ProgramError(f"found the expression {node.pattern[:80]!r}: {error}") from None
    if _runs_away(node.pattern):
        found = f"found the expression {node.pattern[:80]!r} whose group is repeated and holds a repetition"
        raise ProgramError(
            f"{found} or alternatives: some text keeps it busy without end; write it otherwise"
        )
    return pattern


_UNBOUNDED = re.compile(r"[*+]|\{\d*,\d*\}")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_ESCAPED = re.compile(r"\\.")


def _runs_away(pattern: str) -> bool:
    """Whether a group is repeated that holds a repetition or alternatives: `(a+)+` and `(a|a)*` never end."""
    plain = _CLASS.sub("c", _ESCAPED.sub("e", pattern))
    holds: list[bool] = []
    for place, sign in enumerate(plain):
        if sign == "(":
            holds.append(False)
        elif sign == "|" or _UNBOUNDED.match(plain, place):
            holds = [True] * len(holds)
        elif sign == ")" and holds and holds.pop() and _UNBOUNDED.match(plain, place + 1):
            return True
    return False


def _network(text: str) -> None:
    try:
        ip_network(text)
    except ValueError as error:
        raise ProgramError(f"found the network {text[:60]!r}: {error}") from None
