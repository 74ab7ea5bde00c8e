import pytest

from agent.rules.events import MAX_TEXT, Event


def test_what_is_not_told_is_not_there_in_either_case() -> None:
    event = Event("file", {"TargetFilename": "/ETC/Shadow"})

    assert (event.text("Image"), event.low("Image")) == (None, None)
    assert (event.text("TargetFilename"), event.low("TargetFilename")) == ("/ETC/Shadow", "/etc/shadow")


@pytest.mark.parametrize("field", ["CommandLine", ""])
def test_no_text_is_longer_than_a_rule_may_look_at(field: str) -> None:
    event = Event("process", {"CommandLine": "x" * 100_000}, message="y" * 100_000)

    assert len(event.text(field) or "") == MAX_TEXT
