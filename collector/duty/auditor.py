"""Checks independently of the flows that everything due was done, and says so over a way that works.

One pass asks a few indexed questions (`store.audits`). A finding is told and written to the journal once,
also after a restart: there it is looked up. The age of the last pass is for the metrics;
a collector above misses it when it grows.

A channel whose notices have no result is not the one to say so over. The people on duty are told over their
others; where they have none, those of the collector's own unit, then the leaders; and only where nobody has
another way, over the one that failed: it may be back.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import RetryableError
from ..escalation import Call, Directory, wake
from ..store import journal
from ..store.audits import OWN, AuditFinding, Grace, find
from ..store.engine import Store
from ..store.notice_batch import NewNotice, add_notices

EVERY = timedelta(seconds=30)
LIMIT = 100
NAMED = 10
_log = logging.getLogger(__name__)
_WORDS = {
    "alarm_not_fired": ("到时提醒未发出", "an alarm that is due has not fired"),
    "clock_not_fired": ("时限已过而未提醒", "a clock is past due and nobody was told"),
    "notice_without_result": ("通知没有结果", "a notice has no result"),
    "filing_without_receipt": ("报送没有回执", "a filing has no receipt"),
    "run_without_progress": ("预案执行停滞", "a plan's run makes no progress"),
    "run_forgotten": ("预案待办长时间无人处理", "a plan's run has long been waiting for a person"),
    "calendar_missing": ("工作日历缺失或未确认", "a year of working days is missing or not confirmed"),
}
_REMEDIES = {
    "calendar_missing": "取得放假安排后运行 fengsui-collector calendar import FILE；"
    "此前按工作日计的时限无法计算。 "
    "Import the decreed year by it; until then limits in working days cannot be computed."
}


class Auditor:
    """Looks at the rows; `run` for ever, `audit` once.

    Args:
        store: The state.
        directory: Who is told: whom roles mean at the time.
        unit: The collector's own unit; its people hear of what belongs to nobody.
        now: The host's clock.
        channels: Channels of the settings to tell over; empty: all that a person has.
        grace: How late things may be.

    Attributes:
        last_pass: When the last pass ended; None: none yet.
        findings: How many were new since the start.
        failures: How many passes ended in an error.
    """

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        unit: str,
        *,
        now: Callable[[], datetime],
        channels: tuple[str, ...] = (),
        grace: Grace | None = None,
    ) -> None:
        self._store = store
        self._directory = directory
        self._unit = unit
        self._now = now
        self._channels = channels
        self._grace = grace or Grace()
        self._told: set[str] = set()
        self.last_pass: datetime | None = None
        self.findings = 0
        self.failures = 0

    async def run(self) -> None:
        """Audit every half minute."""
        while True:
            try:
                await self.audit()
            except RetryableError as error:
                self.failures += 1
                _log.warning("auditor: %s", error)
            await asyncio.sleep(EVERY.total_seconds())

    async def audit(self) -> list[AuditFinding]:
        """Make one pass; return the findings that are new.

        Raises:
            StoreBusyError: The database is away.
        """
        now = self._now()
        async with self._store.read() as connection:
            found = await find(connection, now, self._grace, LIMIT)
        unknown = [finding for finding in found if _key(finding) not in self._told]
        if unknown:
            silent = {finding.channel for finding in found if finding.channel}
            unknown = await self._store.run(lambda connection: self._tell(connection, unknown, silent, now))
        self._told = {_key(finding) for finding in found}
        self.findings += len(unknown)
        self.last_pass = now
        return unknown

    async def _tell(
        self, connection: AsyncConnection, found: list[AuditFinding], silent: AbstractSet[str], now: datetime
    ) -> list[AuditFinding]:
        told = await journal.findings_of(connection, {one.incident for one in found if one.incident})
        groups: dict[tuple[str, str], list[AuditFinding]] = defaultdict(list)
        for finding in found:
            if (finding.kind, finding.subject) not in told:
                groups[finding.kind, finding.unit or self._unit].append(finding)
        new: list[AuditFinding] = []
        for (_, unit), findings in groups.items():
            notices = self._notices(unit, findings, silent)
            if await add_notices(connection, notices, now) or not notices:
                new += findings
        await journal.write_all(connection, [_entry(finding) for finding in new], now)
        return new

    def _notices(self, unit: str, findings: list[AuditFinding], silent: AbstractSet[str]) -> list[NewNotice]:
        """One notice a person for all of a unit's findings of a kind: what is broken is broken for many."""
        calls = self._calls(unit, silent)
        incidents = {finding.incident for finding in findings}
        return [
            NewNotice(
                key=f"{_key(findings[0])}/{call.person}/{call.channel}",
                incident=findings[0].incident if len(incidents) == 1 else None,
                person=call.person,
                channel=call.channel,
                payload=_payload(findings),
            )
            for call in calls
        ]

    def _calls(self, unit: str, silent: AbstractSet[str]) -> list[Call]:
        """Whom to tell over what; see the module."""
        directory = self._directory()
        asked = [(one, role) for role in ("duty", "leader") for one in dict.fromkeys((unit, self._unit))]
        ways = [list(wake(directory, one, role, self._channels).calls) for one, role in asked]
        working = [[call for call in calls if call.channel not in silent] for calls in ways]
        return next((calls for calls in (*working, *ways) if calls), [])


def _key(finding: AuditFinding) -> str:
    return f"{OWN}{finding.kind}/{finding.subject}"


def _payload(findings: list[AuditFinding]) -> dict[str, object]:
    zh, en = _WORDS[findings[0].kind]
    lines = [f"{one.subject}, {one.since.isoformat(' ', 'seconds')}" for one in findings[:NAMED]]
    return {
        "subject": f"【烽燧】自查:{zh} ({len(findings)}) [Fengsui] audit: {en} ({len(findings)})",
        "body": "\n".join([*lines, *filter(None, [_REMEDIES.get(findings[0].kind)])]),
        "kind": findings[0].kind,
        "incident": findings[0].incident,
    }


def _entry(finding: AuditFinding) -> journal.Entry:
    return journal.Entry(
        actor="system",
        action="audit.finding",
        subject=finding.subject,
        incident=finding.incident,
        detail={"finding": finding.kind, "since": finding.since},
    )
