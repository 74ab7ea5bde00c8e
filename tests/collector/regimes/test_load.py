"""Regime files: every mistake of every file at once, and an operator's file in place of a shipped one."""

from pathlib import Path

import pytest

from collector import shipped
from collector.regimes.load import RegimeErrors, load_regimes, read_regime

IDS = [
    "au-soci",
    "cn-cac-2025",
    "cn-informatization",
    "eu-cra",
    "eu-dora",
    "eu-gdpr",
    "eu-nis2",
    "hk-cap653",
    "in-certin",
    "kr-network",
    "sg-cii",
    "tw-cyber",
    "uk-nis",
    "us-circia",
    "us-fisma",
]

SMALL = """id: xx-own
name: {zh: 甲, en: A}
source: Art. 1
applies: {when: unit.country == 'CN', source: Art. 1, verified: true}
stages:
  - id: first
    name: {zh: 首报, en: First}
    recipients: [police]
    limit: 1h
    source: Art. 2
    verified: true
    content: &content {items: [{zh: 甲, en: A}], source: Art. 2, verified: true}
  - id: final
    name: {zh: 终报, en: Final}
    anchor: filed:first
    recipients_of: first
    limit: 1mo
    source: Art. 3
    verified: true
    content: *content
"""

CRITERION = """criteria:
  - id: loss.II
    level: II
    when: facts.loss_yuan >= figure
    figure: 5
    unit: yuan
    text: {zh: 甲, en: A}
    source: annex
    verified: true
"""


def mistakes_of(text: str) -> list[str]:
    with pytest.raises(RegimeErrors) as caught:
        read_regime(text, "own.yaml")
    return [mistake.sentence for mistake in caught.value.mistakes]


def test_the_shipped_set_has_every_regime_of_the_table() -> None:
    assert [regime.id for regime in load_regimes(shipped.configs_dir() / "regimes")] == IDS


def test_only_circia_is_shipped_disabled() -> None:
    shipped_regimes = load_regimes(shipped.configs_dir() / "regimes")

    assert [regime.id for regime in shipped_regimes if not regime.enabled] == ["us-circia"]


def test_a_file_is_named_after_its_regime() -> None:
    folder = shipped.configs_dir() / "regimes"

    assert sorted(path.stem for path in folder.glob("*.yaml")) == IDS


def test_an_operator_s_file_replaces_the_shipped_one_of_its_id(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SMALL.replace("xx-own", "kr-network"), "utf-8")
    (tmp_path / "new.yaml").write_text(SMALL, "utf-8")
    regimes = {regime.id: regime for regime in load_regimes(shipped.configs_dir() / "regimes", tmp_path)}

    assert sorted(regimes) == sorted([*IDS, "xx-own"])
    assert regimes["kr-network"].name.zh == "甲"


def test_a_folder_that_is_not_there_adds_nothing(tmp_path: Path) -> None:
    assert load_regimes(tmp_path / "nowhere") == ()


def test_the_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SMALL.replace("limit: 1h", "limit: soon"), "utf-8")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "c.yaml").write_text("id: [", "utf-8")
    (tmp_path / "d.yaml").write_text(SMALL, "utf-8")
    (tmp_path / "e.yaml").write_text(SMALL, "utf-8")
    (tmp_path / "f.yaml").write_text(
        SMALL.replace("xx-own", "xx-other").replace("{when:", "{yields_to: [eu-dora], when:"), "utf-8"
    )
    with pytest.raises(RegimeErrors) as caught:
        load_regimes(tmp_path)

    told = [str(mistake).removeprefix(f"{tmp_path}/") for mistake in caught.value.mistakes]
    assert told[0].startswith("a.yaml:9:12: stages[0].limit: found 'soon', expected a limit such as 30m")
    assert told[1].startswith("b.yaml:1:1: $: found no text")
    assert told[2].startswith("c.yaml:2:1: $: found a YAML error")
    assert told[3] == "e.yaml:1:5: id: found 'xx-own', which stands in d.yaml too, expected an id of its own"
    assert told[4] == "f.yaml:4:23: applies.yields_to[0]: found 'eu-dora', expected one of xx-other, xx-own"
    assert len(told) == 5


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("id: xx-own", "id: XX", "id: found 'XX', expected text like ^[a-z][a-z0-9-]*$"),
        ("source: Art. 1\n", "", "source: found nothing, expected text"),
        ("source: Art. 1\n", "sorce: Art. 1\nsource: Art. 1\n", "sorce: found an unknown field 'sorce'"),
        ("country == 'CN'", "contry == 'CN'", "applies.when: found"),
        ("unit.country == 'CN'", "facts.reposts >= figure", "applies.when: found the name 'figure'"),
        ("id: final", "id: first", "stages[1].id: found 'first' again, expected every id once"),
        ("filed:first", "filed:second", "stages[1].anchor: found 'filed:second', expected one of occurred"),
        ("filed:first", "yesterday", "stages[1].anchor: found 'yesterday', expected one of occurred"),
        (
            "recipients_of: first",
            "recipients_of: final",
            "stages[1].recipients_of: found 'final', expected an",
        ),
        (
            "    recipients: [police]\n",
            "",
            "stages[0].routes[0].recipients: found nothing, expected at least one",
        ),
        ("limit: 1h", "ceiling: {anchor: never, limit: 1h}", "stages[0].ceiling.anchor: found 'never'"),
        ("limit: 1h", "routes: [{anchor: never}]", "stages[0].routes[0].anchor: found 'never'"),
        ("limit: 1h", "after_open_items: true", "stages[0].anchor: found 'aware', expected filed:STAGE"),
        ("limit: 1h", "when: known_level == 'I'", "stages[0].when: found \"known_level == 'I'\""),
        ("limit: 1h", "routes: [{when: facts.views > figure}]", "stages[0].routes[0].when: found"),
    ],
)
def test_a_mistake_of_a_regime_is_told_at_its_place(old: str, new: str, mistake: str) -> None:
    text = SMALL.replace(old, new, 1)
    assert text != SMALL

    assert any(told.startswith(mistake) for told in mistakes_of(text)), mistakes_of(text)


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        (
            "level: II",
            "level: I",
            "criteria[0].id: found 'loss.II', expected an id that ends in its level, .I",
        ),
        ("id: loss.II", "id: loss", "criteria[0].id: found 'loss', expected text like"),
        (
            ">= figure",
            ">= 5",
            "criteria[0].when: found no 'figure', expected a condition that uses the figure",
        ),
        ("    unit: yuan\n", "", "criteria[0].unit: found nothing, expected the unit of the figure"),
        (
            "    figure: 5\n",
            "    figure: five\n",
            "criteria[0].figure: found 'five', expected a whole number or",
        ),
        (
            "facts.loss_yuan >= figure",
            "facts.portal_down_minutes > figure",
            "criteria[0].when: found 'facts.portal_down_minutes > figure', expected minutes compared with >=",
        ),
        (
            "facts.loss_yuan >= figure",
            "facts.loss_yuan >= figure && level == 'I'",
            "criteria[0].when: found the name 'level', expected a condition that does not hang on the level",
        ),
        (
            "    level: II\n",
            "    level: II\n    subject: all\n",
            "criteria[0].subject: found 'all', expected one of",
        ),
    ],
)
def test_a_mistake_of_a_criterion_is_told_at_its_place(old: str, new: str, mistake: str) -> None:
    text = SMALL + CRITERION.replace(old, new, 1)
    assert text != SMALL + CRITERION

    assert any(told.startswith(mistake) for told in mistakes_of(text)), mistakes_of(text)


def test_a_criterion_may_lack_its_figure_until_somebody_finds_it() -> None:
    regime, _ = read_regime(SMALL + CRITERION.replace("    figure: 5\n", ""), "own.yaml")

    assert regime.criteria[0].figure is None


def test_a_second_criterion_of_the_same_id_is_refused() -> None:
    twice = SMALL + CRITERION + CRITERION.removeprefix("criteria:\n")

    assert mistakes_of(twice) == ["criteria[1].id: found 'loss.II' again, expected every id once"]


def test_a_regime_is_told_with_all_its_mistakes() -> None:
    text = (
        SMALL.replace("limit: 1h", "limit: soon")
        .replace("limit: 1mo", "limit: later")
        .replace("{zh: 甲", "{cn: 甲")
        .replace("{zh: 首报", "{cn: 首报")
    )

    assert {told.split(":")[0] for told in mistakes_of(text)} == {
        "name.cn",
        "name.zh",
        "stages[0].limit",
        "stages[0].content.items[0].cn",
        "stages[0].content.items[0].zh",
        "stages[0].name.cn",
        "stages[0].name.zh",
        "stages[1].content.items[0].cn",
        "stages[1].content.items[0].zh",
        "stages[1].limit",
    }
