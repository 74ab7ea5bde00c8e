from typing import get_args

from collector.console.words import TABLES, word
from collector.incident import STATES
from collector.plans.model import Step
from collector.store import clocks, filings, notices, runs


def test_every_state_has_a_word_in_both_languages() -> None:
    for table, codes in (
        ("state", STATES),
        ("clock", [*get_args(clocks.ClockState), "doubted"]),
        ("filing", get_args(filings.State)),
        ("notice", get_args(notices.State)),
        ("run", get_args(runs.RunState)),
        ("step", get_args(runs.StepState)),
        ("kind", [each.__struct_config__.tag for each in get_args(Step)]),
    ):
        assert set(TABLES[table]) == set(codes), table
        assert all(name.zh and name.en for name in TABLES[table].values())


def test_a_code_without_a_word_is_shown_as_it_is() -> None:
    assert (word("stage", "72h", "zh"), word("stage", None, "en")) == ("72h", "")
