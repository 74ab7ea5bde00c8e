from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from collector.metrics import COUNTERS, LATENESS_BOUNDS, Buckets, Figures, State, render

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOTHING = State(
    nodes={},
    node_findings={},
    silent_agents=0,
    next_certificate_expiry=None,
    exits={},
    exit_days={},
    incidents={},
    obligations={},
    next_due=None,
    next_target=None,
    notices={},
    oldest_notice=None,
    filings={},
    orders={},
    oldest_filing=None,
    unreached=None,
    runs={},
    drills_held={},
    units_lacking={},
    calendars_missing={},
    quarantined=0,
    lateness=Buckets(LATENESS_BOUNDS, (0,) * 10, 0.0),
)
BUSY = State(
    nodes={("active", "internet", "3"): 4},
    node_findings={"update_rolled_back": 2, "grade_differs": 0},
    silent_agents=1,
    next_certificate_expiry=NOW + timedelta(days=1),
    exits={"used": 2},
    exit_days={"county": {"declared": 1, "observed": 3, "unsanctioned": 2, "outside": 4, "behind": 9}},
    incidents={"II": 1, "none": 1},
    obligations={"open": 3},
    next_due=NOW + timedelta(minutes=20),
    next_target=NOW - timedelta(minutes=1),
    notices={"waiting": 1},
    oldest_notice=NOW - timedelta(seconds=30),
    filings={},
    orders={("block_address", "refused"): 2},
    oldest_filing=None,
    unreached=NOW - timedelta(minutes=6),
    runs={"running": 2},
    drills_held={"comprehensive": 1, "special": 0},
    units_lacking={"no_drill": 3},
    calendars_missing={"CN": 1},
    quarantined=1,
    lateness=Buckets(LATENESS_BOUNDS, (2, 1, 0, 0, 0, 0, 0, 0, 0, 1), 4000.0),
)


@dataclass
class Told:
    values: dict[tuple[str, tuple[tuple[str, str], ...]], float]

    def of(self, name: str, **labels: str) -> float | None:
        return self.values.get((name, tuple(sorted(labels.items()))))


def told(state: State, **counters: float | dict[str, float] | Buckets) -> Told:
    figures = Figures(state=state, pulses={"auditor": 2.5}, counters=counters, version="0.1.0")
    families = text_string_to_metric_families(render(figures, NOW).decode())
    return Told(
        {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }
    )


def test_every_figure_is_shown_in_base_units() -> None:
    shown = told(BUSY)

    assert shown.of("fengsui_nodes", state="active", zone="internet", grade="3") == 4
    assert shown.of("fengsui_next_due_seconds", basis="law") == 1200
    assert shown.of("fengsui_calendar_years_missing", region="CN") == 1
    assert shown.of("fengsui_duty_unreached_seconds") == 360
    assert shown.of("fengsui_next_due_seconds", basis="target") == -60
    assert shown.of("fengsui_notices_oldest_unsent_seconds") == 30
    assert shown.of("fengsui_filings_oldest_unsent_seconds") == 0
    assert shown.of("fengsui_flow_last_pass_age_seconds", flow="auditor") == 2.5
    assert shown.of("fengsui_incidents_open", level="II") == 1
    assert shown.of("fengsui_drills_held_total", kind="comprehensive") == 1
    assert shown.of("fengsui_units_lacking_drill", lack="no_drill") == 3
    assert shown.of("fengsui_build_info", version="0.1.0") == 1


def test_where_no_clock_runs_there_is_no_next_due_time() -> None:
    assert told(NOTHING).of("fengsui_next_due_seconds", basis="law") is None


def test_a_histogram_is_cumulated() -> None:
    shown = told(BUSY)

    assert shown.of("fengsui_alarm_lateness_seconds_bucket", le="0.5") == 2
    assert shown.of("fengsui_alarm_lateness_seconds_bucket", le="3600.0") == 3
    assert shown.of("fengsui_alarm_lateness_seconds_bucket", le="+Inf") == 4
    assert shown.of("fengsui_alarm_lateness_seconds_sum") == 4000


def test_counters_of_the_process_stand_beside_those_of_the_database() -> None:
    shown = told(
        NOTHING,
        fengsui_reports_received_total=9.0,
        fengsui_requests_refused_total={"revoked": 2.0},
        fengsui_commit_seconds=Buckets((0.01,), (5, 1), 0.2),
    )

    assert shown.of("fengsui_reports_received_total") == 9
    assert shown.of("fengsui_requests_refused_total", reason="revoked") == 2
    assert shown.of("fengsui_commit_seconds_count") == 6


def test_a_counter_nobody_has_raised_is_zero_and_not_missing() -> None:
    shown = told(NOTHING)

    assert all(shown.of(name) == 0 for name, (label, _) in COUNTERS.items() if not label)
