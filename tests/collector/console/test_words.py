import re
from pathlib import Path
from typing import get_args

import collector
from collector.console.words import ACTIONS, TABLES, word
from collector.incident import STATES
from collector.plans.model import Step
from collector.store import clocks, filings, notices, runs

HOME = Path(collector.__file__).parent


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


def test_every_action_that_is_journaled_has_a_word() -> None:
    written = {
        action
        for path in HOME.rglob("*.py")
        for action in re.findall(
            r'(?:action=|tell\(\s*|_entry\(\s*)"([a-z]+\.[a-z]+)"', path.read_text("utf-8")
        )
    }

    assert written
    assert written <= set(ACTIONS)


def test_a_code_without_a_word_is_shown_as_it_is() -> None:
    assert (word("stage", "72h", "zh"), word("stage", None, "en")) == ("72h", "")
