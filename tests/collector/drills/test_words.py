from typing import get_args

from collector.drills.score import Result, What
from collector.drills.script import KINDS_OF_EVENTS
from collector.drills.words import EVENTS, RESULTS, SUPERIORS, WHATS


def test_every_code_of_a_sheet_has_its_words() -> None:
    assert set(WHATS) == set(get_args(What))
    assert set(RESULTS) == set(get_args(Result))
    assert set(EVENTS) == set(KINDS_OF_EVENTS)
    tables = (WHATS, RESULTS, EVENTS, SUPERIORS)
    assert all(name.zh and name.en for table in tables for name in table.values())  # type: ignore[attr-defined]
