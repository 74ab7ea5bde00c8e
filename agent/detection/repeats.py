"""Makes one trouble of many equal findings, and says when it begins, goes on and is over.

    findings    x  x xx   x                      key `suricata:2010935:203.0.113.9`
    told        1st    repeat (count 4)     quiet for `window`: restored (count 5)

An attacker chooses what a sensor says, addresses above all. So a group (a signature, a rule) may have
`most` troubles of its own; what comes after joins one trouble of the whole group. And all groups together
are bounded too: the trouble that is quiet for longest gives way, told as over.

>>> from datetime import UTC, datetime, timedelta
>>> at = datetime(2026, 3, 2, 9, tzinfo=UTC)
>>> repeats = Repeats(RepeatSettings(window=60, repeat=30))
>>> seen = Finding(key="k", group="k", incident_class="NASCAN", severity="low", at=at)
>>> [body["count"] for body in repeats.note(seen)], repeats.note(seen)
([1], [])
>>> [(body["count"], body["restored"]) for body in repeats.tick(at + timedelta(seconds=31))]
[(2, False)]
>>> [body["restored"] for body in repeats.tick(at + timedelta(seconds=61))]
[True]
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

from ..bounded import Count, Pause, Seconds
from ..clock import moment

Severity = Literal["low", "medium", "high"]
Body = dict[str, Any]
GRAVITY: tuple[Severity, ...] = ("low", "medium", "high")
_MAX_EVIDENCE = 10
_MAX_TROUBLES = 500
_MAX_OTHERS = 20


class RepeatSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How equal findings are told.

    Fields:
        window: Seconds without a finding after which a trouble is over.
        repeat: Seconds between two reports of one trouble that goes on.
        most: Troubles of one signature or rule; what comes after is told as one.
    """

    window: Seconds = 900.0
    repeat: Pause = 60.0
    most: Count = 50


class Finding(Struct, frozen=True, kw_only=True):
    """One record that tells of harm.

    Fields:
        key: The trouble it belongs to; `group`: what may not have too many troubles.
        times: How often it happened, where the record tells.
        item: What becomes evidence.
        more: Further fields of the incident's body, the last finding's count.
    """

    key: str
    group: str
    incident_class: str
    severity: Severity
    at: datetime
    source_address: str | None = None
    target_address: str | None = None
    target: str | None = None
    times: int = 1
    item: dict[str, Any] = {}
    more: dict[str, Any] = {}


class Trouble(Struct, kw_only=True):
    """What is known of one trouble; it can be saved."""

    group: str
    incident_class: str
    severity: Severity
    first_seen: datetime
    last_seen: datetime
    told_at: datetime
    source_address: str | None = None
    target_address: str | None = None
    target: str | None = None
    count: int = 0
    told_count: int = 0
    evidence: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    addresses: list[str] = []


class Repeats:
    """The troubles of one source."""

    def __init__(self, settings: RepeatSettings, saved: dict[str, Trouble] | None = None) -> None:
        self._settings = settings
        self._window = timedelta(seconds=settings.window)
        self._repeat = timedelta(seconds=settings.repeat)
        self._troubles = dict(saved or {})
        self._groups = Counter(trouble.group for trouble in self._troubles.values())

    def saved(self) -> dict[str, Trouble]:
        """Return what to save."""
        return self._troubles

    def note(self, finding: Finding) -> list[Body]:
        """Count a finding; return what it begins, makes graver, or pushes out."""
        key = finding.key
        crowded = key not in self._troubles and self._groups[finding.group] >= self._settings.most
        if crowded:
            key = finding.group
        trouble = self._troubles.get(key)
        bodies = []
        if trouble and finding.at - trouble.last_seen > self._window:
            bodies.append(self._end(key))
            trouble = None
        if trouble is None:
            bodies += self._make_room()
            trouble = self._begin(key, finding)
        graver = GRAVITY.index(finding.severity) > GRAVITY.index(trouble.severity)
        _add(trouble, finding, joined=crowded)
        if trouble.told_count == 0 or graver:
            bodies.append(_tell(key, trouble, finding.at, restored=False))
        return bodies

    def hold(self, finding: Finding) -> list[Body]:
        """Keep a state alive as one trouble: told when it begins, and not counted up while it lasts."""
        trouble = self._troubles.get(finding.key)
        if trouble is None:
            return self.note(finding)
        trouble.last_seen = max(trouble.last_seen, finding.at)
        return []

    def over(self, key: str) -> list[Body]:
        """End a trouble that is known to be over, if there is one."""
        return [self._end(key)] if key in self._troubles else []

    def tick(self, now: datetime) -> list[Body]:
        """Return the reports that are due: troubles that went on, and those that are over."""
        bodies = []
        for key, trouble in list(self._troubles.items()):
            if now - trouble.last_seen > self._window:
                bodies.append(self._end(key))
            elif trouble.count > trouble.told_count and now - trouble.told_at >= self._repeat:
                bodies.append(_tell(key, trouble, now, restored=False))
        return bodies

    def _begin(self, key: str, finding: Finding) -> Trouble:
        trouble = Trouble(
            group=finding.group,
            incident_class=finding.incident_class,
            severity=finding.severity,
            first_seen=finding.at,
            last_seen=finding.at,
            told_at=finding.at,
            source_address=finding.source_address,
            target_address=finding.target_address,
            target=finding.target,
        )
        self._troubles[key] = trouble
        self._groups[trouble.group] += 1
        return trouble

    def _make_room(self) -> list[Body]:
        if len(self._troubles) < _MAX_TROUBLES:
            return []
        return [self._end(min(self._troubles, key=lambda key: self._troubles[key].last_seen))]

    def _end(self, key: str) -> Body:
        trouble = self._troubles.pop(key)
        self._groups[trouble.group] -= 1
        if not self._groups[trouble.group]:
            del self._groups[trouble.group]
        return _tell(key, trouble, trouble.last_seen, restored=True)


def _add(trouble: Trouble, finding: Finding, *, joined: bool) -> None:
    trouble.count += finding.times
    trouble.last_seen = max(trouble.last_seen, finding.at)
    trouble.first_seen = min(trouble.first_seen, finding.at)
    trouble.severity = max(trouble.severity, finding.severity, key=GRAVITY.index)
    trouble.more = finding.more
    # The first tell how it began, the last how it is now.
    if len(trouble.evidence) >= _MAX_EVIDENCE:
        del trouble.evidence[_MAX_EVIDENCE // 2]
    trouble.evidence = [*trouble.evidence, finding.item] if finding.item else trouble.evidence
    if joined:
        trouble.source_address = None
    if finding.source_address and finding.source_address not in trouble.addresses[:_MAX_OTHERS]:
        trouble.addresses = [*trouble.addresses, finding.source_address][:_MAX_OTHERS]
    if trouble.target_address != finding.target_address:
        trouble.target_address = None


def _tell(key: str, trouble: Trouble, now: datetime, *, restored: bool) -> Body:
    """Return the incident's body, and note that it was told."""
    trouble.told_at, trouble.told_count = now, trouble.count
    return {
        "key": key,
        "class": trouble.incident_class,
        "severity_hint": trouble.severity,
        "facts": {},
        "source_address": trouble.source_address,
        "target_address": trouble.target_address,
        "target": trouble.target,
        "count": trouble.count,
        "first_seen": moment(trouble.first_seen),
        "last_seen": moment(trouble.last_seen),
        "restored": restored,
        "source_addresses": trouble.addresses,
        **trouble.more,
        "evidence": trouble.evidence,
        "evidence_total": trouble.count,
    }
