"""Opens incidents: what an agent detected itself, and what a verdict on its ways out amounts to.

    available, exposed_service          SHECONFIG    a configuration that allows what must not be
    used, bridging                      ROPNOUNAUTH  all four with the plan for illegal external connections
    sanctioned, unknown                 nothing

A finding's fingerprint is node, class and key: the same thing on the same node attaches to the incident that
is not closed. When its cause is over the incident is told so; ending it is for a person.
"""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec import Struct, to_builtins
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.vocabulary import LINK_KINDS, VERDICTS, Name, Verdict

from ..classes import Classes
from ..exposure import Judged
from ..incident import EVIDENCE_KEPT, Finding
from ..store.exits import Change
from .bodies import Incident
from .hosttime import by_our_clock
from .port import Item, Open

LATE = timedelta(minutes=10)
OTHER = "OTH"
CONNECTION_PLAN = "illegal-external-connection"


class Meaning(NamedTuple):
    """What a verdict amounts to."""

    klass: str
    plan_hint: str | None = None


MEANINGS: dict[Verdict, Meaning] = {
    "available": Meaning("SHECONFIG", CONNECTION_PLAN),
    "exposed_service": Meaning("SHECONFIG", CONNECTION_PLAN),
    "used": Meaning("ROPNOUNAUTH", CONNECTION_PLAN),
    "bridging": Meaning("ROPNOUNAUTH", CONNECTION_PLAN),
}


class Ended(Struct, frozen=True, kw_only=True):
    """That what a fingerprint stands for is no longer there."""

    fingerprint: str
    evidence: dict[str, Any]


class Note(Protocol):
    """Tells the incident of a fingerprint, where there is one, that its cause is over (`Casework.note`)."""

    def __call__(
        self,
        conn: AsyncConnection,
        fingerprint: str,
        evidence: dict[str, Any],
        now: datetime,
        facts: dict[str, Any] | None = None,
        /,
    ) -> Awaitable[object]:
        """Add the evidence; move and reopen nothing."""
        ...


class Correlate:
    """Last stage."""

    name = "correlate"

    def __init__(self, open_incident: Open, note_end: Note, classes: Callable[[], Classes]) -> None:
        self._open = open_incident
        self._note = note_end
        self._classes = classes

    async def apply(self, conn: AsyncConnection, item: Item) -> Item | None:
        """Open what there is to open, tell what has ended."""
        if isinstance(item.body, Incident):
            await self._detected(conn, item, item.body)
        for change in item.changes:
            if (ended := ended_by(item, change)) is not None:
                await self._note(conn, ended.fingerprint, ended.evidence, item.now)
            # A full picture burns on: an incident that was closed too early is opened again by it.
            if change.judged and (change.fresh or item.kind == "exits"):
                finding = judged_finding(item, change.judged)
                if finding is not None:
                    await self._open(conn, finding, item.received_at, item.now)
        return item

    async def _detected(self, conn: AsyncConnection, item: Item, body: Incident) -> None:
        finding = detected_finding(item, body, self._classes())
        if body.restored:
            await self._note(conn, finding.fingerprint, finding.evidence[0], item.now, finding.facts)
            return
        await self._open(conn, finding, item.received_at, item.now)


def detected_finding(item: Item, body: Incident, classes: Classes) -> Finding:
    """Return what an agent's own detection says; a class nobody knows is filed under other incidents."""
    klass = body.klass if classes.knows(body.klass) else OTHER
    name = classes.name(klass)
    at = _ours(item, body.first_seen)
    facts = dict(_facts(item, body.facts))
    return Finding(
        fingerprint=f"{item.node.id}/{klass}/{body.key}",
        klass=klass,
        unit=item.node.unit,
        asset=item.asset.id if item.asset else None,
        node=item.node.id,
        facts=facts,
        times={"occurred": at, "detected": _ours(item, item.observed_at)},
        first_seen=at,
        last_seen=_ours(item, body.last_seen),
        evidence=(
            _evidence(item)
            | {
                "class": body.klass,
                "severity_hint": body.severity_hint,
                "source_address": body.source_address,
                "target_address": body.target_address,
                "target": body.target,
                "restored": body.restored,
                "count": body.count,
                "items": body.evidence[:EVIDENCE_KEPT],
                "items_total": body.evidence_total,
                "facts": facts,
            },
        ),
        title=_title(name.zh, item, _what(body), "zh"),
        title_en=_title(name.en, item, _what(body), "en"),
        late=_is_late(item),
        source=f"node:{item.node.id}",
    )


def judged_finding(item: Item, judged: Judged) -> Finding | None:
    """Return what a verdict amounts to, None where that is nothing."""
    meaning = MEANINGS.get(judged.verdict)
    if meaning is None:
        return None
    at = _ours(item, item.observed_at)
    name, way = VERDICTS[judged.verdict], _way(judged)
    return Finding(
        fingerprint=fingerprint(item.node.id, meaning.klass, judged.key),
        klass=meaning.klass,
        unit=item.node.unit,
        asset=item.asset.id if item.asset else None,
        node=item.node.id,
        times={"occurred": at, "detected": at},
        first_seen=at,
        last_seen=at,
        evidence=(
            _evidence(item)
            | {
                "verdict": judged.verdict,
                "exit": judged.key,
                "reasons": to_builtins(judged.reasons),
                "items": list(judged.evidence),
            },
        ),
        title=_title(name.zh, item, way.zh, "zh"),
        title_en=_title(name.en, item, way.en, "en"),
        plan_hint=meaning.plan_hint,
        late=_is_late(item),
        source=f"node:{item.node.id}",
    )


def ended_by(item: Item, change: Change) -> Ended | None:
    """Return which matter a change ends: the way is gone, or judged as something else by now."""
    before = MEANINGS.get(change.before) if change.before else None
    after = MEANINGS.get(change.judged.verdict) if change.judged else None
    if before is None or (after is not None and after.klass == before.klass):
        return None
    now = change.judged.verdict if change.judged else "gone"
    return Ended(
        fingerprint=fingerprint(item.node.id, before.klass, change.key),
        evidence=_evidence(item) | {"ended": True, "exit": change.key, "from": change.before, "to": now},
    )


def fingerprint(node: str, klass: str, key: str) -> str:
    """Return what makes two findings the same matter."""
    return f"{node}/{klass}/{key}"


def _evidence(item: Item) -> dict[str, Any]:
    """Return where it comes from; its times are the host's, with by how much they are wrong."""
    said = {
        "report": item.id,
        "kind": item.kind,
        "source": item.source,
        "observed_at": item.observed_at.isoformat(),
        "received_at": item.received_at.isoformat(),
    }
    return said | {"clock_ahead_seconds": round(item.ahead.total_seconds())} if item.ahead else said


def _facts(item: Item, facts: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the facts, their times by our clock."""
    for name, value in facts.items():
        if name.endswith("_since") and isinstance(value, str):
            try:
                since = msgspec.convert(value, datetime)
            except msgspec.ValidationError:
                yield name, value
                continue
            if since.tzinfo is not None and (ours := _ours(item, since)) != since:
                yield name, ours.isoformat()
                continue
        yield name, value


def _ours(item: Item, at: datetime) -> datetime:
    return by_our_clock(at, item.ahead, item.received_at)


def _is_late(item: Item) -> bool:
    return item.received_at - _ours(item, item.observed_at) > LATE


def _what(body: Incident) -> str:
    return body.target or body.source_address or body.key


def _way(judged: Judged) -> Name:
    """Return a way out as people read it."""
    head, _, rest = judged.key.partition("/")
    if head in {"service", "proxy"}:
        return Name(rest, rest)
    if head == "gateway":
        return Name("充当其他主机的网关", "gateway for other hosts")
    if head in {"mail", "webmail"}:
        place = judged.next_hop or rest
        return Name(f"邮件经 {place}", f"mail by {place}")
    kind = LINK_KINDS[judged.link_kind]
    if judged.next_hop:
        return Name(
            f"{judged.link}（{kind.zh}）经 {judged.next_hop}",
            f"{judged.link} ({kind.en}) via {judged.next_hop}",
        )
    # Both families may go straight onto one link: two matters, which nothing else tells apart.
    family = ("，IPv6", ", IPv6") if head == "way" and rest.endswith("/6") else ("", "")
    return Name(f"{judged.link}（{kind.zh}{family[0]}）", f"{judged.link} ({kind.en}{family[1]})")


def _title(name: str, item: Item, what: str, language: str) -> str:
    host = item.node.host_name
    if language == "zh":
        where = f"{item.asset.name} {host}" if item.asset else host
        return f"{name}：{what}（{where}）"
    where = f"{item.asset.id} {host}" if item.asset else host
    return f"{name}: {what} ({where})"
