"""Facts as sentences."""

from datetime import UTC

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from collector.documents.phrases import harm, level_name
from collector.regimes import Facts

GIVEN = {"bool": True, "int": 3, "float": 0.3, "datetime": "2026-03-02T01:00:00Z"}


def test_every_fact_that_tells_of_harm_has_a_sentence_of_its_own_in_both_languages() -> None:
    for field in msgspec.structs.fields(Facts):
        kind = str(field.type)
        value = next((sample for name, sample in GIVEN.items() if name in kind), "serious")
        said = harm(field.name, value, UTC)
        assert said is None or not said.zh.startswith(f"{field.name}:"), field.name


def test_a_fact_that_is_false_does_no_harm() -> None:
    assert harm("ransom_demanded", False, UTC) is None
    assert harm("relevant", True, UTC) is None


@given(st.text(), st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()))
def test_whatever_a_node_says_reads_as_something_or_nothing(name: str, value: object) -> None:
    harm(name, value, UTC)
    harm("views", value, UTC)
    harm("portal_down_since", value, UTC)


def test_a_level_that_is_none_is_not_graded() -> None:
    assert level_name(None).en == "not graded"
