"""What a regime or a described incident gets wrong reads Chinese."""

from collections.abc import Callable

from collector.regimes import check_case, read_case, read_regime
from collector.shipped import configs_dir

NIS2 = configs_dir() / "regimes" / "eu-nis2.yaml"


def test_a_case_is_told(in_chinese: Callable[..., dict[str, str]]) -> None:
    text = """
unit: {kind: king, region: NOWHERE, timezone: Mars/Olympus}
incident:
  class: page-defaced
  times: {aware: yesterday}
  facts: {portal_down_minutes: -1, data_threat: grave}
  filings: [{obligation: first, at: 2026-03-02T10:00:00+08:00}]
"""

    said = in_chinese(lambda: read_case(text, "c.yaml"))

    assert said["unit.region"] == "'NOWHERE'｜ISO 3166 地区代码，如 CN-12 或 DE"
    assert said["incident.class"] == "'page-defaced'｜GB/T 20986 事件分类代码，如 NAWEBMOD"
    assert len(said) == 8


def test_names_that_no_law_has_are_told(in_chinese: Callable[..., dict[str, str]]) -> None:
    text = """
unit: {targets: {cn-x/report: 1h}}
incident:
  class: NAWEBMUD
  filings:
    - {obligation: cn-cac-2025/frist, at: 2026-03-02T10:00:00+08:00}
    - {obligation: cn-cac/first, at: 2026-03-02T10:00:00+08:00}
regimes: [cn-cac]
"""
    stages = {"cn-cac-2025": ("first", "summary")}

    said = in_chinese(lambda: check_case(text, "c.yaml", stages, frozenset({"NAWEBMOD"})))

    assert said["incident.filings[0].obligation"] == "阶段 'frist'｜cn-cac-2025 的阶段之一：first, summary"
    assert said["regimes[0]"] == "'cn-cac'｜以下之一：cn-cac-2025"
    assert len(said) == 5


def test_a_regime_is_told(in_chinese: Callable[..., dict[str, str]]) -> None:
    text = NIS2.read_text("utf-8")
    wrong = text.replace("facts.significant", "facts.significnt").replace("limit: 24h", "limit: a day")

    said = in_chinese(lambda: read_regime(wrong, "r.yaml"))

    assert "CEL 条件（未知名称 'facts.significnt'（是否想写 'facts.significant'？））" in said["applies.when"]
    assert said["stages[0].limit"].endswith("时限，如 30m、4h、30d、1mo（日历月）或 5wd（工作日）")


def test_a_regime_whose_parts_do_not_fit_is_told(in_chinese: Callable[..., dict[str, str]]) -> None:
    text = NIS2.read_text("utf-8").replace("anchor: filed:notification", "anchor: filed:report")

    said = in_chinese(lambda: read_regime(text, "r.yaml"))

    assert all("'filed:report'｜以下之一：" in words for words in said.values())
    assert said
