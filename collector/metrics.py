"""The collector's numbers as Prometheus reads them: base units, `_total` for counters, no label an incident.

Pure: figures come in, text goes out. What the database knows is read by `store.figures`, what only this
process knows is handed in by `app` under the names of `COUNTERS`, `GAUGES` and `DURATIONS`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

LATENESS_BOUNDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""Seconds; an alarm more than a minute late is a fault, more than an hour a scandal."""

COUNTERS: Mapping[str, tuple[str, str]] = {
    "fengsui_reports_received_total": ("", "Reports committed to the event log."),
    "fengsui_batches_received_total": ("", "Batches committed to the event log."),
    "fengsui_batches_refused_total": ("reason", "Batches not taken, by reason."),
    "fengsui_batches_repeated_total": ("", "Batches that were held already."),
    "fengsui_reports_missing_total": ("", "Report numbers that never came: dropped by an agent's outbox."),
    "fengsui_requests_refused_total": ("reason", "Requests at the agents' listener refused, by reason."),
    "fengsui_reports_quarantined_total": ("", "Reports the pipeline could not read."),
    "fengsui_http_faults_total": ("", "Requests at console and API that ended in a fault of ours."),
}
"""Counters of this process by name: the label that tells them apart (empty: none) and their help."""

GAUGES: Mapping[str, str] = {
    "fengsui_agent_connections": "Connections open at the agents' listener.",
}
"""Standing values of this process by name."""

DURATIONS: Mapping[str, str] = {
    "fengsui_commit_seconds": "Time from a batch's arrival to its commit in the event log.",
}
"""Histograms of this process by name."""


class Buckets(Struct, frozen=True):
    """A histogram: how many fell at or below each bound but above the one before, the last above all."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float


Figure = float | Mapping[str, float] | Buckets
"""A counter, one by its label's value, or a duration."""


class State(Struct, frozen=True, kw_only=True):
    """What the database says. Times are aware; a None is a thing there is none of."""

    nodes: dict[tuple[str, str, str], int]  # state, zone, grade
    node_findings: dict[str, int]  # by kind
    silent_agents: int
    next_certificate_expiry: datetime | None
    exits: dict[str, int]
    exit_days: dict[str, Mapping[str, float | None]]  # by unit: the last day's counts
    incidents: dict[str, int]
    obligations: dict[str, int]
    next_due: datetime | None
    next_target: datetime | None
    notices: dict[str, int]
    oldest_notice: datetime | None
    filings: dict[str, int]
    orders: dict[tuple[str, str], int]  # kind, state
    oldest_filing: datetime | None
    unreached: datetime | None
    runs: dict[str, int]
    drills_held: dict[str, int]  # by kind
    units_lacking: dict[str, int]  # by what the year's proof of drills lacks
    calendars_missing: dict[str, int]  # years by region
    quarantined: int
    lateness: Buckets


class Figures(Struct, frozen=True, kw_only=True):
    """Everything that is shown. `pulses` are ages in seconds of each flow's last pass.

    A counter is a number, or a mapping from its label's value; a duration is a `Buckets`.
    """

    state: State
    pulses: Mapping[str, float]
    counters: Mapping[str, Figure]
    version: str


def render(figures: Figures, now: datetime) -> bytes:
    """Return the exposition text. Takes long where series are many: run it off the event loop."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Shown(figures, now))
    return generate_latest(registry)


class _Shown(Collector):
    """Hands a set of figures to prometheus-client."""

    def __init__(self, figures: Figures, now: datetime) -> None:
        self._figures = figures
        self._now = now

    def collect(self) -> Iterator[Metric]:
        state = self._figures.state
        yield from _nodes(state)
        yield _by("fengsui_exits", "Ways from nodes to the internet, by verdict.", "verdict", state.exits)
        yield from _register(state)
        yield _by(
            "fengsui_incidents_open", "Incidents that are not closed, by level.", "level", state.incidents
        )
        yield _by("fengsui_obligations", "Reports owed, by state of the clock.", "state", state.obligations)
        yield self._next_due(state)
        yield _histogram(
            "fengsui_alarm_lateness_seconds",
            "How late alarms of statutory clocks and escalations fired, since the start of this process.",
            state.lateness,
        )
        yield from self._effects(state)
        yield _by("fengsui_runs", "Plan executions, by state.", "state", state.runs)
        yield from _drills(state)
        text = "Years of working days that should have been decreed by now and are not here, by region."
        yield _by("fengsui_calendar_years_missing", text, "region", state.calendars_missing)
        yield _plain("fengsui_quarantined_reports", "Reports kept aside as unreadable.", state.quarantined)
        ages = GaugeMetricFamily(
            "fengsui_flow_last_pass_age_seconds",
            "Time since a flow's last full pass; `auditor` checks that all that was due was fired.",
            labels=["flow"],
        )
        for flow, age in sorted(self._figures.pulses.items()):
            ages.add_metric([flow], age)
        yield ages
        yield from _own(self._figures.counters)
        build = GaugeMetricFamily("fengsui_build_info", "1, with the version as a label.", labels=["version"])
        build.add_metric([self._figures.version], 1)
        yield build

    def _next_due(self, state: State) -> Metric:
        family = GaugeMetricFamily(
            "fengsui_next_due_seconds",
            "Time to the next due time (law) or own target of a running clock; negative when past.",
            labels=["basis"],
        )
        for basis, at in (("law", state.next_due), ("target", state.next_target)):
            if at is not None:
                family.add_metric([basis], (at - self._now).total_seconds())
        return family

    def _effects(self, state: State) -> Iterator[Metric]:
        yield _by("fengsui_notices", "Notices to people and machines, by state.", "state", state.notices)
        yield _by("fengsui_filings", "Reports to authorities, by state.", "state", state.filings)
        orders = GaugeMetricFamily(
            "fengsui_orders",
            "Orders to nodes, by kind and state: done, refused, failed, expired, or not ended.",
            labels=["kind", "state"],
        )
        for labels, count in sorted(state.orders.items()):
            orders.add_metric(list(labels), count)
        yield orders
        for name, noun, oldest in (
            ("fengsui_notices_oldest_unsent_seconds", "notice", state.oldest_notice),
            ("fengsui_filings_oldest_unsent_seconds", "filing", state.oldest_filing),
        ):
            age = (self._now - oldest).total_seconds() if oldest else 0.0
            yield _plain(name, f"Age of the oldest {noun} that is not out yet; 0 when all are.", age)
        since = (self._now - state.unreached).total_seconds() if state.unreached else 0.0
        text = "Time for which no notice to a person has got through though one should have; 0 when one did."
        yield _plain("fengsui_duty_unreached_seconds", text, since)


def _nodes(state: State) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "fengsui_nodes",
        "Enrolled nodes, by state, and by zone and protection grade of their asset.",
        labels=["state", "zone", "grade"],
    )
    for labels, count in sorted(state.nodes.items()):
        family.add_metric(list(labels), count)
    yield family
    text = "Active nodes with a finding: what differs from the register, an update that failed; by kind."
    yield _by("fengsui_node_findings", text, "kind", state.node_findings)
    yield _plain("fengsui_nodes_silent", "Active agents not heard of for five minutes.", state.silent_agents)
    if state.next_certificate_expiry is not None:
        yield _plain(
            "fengsui_node_certificate_next_expiry_timestamp_seconds",
            "When the first certificate of an active node ends.",
            state.next_certificate_expiry.timestamp(),
        )


_REGISTER = {
    "declared": ("fengsui_exits_declared", "Exits that the register names for the unit."),
    "observed": ("fengsui_exits_observed", "Different ways to the internet that the unit's nodes have."),
    "unsanctioned": ("fengsui_exits_unsanctioned", "Ways to the internet that are no registered exit."),
    "outside": ("fengsui_nodes_outside_exit", "Nodes with a way around the registered exit."),
    "behind": ("fengsui_nodes_behind_exit", "Nodes whose every way out is a registered exit."),
}


def _register(state: State) -> Iterator[Metric]:
    for field, (name, text) in _REGISTER.items():
        yield _by(name, text, "unit", {unit: int(row[field] or 0) for unit, row in state.exit_days.items()})


def _drills(state: State) -> Iterator[Metric]:
    held = CounterMetricFamily(
        "fengsui_drills_held_total", "Drills carried through, by kind.", labels=["kind"]
    )
    for kind, count in sorted(state.drills_held.items()):
        held.add_metric([kind], count)
    yield held
    text = "Units whose proof of this year's drills lacks something, by what it is."
    yield _by("fengsui_units_lacking_drill", text, "lack", state.units_lacking)


def _own(counters: Mapping[str, Figure]) -> Iterator[Metric]:
    for name, (label, text) in COUNTERS.items():
        value = counters.get(name, {} if label else 0.0)
        family = CounterMetricFamily(name, text, labels=[label] if label else [])
        if isinstance(value, Mapping):
            for one, count in sorted(value.items()):
                family.add_metric([one], count)
        elif not isinstance(value, Buckets):
            family.add_metric([], value)
        yield family
    for name, text in GAUGES.items():
        if isinstance(standing := counters.get(name), int | float):
            yield _plain(name, text, standing)
    for name, text in DURATIONS.items():
        if isinstance(found := counters.get(name), Buckets):
            yield _histogram(name, text, found)


def _plain(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _by(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family


def _histogram(name: str, text: str, buckets: Buckets) -> Metric:
    family = HistogramMetricFamily(name, text)
    below, cumulated = 0, []
    for bound, count in zip((*buckets.bounds, float("inf")), buckets.counts, strict=True):
        below += count
        cumulated.append(("+Inf" if bound == float("inf") else str(bound), below))
    family.add_metric([], buckets=cumulated, sum_value=buckets.total)
    return family
