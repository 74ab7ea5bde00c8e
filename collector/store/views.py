"""Rows as the console and the API show them: frozen, without secrets, named as in the schema."""

from datetime import datetime
from typing import Any

from msgspec import Struct, field


class NodeRow(Struct, frozen=True, kw_only=True):
    """An enrolled agent or collector. `skew_seconds` is host clock minus ours, positive when ahead."""

    id: str
    unit: str
    kind: str
    state: str
    host_name: str
    machine_id: str
    assets: list[str]
    certificate_expires: datetime
    enrolled_at: datetime
    last_seen: datetime | None
    skew_seconds: float | None
    agent_version: str | None
    findings: list[dict[str, Any]]
    presence: dict[str, Any] | None = None


class FactRow(Struct, frozen=True, kw_only=True):
    """The newest report of a kind that a node sent."""

    kind: str
    body: Any
    observed_at: datetime
    received_at: datetime


class OrderFile(Struct, frozen=True, kw_only=True):
    """An order to a node and what became of it; `dry_run`: the node only looked whether it would."""

    id: str
    node: str
    incident: str | None
    kind: str
    params: dict[str, Any]
    issued_at: datetime
    deadline: datetime
    state: str
    ended_at: datetime | None
    detail: dict[str, Any] | None
    dry_run: bool


class ExitRow(Struct, frozen=True, kw_only=True):
    """A way from a node to the internet, with its verdict and what proves it."""

    node: str
    key: str
    unit: str
    link: str
    link_kind: str
    next_hop: str | None
    addresses: list[str]
    verdict: str
    sanctioned_by: str | None
    evidence: Any
    first_seen: datetime
    last_seen: datetime
    gone_at: datetime | None
    confidence: float | None


class ExitDayRow(Struct, frozen=True, kw_only=True):
    """Where a unit stood with its ways to the internet at the end of a day, or now.

    Fields:
        day: In the unit's time zone.
        declared, observed: Exits the register names, and different ways out that nodes have.
        unsanctioned: Ways out that are no registered exit.
        nodes: Active agents of the unit.
        outside, behind: Nodes with an unsanctioned way out, and those with none but registered exits.
        share: Of nodes with a way out, those behind the registered exits; null where none has one.
    """

    unit: str
    day: str
    declared: int
    observed: int
    unsanctioned: int
    nodes: int
    outside: int
    behind: int
    share: float | None
    counted_at: datetime


class IncidentRow(Struct, frozen=True, kw_only=True):
    """An incident as lists show it. `level` is null while nothing grades it."""

    id: str
    unit: str
    asset: str | None
    node: str | None
    klass: str = field(name="class")
    level: str | None
    level_by: str | None
    proposed: bool = False
    next_level: dict[str, Any] | None
    state: str
    acknowledged_by: str | None
    title: str
    title_en: str
    count: int
    first_seen: datetime
    last_seen: datetime
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    late: bool
    drill: bool
    version: int


class IncidentFile(IncidentRow, frozen=True, kw_only=True):
    """All that is kept of one incident itself."""

    fingerprint: str
    confirmed_level: str | None = None
    confirmed_by: str | None = None
    standard: dict[str, Any] | None = None
    reasons: list[dict[str, Any]]
    facts: dict[str, Any]
    times: dict[str, Any]
    evidence: list[Any]
    plan_hint: str | None


class ObligationRow(Struct, frozen=True, kw_only=True):
    """A report owed, as a clock. `due_at` is law, `target_at` the unit's own aim and no law."""

    id: str
    incident: str
    obligation: str
    regime: str
    stage: str
    recipient: str
    anchor: str
    anchor_at: datetime | None
    due_at: datetime | None
    target_at: datetime | None
    state: str
    missing: list[str] | None
    content: list[Any]
    source: str
    verified: bool
    generation: int
    opened_at: datetime
    met_at: datetime | None
    met_by: str | None
    doubted_at: datetime | None = None


class FilingRow(Struct, frozen=True, kw_only=True):
    """A report sent for an obligation, with its receipt once it came."""

    id: str
    key: str
    incident: str
    clock: str
    obligation: str
    recipient: str
    way: str
    state: str
    attempts: int
    created_at: datetime
    filed_at: datetime | None
    receipt: dict[str, Any] | None
    receipt_at: datetime | None


class FilingFile(FilingRow, frozen=True, kw_only=True):
    """A filing with what was sent and what the last attempt answered."""

    payload: Any
    result: Any


class ReceivedRow(Struct, frozen=True, kw_only=True):
    """A report that came from a collector below; `number` is its receipt number."""

    number: int
    key: str
    node: str
    unit: str
    incident: str
    obligation: str
    level: str | None
    received_at: datetime
    sha256: str
    drill: str | None


class ReceivedFile(ReceivedRow, frozen=True, kw_only=True):
    """A received report with its content."""

    payload: dict[str, Any]


class RunRow(Struct, frozen=True, kw_only=True):
    """An execution of an emergency plan.

    Fields:
        level: The response level it is carried out at.
        cause: What started it: `by` (class, hint, hand, warning), and its `warning` or `reason`.
        resume_at: When a paused one goes on by itself.
    """

    id: str
    incident: str | None
    unit: str
    plan: str
    plan_sha256: str
    state: str
    level: str | None
    cause: Any
    drill: bool
    started_at: datetime
    ended_at: datetime | None
    progress_at: datetime
    resume_at: datetime | None


class RunPlan(RunRow, frozen=True, kw_only=True):
    """A run with the plan it is pinned to, from which its steps' words and forms come."""

    plan_body: dict[str, Any]


class StepRow(Struct, frozen=True, kw_only=True):
    """One visit of a plan's step."""

    run: str
    step: str
    visit: int
    parent: str
    kind: str
    state: str
    owner_role: str | None
    out: Any
    why: str | None
    actor: str | None
    ready_at: datetime
    wake_at: datetime | None
    deadline: datetime | None
    ended_at: datetime | None


class NoticeRow(Struct, frozen=True, kw_only=True):
    """A message to a person or a machine, and what became of it."""

    id: str
    incident: str | None
    person: str | None
    channel: str
    state: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    payload: Any
    result: Any


class AuditRow(Struct, frozen=True, kw_only=True):
    """A journal entry with its place in the hash chain."""

    id: int
    chain: str
    n: int
    at: datetime
    actor: str
    action: str
    subject: str
    incident: str | None
    detail: dict[str, Any]
    previous: str
    hash: str
