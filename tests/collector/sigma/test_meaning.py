import pytest

from collector.sigma.lower import LoweringError
from collector.sigma.meaning import UNKNOWN_CLASS, class_of, severity_of

KNOWN = {"NACRED", "NABACKIMPL", "MPRANS", UNKNOWN_CLASS}


@pytest.mark.parametrize(
    ("tags", "own", "expected"),
    [
        (["attack.t1110.001"], None, "NACRED"),
        (["attack.persistence", "attack.t1110"], None, "NACRED"),
        (["attack.credential_access"], None, "NACRED"),
        (["attack.impact", "attack.T1486"], None, "MPRANS"),
        (["attack.execution"], None, UNKNOWN_CLASS),
        (["cve.2021-1", "car.1"], None, UNKNOWN_CLASS),
        ([], "NABACKIMPL", "NABACKIMPL"),
    ],
)
def test_the_rules_own_word_then_a_technique_then_a_tactic(
    tags: list[str], own: str | None, expected: str
) -> None:
    assert class_of(tags, own, KNOWN) == expected


def test_a_class_that_is_in_no_table_is_refused() -> None:
    with pytest.raises(LoweringError, match="fengsui_class: found 'NAWRONG'"):
        class_of([], "NAWRONG", KNOWN)


@pytest.mark.parametrize(
    ("level", "expected"), [("CRITICAL", "high"), ("low", "low"), (None, "medium"), ("strange", "medium")]
)
def test_gravity_comes_from_the_rules_level(level: str | None, expected: str) -> None:
    assert severity_of(level) == expected
