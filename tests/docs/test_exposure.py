"""The table of verdicts is the program's."""

from pathlib import Path

from collector.exposure import GRAVITY, REASONS
from collector.stages.correlate import MEANINGS
from wire.vocabulary import VERDICTS

TEXT = (Path(__file__).parents[2] / "docs/exposure.md").read_text("utf-8")


def test_every_verdict_and_every_reason_is_explained() -> None:
    assert [name for name in (*VERDICTS, *REASONS) if f"`{name}`" not in TEXT] == []


def test_gravity_is_told_in_its_order() -> None:
    told = ", ".join(f"`{verdict}`" for verdict in sorted(GRAVITY, key=GRAVITY.__getitem__))

    assert told in TEXT


def test_what_a_verdict_leads_to_is_told() -> None:
    for verdict, meaning in MEANINGS.items():
        line = next(line for line in TEXT.splitlines() if f"`{verdict}`" in line and "class" in line)
        assert meaning.klass in line
        assert (meaning.plan_hint or "") in line
