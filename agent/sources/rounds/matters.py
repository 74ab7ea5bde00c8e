"""Troubles of a node as things that begin, grow and end: pure rules for every source that makes rounds.

    found       .    A    A    A+   A+   .
    reports          begins    grows     restored
    remembered       A ...............   (forgotten)

A round finds what is wrong *now*. What was found before and is not there any more is over, unless the round
could not look there. A matter of a moment (a log that was cleared) has no end: it is told when it is found
and forgotten a while later, so that the next one is told too.

>>> from datetime import UTC, datetime, timedelta
>>> noon = datetime(2026, 3, 2, 4, tzinfo=UTC)
>>> down = Finding(key="outages:portal", klass="DETECH", severity_hint="high", lasting="portal_down")
>>> known, bodies = proceed({}, Found([down]), noon)
>>> [body["facts"] for body in bodies]
[{'portal_down_since': '2026-03-02T04:00:00Z'}]
>>> known, bodies = proceed(known, Found([down]), noon + timedelta(minutes=1))
>>> bodies
[]
>>> known, bodies = proceed(known, Found([]), noon + timedelta(minutes=130))
>>> [(body["restored"], body["facts"]) for body in bodies]
[(True, {'portal_down_minutes': 130})]
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import Struct

from wire.codec import encode

from ..port import moment

MAX_MATTERS = 1000
MAX_EVIDENCE = 50
REPEAT = timedelta(seconds=60)
REMIND = timedelta(hours=6)
FORGET = timedelta(hours=1)


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that is wrong, as a round found it.

    Fields:
        key: The same for the same trouble on this node, round after round.
        lasting: The fact that lasts with it: `portal_down` becomes `portal_down_since`, in the end
            `portal_down_minutes`.
        passing: It is of a moment and has no end.
        count: What `count` means is the source's; of a passing matter it is added up.
        first_seen: Where it began before this round.
        evidence: Bounded here; what changes at every round does not belong in it.
    """

    key: str
    klass: str
    severity_hint: Literal["low", "medium", "high"]
    target: str | None = None
    source_address: str | None = None
    target_address: str | None = None
    lasting: str = ""
    passing: bool = False
    count: int = 1
    first_seen: datetime | None = None
    evidence: list[dict[str, Any]] = []

    def mark(self) -> str:
        """Return what is worth telling again when it changes."""
        told = [self.klass, self.severity_hint, self.target, self.source_address, self.evidence]
        return hashlib.sha256(encode(told)).hexdigest()[:16]


class Found(Struct, frozen=True):
    """What a round found.

    Fields:
        findings: What is wrong now.
        blind: Keys that this round could say nothing about; one that ends in `:` or `/` stands for all
            that begin so.
        ended: When a matter ended, where that is known better than by this round.
    """

    findings: Iterable[Finding]
    blind: tuple[str, ...] = ()
    ended: Mapping[str, datetime] = {}


class Matter(Struct, frozen=True, kw_only=True):
    """What is remembered of a trouble that was told."""

    finding: Finding
    first_seen: datetime
    last_seen: datetime
    count: int
    told_at: datetime
    told: str


def proceed(
    known: Mapping[str, Matter], found: Found, now: datetime
) -> tuple[dict[str, Matter], list[dict[str, Any]]]:
    """Return the matters after a round, and the bodies to tell before they are remembered."""
    after: dict[str, Matter] = {}
    bodies: list[dict[str, Any]] = []
    for finding in found.findings:
        before = known.get(finding.key)
        if before is None and len(after) >= MAX_MATTERS:
            continue
        matter = _seen(before, finding, now)
        if _is_news(before, matter, now):
            matter = msgspec.structs.replace(matter, told_at=now, told=finding.mark())
            bodies.append(_body(matter, now, over=None))
        after[finding.key] = matter
    for key, matter in known.items():
        if key in after:
            continue
        if matter.finding.passing:
            if now - matter.last_seen <= FORGET:
                after[key] = matter
        elif _among(key, found.blind):
            after[key] = matter
        else:
            bodies.append(_body(matter, now, over=found.ended.get(key, now)))
    return after, bodies


def standing(known: Mapping[str, Matter], found: Found, now: datetime) -> list[dict[str, Any]]:
    """Return the bodies of everything that is wrong now, told before or not: what a single look answers."""
    matters = (_seen(known.get(finding.key), finding, now) for finding in found.findings)
    return [_body(matter, now, over=None) for matter in matters]


def _among(key: str, places: Iterable[str]) -> bool:
    return any(key == place or (place.endswith((":", "/")) and key.startswith(place)) for place in places)


def _seen(before: Matter | None, finding: Finding, now: datetime) -> Matter:
    first = min(finding.first_seen or now, now)
    if before is None:
        return Matter(
            finding=finding, first_seen=first, last_seen=now, count=finding.count, told_at=now, told=""
        )
    return msgspec.structs.replace(
        before,
        finding=finding,
        first_seen=min(first, before.first_seen),
        last_seen=now,
        count=before.count + finding.count if finding.passing else finding.count,
    )


def _is_news(before: Matter | None, matter: Matter, now: datetime) -> bool:
    """Say whether to tell it now: it began, changed a while after it was told, or goes on for long."""
    if before is None or matter.finding.passing:
        return True
    if matter.finding.severity_hint != before.finding.severity_hint:
        return True
    waited = now - before.told_at
    changed = matter.finding.mark() != before.told
    return waited >= REMIND or waited < timedelta() or (changed and waited >= REPEAT)


def _body(matter: Matter, now: datetime, *, over: datetime | None) -> dict[str, Any]:
    finding = matter.finding
    facts: dict[str, Any] = {}
    if finding.lasting and over is None:
        facts[f"{finding.lasting}_since"] = moment(matter.first_seen)
    elif finding.lasting and over is not None:
        minutes = math.ceil((over - matter.first_seen).total_seconds() / 60)
        facts[f"{finding.lasting}_minutes"] = max(1, minutes)
    return {
        "key": finding.key,
        "class": finding.klass,
        "severity_hint": finding.severity_hint,
        "facts": facts,
        "source_address": finding.source_address,
        "target_address": finding.target_address,
        "target": finding.target,
        "count": matter.count,
        "first_seen": moment(matter.first_seen),
        "last_seen": moment(now if over is None else min(now, max(over, matter.first_seen))),
        "restored": over is not None,
        "evidence": finding.evidence[:MAX_EVIDENCE],
        "evidence_total": len(finding.evidence),
    }
