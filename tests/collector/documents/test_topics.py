"""What is known of each topic, and what is honestly open."""

from typing import TYPE_CHECKING, get_args

from collector.documents.topics import known
from collector.regimes.model import Topic
from collector.statement import Ransom
from tests.collector.documents.conftest import incident, material

if TYPE_CHECKING:
    from collector.documents.material import Material
    from collector.registry import Registry


def test_every_topic_a_law_may_name_is_known_or_open(known_incident: "Material") -> None:
    for topic in get_args(Topic):
        if topic != "ransom":
            found = known(topic, known_incident, None)
            assert found.lines or found.open, topic


def test_the_unit_and_its_system_come_from_the_register(known_incident: "Material") -> None:
    found = known("unit", known_incident, None)

    assert "网络安全等级保护：第三级 监督保护，备案编号：未登记" in [line.zh for line in found.lines]
    assert [source.by for source in found.sources] == ["registry", "registry"]


def test_a_level_that_rests_on_an_unverified_figure_says_so(known_incident: "Material") -> None:
    text = "\n".join(line.zh for line in known("event", known_incident, None).lines)

    assert "级别：较大（Ⅲ级）" in text
    assert "依据未核对原文" in text
    assert "知悉时间：2026年3月2日 09:00:00（UTC+8）" in text


def test_an_incident_without_level_and_beginning_leaves_both_open(registry: "Registry") -> None:
    bare = material(registry, incident=incident(level=None, times={}))

    assert len(known("event", bare, None).open) == 2


def test_harm_is_each_fact_with_its_source_and_nothing_known_is_open(
    known_incident: "Material", registry: "Registry"
) -> None:
    found = known("effect", known_incident, None)

    assert [line.en for line in found.lines][1] == "12000 views or clicks"
    assert [source.of for source in found.sources] == ["facts.homepage_tampered_since", "facts.views"]
    assert known("effect", material(registry, incident=incident(facts={})), None).open


def test_measures_are_what_was_done_and_by_whom(known_incident: "Material") -> None:
    found = known("measures", known_incident, None)

    assert [line.en for line in found.lines] == [
        "2026-03-02 09:08:00 UTC+8 take the site off the net",
        "2026-03-02 09:09:00 UTC+8 incident contained",
    ]
    assert {source.by for source in found.sources} == {"person:wang"}


def test_ransom_asks_only_where_ransomware_is_at_work(
    known_incident: "Material", ransomed: "Material"
) -> None:
    assert known("ransom", known_incident, None).open == ()
    assert len(known("ransom", ransomed, None).open) == 3
    partly = known("ransom", ransomed, Ransom(amount="5 BTC", means="Bitcoin"))
    assert [words.en for words in partly.open] == ["date of the ransom"]


def test_the_trend_tells_the_next_level_but_its_judgement_is_a_persons(known_incident: "Material") -> None:
    found = known("trend", known_incident, None)

    assert "2026年3月2日 11:00:00" in found.lines[0].zh
    assert found.open


def test_leads_are_what_the_reports_name(known_incident: "Material") -> None:
    assert [line.en for line in known("leads", known_incident, None).lines] == [
        "source address: 203.0.113.9",
        "process: php-fpm",
        "account: www-data",
    ]


def test_the_scene_names_the_reports_kept_and_the_end_of_the_chain(known_incident: "Material") -> None:
    found = known("scene", known_incident, None)

    assert "r-1" in found.lines[0].zh
    assert f"{4:064x}" in found.lines[1].zh
