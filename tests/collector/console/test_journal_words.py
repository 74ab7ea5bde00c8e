import re
from pathlib import Path

import collector
from collector.console.journal_words import ACTIONS

HOME = Path(collector.__file__).parent


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
