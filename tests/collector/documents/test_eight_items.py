"""The eight items of Art. 7 and the four of the informatization regulation, filled from what is known."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.documents.eight_items import compose
from collector.regimes import Regime, load_regimes
from collector.registry import Registry, read_registry
from collector.statement import Ransom, Written, read_statement
from tests.collector.documents.conftest import NINE, ROOT, clock, incident, material

if TYPE_CHECKING:
    from collector.documents.material import Material

LAW: tuple[Regime, ...] = load_regimes(ROOT / "configs" / "regimes")
OFFICE = ROOT / "tests" / "golden" / "office.yaml"
REGISTER: Registry = read_registry(OFFICE.read_text(), str(OFFICE))


def by_wang(text: str) -> Written:
    return Written(text=text, by="person:wang", at=NINE)


def test_the_first_report_has_eight_items_of_which_two_are_required_now(known_incident: "Material") -> None:
    said = compose(known_incident, clock(), LAW)

    assert [item.number for item in said.items] == list(range(1, 9))
    assert [item.may_follow for item in said.items] == [False, False, *[True] * 6]
    assert said.source == "Art. 7"


def test_the_informatization_report_has_its_four_items_and_is_complete_when_all_is_known(
    known_incident: "Material",
) -> None:
    said = compose(known_incident, clock("cn-informatization/report"), LAW)

    assert len(said.items) == 4
    assert said.complete


def test_what_only_a_person_can_say_is_open_until_they_have_said_it(known_incident: "Material") -> None:
    first = compose(known_incident, clock(), LAW)
    still_open = {item.number for item in first.items if item.is_open}
    assert still_open == {3, 4, 6}
    assert not first.complete

    said = compose(known_incident, clock(), LAW, written={number: by_wang("…") for number in still_open})
    assert said.complete


def test_a_ransom_is_a_block_of_its_own_and_keeps_item_two_open(ransomed: "Material") -> None:
    said = compose(ransomed, clock(), LAW)
    assert said.ransom == Ransom()
    assert [words.en for words in said.items[1].open] == [
        "amount of the ransom",
        "means of payment of the ransom",
        "date of the ransom",
    ]

    full = Ransom(amount="5 BTC", means="比特币", demanded="2026-03-02")
    told = compose(ransomed, clock(), LAW, ransom=full)
    assert told.ransom == full
    assert not told.items[1].is_open
    assert "赎金金额：5 BTC" in told.items[1].text("zh")


def test_a_law_whose_items_nobody_has_mapped_waits_for_a_person(known_incident: "Material") -> None:
    said = compose(known_incident, clock("eu-nis2/early_warning"), LAW)

    assert all(item.is_open for item in said.items)


def test_a_regime_that_has_left_the_folder_keeps_the_clocks_own_words(known_incident: "Material") -> None:
    said = compose(known_incident, clock("xx-gone/first"), ())

    assert [item.heading.zh for item in said.items] == ["一", "二"]
    assert not said.verified


@pytest.mark.parametrize(
    "obligation", ["cn-cac-2025/first", "cn-cac-2025/summary", "cn-informatization/report"]
)
def test_every_figure_has_a_source(known_incident: "Material", obligation: str) -> None:
    for item in compose(known_incident, clock(obligation), LAW).items:
        assert item.sources or item.is_open or item.number in {3, 8}, item


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(
    facts=st.dictionaries(st.sampled_from(["views", "portal_down_since", "ransom_demanded", "x"]), JSON),
    evidence=st.lists(
        st.dictionaries(st.sampled_from(["report", "items", "exit", "facts"]), JSON), max_size=3
    ),
    written=st.dictionaries(st.integers(1, 9), st.text(max_size=20).map(by_wang), max_size=4),
)
def test_whatever_was_reported_composes_to_a_statement_that_survives_the_wire(
    facts: dict[str, object], evidence: list[dict[str, object]], written: dict[int, Written]
) -> None:
    told = material(REGISTER, incident=incident(facts=facts, evidence=evidence))
    said = compose(told, clock(), LAW, written=written)

    assert read_statement(said.content()) == said
    assert said.complete is not any(item.is_open for item in said.items)
