"""Three-valued truth: what is not known matters only where it decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.plans.truth import Truth, Unknown, both, either, negation

UNKNOWN = Unknown("nobody said")
TRUTHS: st.SearchStrategy[Truth] = st.sampled_from([True, False, UNKNOWN])


@pytest.mark.parametrize(
    ("left", "right", "conjunction", "disjunction"),
    [
        (True, UNKNOWN, UNKNOWN, True),
        (False, UNKNOWN, False, UNKNOWN),
        (UNKNOWN, True, UNKNOWN, True),
        (UNKNOWN, False, False, UNKNOWN),
        (True, False, False, True),
    ],
)
def test_what_is_not_known_matters_only_where_it_decides(
    left: Truth, right: Truth, conjunction: Truth, disjunction: Truth
) -> None:
    assert (both(left, right), either(left, right)) == (conjunction, disjunction)


@given(TRUTHS, TRUTHS)
def test_the_laws_of_de_morgan_hold(left: Truth, right: Truth) -> None:
    assert negation(both(left, right)) == either(negation(left), negation(right))
    assert negation(negation(left)) == left
