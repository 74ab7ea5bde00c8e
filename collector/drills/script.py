"""The script of a drill: what is injected when, which limits count, how the people of a rehearsal behave.

Exactly one thing happens at an event: an incident begins, facts of one come to light, somebody is not to be
had, or a message comes in. Times count from the drill's start, so that one script serves every year.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from .. import yaml_marks
from ..statement import Words
from ..yaml_marks import Mistake, Mistakes, Node, parse_duration, parse_time
from .model import Form, Kind, Scope

LONGEST = timedelta(days=14)
_MOST_DIGITS = 18
_FAR = datetime(9000, 1, 1, tzinfo=UTC)
MOST_EVENTS = 200
_NAME = r"^[a-z0-9][a-z0-9-]{0,31}$"
Key = Annotated[str, Meta(pattern=_NAME)]
Role = Annotated[str, Meta(min_length=1, max_length=64)]


class Begun(Struct, frozen=True, kw_only=True, rename={"klass": "class"}):
    """An incident that begins.

    Fields:
        name: How later events name it.
        klass: GB/T 20986-2023 subclass.
        node: Which node reports it: orders of its plan go there, as dry runs.
        facts: Names of `duty explain`; `now` and `-20m` are times counted from the event.
    """

    klass: Annotated[str, Meta(pattern=r"^[A-Z]{2,12}$")]
    title: Words
    name: Key = "first"
    asset: str | None = None
    node: str | None = None
    facts: dict[str, str] = {}


class Learnt(Struct, frozen=True, kw_only=True):
    """Facts of an incident that come to light."""

    of: Key = "first"
    set: dict[str, str]


class Absent(Struct, frozen=True, kw_only=True):
    """Nobody of a role answers for some time: escalation has to go on."""

    role: Role
    length: timedelta = msgspec.field(name="for")


class Message(Struct, frozen=True, kw_only=True):
    """Something said to the people of a role: a citizen calls, a reporter asks, the city wants to know."""

    to: Role
    text: Words


class Event(Struct, frozen=True, kw_only=True):
    """What is injected, so long after the start."""

    at: timedelta
    incident: Begun | None = None
    facts: Learnt | None = None
    absent: Absent | None = None
    message: Message | None = None

    def __post_init__(self) -> None:
        """Refuse an event at which nothing happens, or two things."""
        said = [name for name in KINDS_OF_EVENTS if getattr(self, name) is not None]
        if len(said) != 1:
            raise ValueError(
                f"exactly one of {', '.join(KINDS_OF_EVENTS)}, not {' and '.join(said) or 'none'}"
            )
        if not timedelta(0) <= self.at <= LONGEST:
            raise ValueError(f"at to be from 0m to {LONGEST.days}d")

    @property
    def kind(self) -> "EventKind":
        """Which of the things happens."""
        return next(name for name in KINDS_OF_EVENTS if getattr(self, name) is not None)


EventKind = Literal["incident", "facts", "absent", "message"]
KINDS_OF_EVENTS: tuple[EventKind, ...] = ("incident", "facts", "absent", "message")


class Limits(Struct, frozen=True, kw_only=True):
    """The house's own limits; reports are held against the law's."""

    acknowledge: timedelta = timedelta(minutes=15)
    contain: timedelta = timedelta(hours=2)


class People(Struct, frozen=True, kw_only=True):
    """How the people of a rehearsal behave, counted from when they are asked; of no meaning to a live drill.

    Fields:
        answer: Until they acknowledge, fill a form, approve, decide.
        contain, handle: Until an incident is contained and handled, from its beginning.
    """

    answer: timedelta = timedelta(minutes=5)
    contain: timedelta = timedelta(minutes=40)
    handle: timedelta = timedelta(hours=2)


class Script(Struct, frozen=True, kw_only=True):
    """A drill as it is written down.

    Fields:
        lasts: After that it ends by itself.
        plan: Which plan the first incident asks for; None: the one of its class.
    """

    name: Words
    form: Form
    scope: Scope = "unit"
    kind: Kind = "special"
    purpose: Words | None = None
    lasts: timedelta = timedelta(hours=4)
    plan: str | None = None
    limits: Limits = Limits()
    people: People = People()
    events: Annotated[tuple[Event, ...], Meta(min_length=1, max_length=MOST_EVENTS)]


def read_script(text: str, file: str, *, facts: frozenset[str] = frozenset()) -> Script:
    """Read a script; its events come in the order of time.

    Args:
        text: YAML.
        file: Its name, for mistakes.
        facts: Names a fact may have; empty: any.

    Raises:
        Mistakes: every mistake of the file.
    """
    tree = yaml_marks.read(text, file)
    script = yaml_marks.decode(tree, Script)
    if mistakes := list(_check(script, tree, facts)):
        raise Mistakes(mistakes)
    ordered = tuple(sorted(script.events, key=lambda event: event.at))
    return msgspec.structs.replace(script, events=ordered)


def _check(script: Script, tree: Node, facts: frozenset[str]) -> Iterator[Mistake]:
    begun = {event.incident.name: event.at for event in script.events if event.incident}
    if not begun:
        yield tree.mistake("events", "no incident", "at least one event at which an incident begins")
    if not timedelta(0) < script.lasts <= LONGEST:
        yield tree.mistake("lasts", str(script.lasts), f"more than 0m, at most {LONGEST.days}d")
    for name in ("answer", "contain", "handle"):
        if getattr(script.people, name) < timedelta(0):
            yield tree.mistake(f"people.{name}", "less than nothing", "0m or more")
    names = [event.incident.name for event in script.events if event.incident]
    for index, event in enumerate(script.events):
        if event.at > script.lasts:
            yield tree.mistake(f"events[{index}].at", "after the end", f"at most lasts, {script.lasts}")
        if event.incident and names.count(event.incident.name) > 1:
            yield tree.mistake(f"events[{index}].incident", repr(event.incident.name), "a name of its own")
        if event.facts and begun.get(event.facts.of, LONGEST) > event.at:
            yield tree.mistake(
                f"events[{index}].facts.of", repr(event.facts.of), "an incident that has begun by then"
            )
        yield from _check_facts(event, index, tree, facts)


def _check_facts(event: Event, index: int, tree: Node, known: frozenset[str]) -> Iterator[Mistake]:
    where, said = ("incident.facts", event.incident.facts) if event.incident else ("facts.set", {})
    if event.facts:
        said = event.facts.set
    for name, value in said.items():
        path = f"events[{index}].{where}.{name}"
        if known and name not in known:
            yield tree.mistake(path, repr(name), f"a fact of `duty explain`: {', '.join(sorted(known))}")
        elif name.endswith("_since") and _moment(value, None) is None:
            yield tree.mistake(path, repr(value), "now, a length back such as -20m, or a time with offset")


def fact_values(said: dict[str, str], at: datetime) -> dict[str, Any]:
    """Return facts as values, those that are times counted from a moment.

    >>> from datetime import UTC
    >>> fact_values({"reposts": "12000", "ransom_demanded": "true"}, datetime(2026, 3, 2, tzinfo=UTC))
    {'reposts': 12000, 'ransom_demanded': True}
    >>> fact_values({"portal_down_since": "-20m"}, datetime(2026, 3, 2, 1, tzinfo=UTC))
    {'portal_down_since': '2026-03-02T00:40:00+00:00'}
    """
    return {name: _value(text, at) for name, text in said.items()}


def _value(text: str, at: datetime) -> object:
    if text in {"true", "false"}:
        return text == "true"
    if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS:
        return int(text)
    moment = _moment(text, at)
    if moment is not None:
        return moment.isoformat()
    try:
        number = float(text)
    except ValueError:
        return text
    return number if isfinite(number) else text


def _moment(text: str, at: datetime | None) -> datetime | None:
    reckoned = at or _FAR
    if text == "now":
        return reckoned
    try:
        return reckoned - parse_duration(text[1:]) if text.startswith("-") else parse_time(text)
    except ValueError:
        return None


def absences(events: Sequence[Event], began: datetime) -> list[tuple[str, datetime, datetime]]:
    """Return who is not to be had, from when to when."""
    return [
        (event.absent.role, began + event.at, began + event.at + event.absent.length)
        for event in events
        if event.absent
    ]
