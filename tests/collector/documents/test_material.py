"""Where a figure was said: by whom, in which report, in which entry of the journal."""

from typing import TYPE_CHECKING

from collector.documents.material import Measure, ended, instant, reports, title_of
from tests.collector.documents.conftest import NINE, incident, material

if TYPE_CHECKING:
    from collector.documents.material import Material
    from collector.registry import Registry


def test_a_fact_of_an_agent_is_traced_to_its_report_and_to_the_journal(known_incident: "Material") -> None:
    source = known_incident.source("facts", "homepage_tampered_since")

    assert (source.report, source.journal, source.by) == ("r-1", 1, "node:node-1")


def test_a_fact_a_person_set_is_traced_to_the_person_and_to_no_report(known_incident: "Material") -> None:
    source = known_incident.source("facts", "views")

    assert (source.by, source.journal, source.report) == ("person:wang", 3, None)


def test_a_fact_nobody_is_known_to_have_said_points_nowhere(registry: "Registry") -> None:
    source = material(registry, journal=()).source("facts", "views")

    assert (source.by, source.journal, source.report) == ("system", None, None)


def test_ransomware_is_a_class_or_a_demand(known_incident: "Material", ransomed: "Material") -> None:
    assert not known_incident.ransomware
    assert ransomed.ransomware


def test_ransomware_by_its_class(registry: "Registry") -> None:
    assert material(registry, incident=incident(klass="MPRANS")).ransomware


def test_each_report_kept_as_evidence_counts_once() -> None:
    twice = incident(evidence=[{"report": "r-1"}, {"report": "r-1"}, {"report": 7}, {}])

    assert [source.report for source in reports(twice)] == ["r-1"]


def test_a_time_without_offset_is_no_time() -> None:
    assert instant("2026-03-02T09:00:00") is None
    assert instant("2026-03-02T09:00:00+08:00") == NINE
    assert instant(7.5j) is None


def test_a_steps_title_is_its_id_where_the_plan_has_lost_it() -> None:
    assert title_of({"steps": {"a": {"title": {"zh": "甲"}}}}, "a").en == "甲"
    assert title_of({}, "a").zh == "a"


def test_what_was_done_stands_in_the_order_of_its_end(known_incident: "Material") -> None:
    (done,) = known_incident.measures
    waiting = Measure(
        run="run", step="x", kind="manual", title=done.title, state="waiting", actor=None, ended_at=None
    )

    assert ended([waiting, done]) == (done,)
