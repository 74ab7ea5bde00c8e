"""What the demo says is plain, in both languages."""

import io
from datetime import UTC, datetime

import pytest

from collector.cli.demo.proof import STEPS, Proof
from collector.cli.demo.tell import TITLES, Teller

AT = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
GRADED = {"level": "IV", "next_level": {"level": "III", "at": "2026-03-02T01:40:00+00:00", "criterion": "c"}}


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def test_every_step_has_a_title_in_both_languages() -> None:
    assert list(TITLES) == [step.name for step in STEPS]
    assert all(title.zh and title.en for title in TITLES.values())


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "升为 III 级"), ("en", "if it goes on, level III at")]
)
def test_a_level_is_told_with_what_it_may_become(out: io.StringIO, language: str, words: str) -> None:
    Teller(language, out).step("graded", Proof(AT, GRADED), 1.25)

    assert words in out.getvalue()
    assert "1.25 s" in out.getvalue()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"due_at": None, "target_at": "2026-03-02 02:10:00"}, "a house target, not law"),
        ({"due_at": None, "target_at": None}, "the law names no number"),
        ({"due_at": "2026-03-02 02:10:00", "target_at": None}, ":10:00\n"),
    ],
)
def test_an_obligation_is_told_as_law_or_as_house_target(
    out: io.StringIO, row: dict[str, object], words: str
) -> None:
    Teller("en", out).obligations([{"obligation": "o", "recipient": "r"} | row])

    assert out.getvalue().endswith(
        words if words.endswith("\n") else words + ("\n" if "law names" in words else ")\n")
    )
