"""docs/channels.md and docs/escalation.md hold what the program does: their examples are read by it."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.channels import CHANNELS
from collector.channels.signing import signed
from collector.escalation import BODIES, Policy, Roster, Step, read_roster
from collector.places import NAMES
from collector.registry import read_registry
from collector.settings import ChannelSettings, Mail, Sms, read_settings

ROOT = Path(__file__).parents[2]
CHANNELS_PAGE = (ROOT / "docs" / "channels.md").read_text("utf-8")
ESCALATION_PAGE = (ROOT / "docs" / "escalation.md").read_text("utf-8")
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_every_kind_of_channel_has_its_section_and_an_example_that_is_read() -> None:
    examples = blocks(CHANNELS_PAGE, "yaml")
    kinds = [
        read_settings(f"unit: u\nregistry: r\n{text}", "doc.yaml", {}).channels[0].kind for text in examples
    ]

    assert sorted(kinds) == sorted(name for name, _ in CHANNELS)
    assert all(f"## `{name}`" in CHANNELS_PAGE for name, _ in CHANNELS)


@pytest.mark.parametrize("form", [ChannelSettings, Mail, Sms])
def test_every_setting_of_a_channel_is_named(form: Any) -> None:  # noqa: ANN401 - a struct's class
    missing = [name for name in form.__struct_encode_fields__ if not re.search(rf"\b{name}\b", CHANNELS_PAGE)]

    assert missing == []


def test_every_place_of_a_template_is_named() -> None:
    assert all(f"`{{{name}}}`" in CHANNELS_PAGE for name in NAMES)


def test_the_receivers_example_takes_what_we_sign_and_nothing_else() -> None:
    scope: dict[str, Any] = {}
    (code,) = blocks(CHANNELS_PAGE, "python")
    exec(code, scope)  # noqa: S102 - the page's own example
    headers = signed(b"0123456789abcdef", "i/k", NOON, b"{}")

    assert scope["is_ours"](b"0123456789abcdef", headers, b"{}", NOON.timestamp())
    assert not scope["is_ours"](b"0123456789abcdef", headers, b"{ }", NOON.timestamp())
    assert not scope["is_ours"](b"0123456789abcdef", headers, b"{}", NOON.timestamp() + 301)


def test_the_roster_of_the_page_is_read_and_has_every_part() -> None:
    registry = ROOT / "configs" / "registry.yaml"
    (text,) = blocks(ESCALATION_PAGE, "yaml")
    roster = read_roster(text, "doc.yaml", read_registry(registry.read_text("utf-8"), registry.name))

    assert all(getattr(roster, name) for name in Roster.__struct_fields__)


def test_every_word_of_a_chain_is_named() -> None:
    words = {*Step.__struct_fields__, *BODIES, "again", "acknowledgements", "progress", "bodies"}
    assert words - {*Policy.__struct_fields__} <= set(re.findall(r"`(\w+)`", ESCALATION_PAGE))
    assert {word for word in words if f"`{word}`" not in ESCALATION_PAGE} == set()
