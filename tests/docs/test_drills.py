"""docs/drills.md holds what the program does: its script is read, its words are all there."""

import re
from pathlib import Path
from typing import get_args

from collector.drills import FORMS, KINDS, SCOPES, read_script
from collector.drills.score import Result
from collector.drills.yearly import LACKS

PAGE = (Path(__file__).parents[2] / "docs" / "drills.md").read_text("utf-8")


def test_the_script_of_the_page_is_read() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    script = read_script(text, "docs/drills.md")

    assert {event.kind for event in script.events} == {"incident", "facts", "absent", "message"}


def test_every_word_is_named() -> None:
    words = {*FORMS, *SCOPES, *KINDS, *LACKS, *get_args(Result)}

    assert {word for word in words if f"`{word}`" not in PAGE} == set()
