"""A described incident: what is not given is not known; a malformed one is told at once, line by line."""

import pytest

from collector.regimes.case import (
    Asset,
    Case,
    CaseErrors,
    Facts,
    Unit,
    check_case,
    fields,
    read_case,
    zone_of,
)

STAGES = {
    "cn-cac-2025": ("first", "summary"),
    "cn-informatization": ("report",),
    "eu-nis2": ("final",),
}
CLASSES = frozenset({"NAWEBMOD"})

FULL = """
unit:
  kind: local_government
  level: prefecture
  region: CN-12
  sector: government
  timezone: Asia/Shanghai
  targets: {cn-informatization/report: 30m}
asset: {role: portal, mlps_grade: 3, cii: false, zone: internet, classified: false}
incident:
  kind: incident
  class: NAWEBMOD
  crime_suspected: false
  times: {aware: 2026-03-02T09:10:00+08:00, handled: 2026-03-04T09:10:00+08:00}
  facts:
    # all optional
  filings:
    - obligation: cn-cac-2025/first
      at: 2026-03-02T10:00:00+08:00
      receipt_at: 2026-03-02T10:01:00+08:00
      complete: true
regimes: [cn-cac-2025]
at: 2026-03-02T10:00:00+08:00
"""


def mistakes_of(text: str) -> list[str]:
    with pytest.raises(CaseErrors) as caught:
        read_case(text, "case.yaml")
    return str(caught.value).splitlines()


def checked(text: str) -> list[str]:
    with pytest.raises(CaseErrors) as caught:
        check_case(text, "case.yaml", STAGES, CLASSES)
    return str(caught.value).splitlines()


def test_a_full_description_is_read() -> None:
    case = read_case(FULL, "case.yaml")

    assert case.unit.region == "CN-12"
    assert str(zone_of(case)) == "Asia/Shanghai"
    assert case.incident.klass == "NAWEBMOD"
    assert case.incident.facts == Facts()
    assert case.incident.filings[0].obligation == "cn-cac-2025/first"
    assert case.regimes == ("cn-cac-2025",)
    check_case(FULL, "case.yaml", STAGES, CLASSES)
    check_case(FULL, "case.yaml", STAGES, frozenset())


def test_what_is_not_given_is_not_known() -> None:
    case = read_case("incident: {}\n", "case.yaml")

    assert case == Case()
    assert (case.unit, case.asset) == (Unit(), Asset())
    assert fields(case.asset) == {}
    assert zone_of(case) is None


def test_every_mistake_is_told_on_its_own_line_as_file_line_path() -> None:
    text = """unit:
  kind: ministry
  region: UK
  timezone: Asia/Peking
asset:
  cii: maybe
  mlps_grade: 6
incident:
  class: Nawebmod
  times:
    aware: 2026-03-02 09:10
    notified: 2026-03-02T09:10:00+08:00
  facts:
    reposts: -1
    loss_yuan: 1.5
    province_population_share: 50
    declared_level: V
  filings:
    - obligation: first
regimes: cn-cac-2025
"""

    assert mistakes_of(text) == [
        (
            "case.yaml:2: unit.kind: found 'ministry', expected one of central_organ, local_government, "
            "cii_operator, public_institution, enterprise, cii_protection_department, own_cac_office, "
            "provincial_cac"
        ),
        "case.yaml:3: unit.region: found 'UK', expected a region by ISO 3166 such as CN-12 or DE",
        "case.yaml:4: unit.timezone: found 'Asia/Peking', expected a time zone such as Asia/Shanghai",
        "case.yaml:6: asset.cii: found 'maybe', expected true or false",
        "case.yaml:7: asset.mlps_grade: found '6', expected at most 5",
        "case.yaml:9: incident.class: found 'Nawebmod', expected a GB/T 20986 class code such as NAWEBMOD",
        (
            "case.yaml:11: incident.times.aware: found '2026-03-02 09:10', "
            "expected a time with offset such as 2026-03-02T09:10:00+08:00"
        ),
        (
            "case.yaml:12: incident.times.notified: found an unknown field 'notified', "
            "expected one of aware, believed, contained, detected, graded, handled, "
            "occurred, paid, patch_available, received, reported"
        ),
        "case.yaml:14: incident.facts.reposts: found '-1', expected at least 0",
        "case.yaml:15: incident.facts.loss_yuan: found '1.5', expected a whole number",
        "case.yaml:16: incident.facts.province_population_share: found '50', expected at most 1",
        (
            "case.yaml:17: incident.facts.declared_level: found 'V', "
            "expected one of I, II, III, IV (did you mean 'IV'?)"
        ),
        (
            "case.yaml:19: incident.filings[0].at: found nothing, "
            "expected a time with offset such as 2026-03-02T09:10:00+08:00"
        ),
        (
            "case.yaml:19: incident.filings[0].obligation: found 'first', "
            "expected an obligation such as cn-cac-2025/first or cn-cac-2025/first/police"
        ),
        "case.yaml:20: regimes: found 'cn-cac-2025', expected a list",
    ]


@pytest.mark.parametrize("text", ["", "- a\n", "just text\n", "a: [\n", "a: 1\na: 2\n"])
def test_what_is_no_description_is_refused(text: str) -> None:
    assert mistakes_of(text)[0].startswith("case.yaml:")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/localtime", "", "Asia/", "Nowhere/Place", "Asia"])
def test_a_time_zone_is_a_name_of_the_database_and_no_path(name: str) -> None:
    assert mistakes_of(f"unit: {{timezone: '{name}'}}\n") == [
        f"case.yaml:1: unit.timezone: found {name!r}, expected a time zone such as Asia/Shanghai"
    ]


def test_names_that_no_regime_has_are_told() -> None:
    text = """incident:
  class: NAWEBMO
  filings:
    - {obligation: cn-cac-2025/frist, at: 2026-03-02T10:00:00+08:00}
    - {obligation: cn-cac-2024/first, at: 2026-03-02T10:00:00+08:00}
regimes: [cn-cac-2025, eu-nis3]
unit: {targets: {cn-informatization/reprot: 30m}}
"""

    assert checked(text) == [
        "case.yaml:2: incident.class: found 'NAWEBMO', expected a GB/T 20986 class code such as NAWEBMOD",
        (
            "case.yaml:4: incident.filings[0].obligation: found the stage 'frist', "
            "expected a stage of cn-cac-2025: first, summary"
        ),
        (
            "case.yaml:5: incident.filings[1].obligation: found the regime 'cn-cac-2024', "
            "expected one of cn-cac-2025, cn-informatization, eu-nis2"
        ),
        "case.yaml:6: regimes[1]: found 'eu-nis3', expected one of cn-cac-2025, cn-informatization, eu-nis2",
        (
            "case.yaml:7: unit.targets: found 'cn-informatization/reprot', "
            "expected regime/stage of a loaded regime"
        ),
    ]
