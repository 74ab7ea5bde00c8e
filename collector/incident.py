"""The incident: what a finding says, how findings of one fingerprint merge, and which moves are legal (pure).

::

    open ──> acknowledged ──> contained ──> handled ──> closed
      └──────────────┴────────────┴────────────^ steps may be skipped forward, never taken back;
    open <── a new report of the same thing ───┘ a closed incident stays closed: the next report is a new one

Merging only ever makes an incident graver or earlier, so a clock that follows can move in one direction:

>>> merge_facts({"reposts": 10, "page_tampered_since": "2026-03-02T09:10:00Z"},
...             {"reposts": 7, "page_tampered_since": "2026-03-02T01:00:00Z", "views": 5})
{'reposts': 10, 'page_tampered_since': '2026-03-02T01:00:00Z', 'views': 5}
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

from msgspec import Struct, convert
from msgspec import ValidationError as _NotATime

from wire.vocabulary import Level, rank

from .errors import PermanentError

State = Literal["open", "acknowledged", "contained", "handled", "closed"]
STATES: tuple[State, ...] = get_args(State)
EVIDENCE_KEPT = 20
_THREATS = ("none", "fairly_serious", "serious", "especially_serious")
_EARLIEST = ("_since", "intermediate_requested")


class IllegalMoveError(PermanentError):
    """The incident cannot go there from where it is."""


class Finding(Struct, frozen=True, kw_only=True):
    """What the pipeline found; the first of a fingerprint opens an incident, the rest attach to it.

    Fields:
        fingerprint: What makes two findings the same matter.
        klass: GB/T 20986-2023 subclass code.
        unit, asset, node: Registry keys and node id.
        facts, times: Names of `duty explain`; times are `occurred` and `detected`.
        count: How often it was seen in this report.
        evidence: Newest last; at most `EVIDENCE_KEPT` are kept on the incident.
        title, title_en: One line for lists.
        plan_hint: Plan a stage asks for.
        late: The report was held back on its way for long.
        source: Who says so: `node:<id>` or an intake.
        drill: It is none, but an event of a drill: everything that comes of it bears the flag.
    """

    fingerprint: str
    klass: str
    unit: str
    first_seen: datetime
    last_seen: datetime
    title: str
    title_en: str
    source: str
    asset: str | None = None
    node: str | None = None
    facts: dict[str, Any] = {}
    times: dict[str, datetime] = {}
    count: int = 1
    evidence: tuple[dict[str, Any], ...] = ()
    plan_hint: str | None = None
    late: bool = False
    drill: bool = False


def check_move(state: State, to: str) -> State:
    """Return `to` as a state that `state` may move to.

    Raises:
        IllegalMoveError: Backwards, in place, out of `closed`, or no state at all.

    >>> check_move("open", "contained")
    'contained'
    """
    for later in STATES[STATES.index(state) + 1 :]:
        if later == to:
            return later
    ways = ", ".join(STATES[STATES.index(state) + 1 :]) or "nowhere: a new report opens a new incident"
    raise IllegalMoveError(f"incident is {state!r}, asked for {to!r}; from here it may go to {ways}")


def reopens(state: State) -> bool:
    """Whether a new report makes the incident burn again: what was handled is evidently not over."""
    return state == "handled"


def merge_facts(known: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Join two sets of facts so that each is at least as grave as before; unreadable values change nothing.

    Counts take the greater, flags the true, `data_threat` and `declared_level` the graver, times the earlier.
    What is told as over, `X_minutes` without `X_since`, goes on no longer.
    """
    merged = dict(known)
    for name, value in new.items():
        merged[name] = _graver(name, known[name], value) if name in known else value
        since = name.removesuffix("_minutes") + "_since"
        if name.endswith("_minutes") and since not in new:
            merged.pop(since, None)
    return merged


def merge_times(known: Mapping[str, datetime], new: Mapping[str, datetime]) -> dict[str, datetime]:
    """Join two sets of times: the earliest of each counts."""
    merged = dict(known)
    for name, at in new.items():
        merged[name] = min(at, known[name]) if name in known else at
    return merged


def merge_evidence(known: list[dict[str, Any]], new: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """Return the newest evidence, oldest first."""
    return [*known, *new][-EVIDENCE_KEPT:]


def graver(one: Level | None, other: Level | None) -> Level | None:
    """Return the graver of two levels; ungraded counts least.

    >>> graver("III", None), graver("III", "I")
    ('III', 'I')
    """
    return max((level for level in (one, other) if level), key=rank, default=None)


def _graver(name: str, known: object, value: object) -> object:
    if name.endswith(_EARLIEST):
        return _earlier(known, value)
    if name == "data_threat":
        return _later_in(_THREATS, known, value)
    if name == "declared_level":
        return _later_in(("IV", "III", "II", "I"), known, value)
    if isinstance(known, bool) and isinstance(value, bool):
        return known or value
    if isinstance(known, int | float) and isinstance(value, int | float):
        return max(known, value)
    return known


def _earlier(known: object, value: object) -> object:
    try:
        return min(known, value, key=lambda at: convert(at, datetime))
    except (_NotATime, TypeError):  # one of them is no time, or has no offset
        return known


def _later_in(order: tuple[str, ...], known: object, value: object) -> object:
    places = {name: place for place, name in enumerate(order)}
    return value if places.get(str(value), -1) > places.get(str(known), -1) else known
