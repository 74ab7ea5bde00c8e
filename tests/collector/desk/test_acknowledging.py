"""The rules of links; the page behind them is in tests/collector/console/test_links.py."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collector.desk.acknowledging import GOOD_FOR, link_of
from collector.store.notices import Notice
from collector.trust.links import LinkError, Links
from wire.ids import uuid7

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
LINKS = Links(b"k" * 32)
URL = "https://fengsui.example/"


def notice(**changes: Any) -> Notice:  # noqa: ANN401 - the fields of a notice
    values: dict[str, Any] = {
        "id": uuid7(NOON),
        "key": "k",
        "incident": "i",
        "person": "wang",
        "channel": "mail",
        "payload": {"kind": "escalate_0"},
        "state": "sending",
        "attempts": 1,
        "created_at": NOON,
        "next_at": NOON,
        "fence": 1,
        "sent_at": None,
        "result": None,
        "drill": False,
    }
    return Notice(**values | changes)


def test_a_step_of_the_chain_asks_for_its_persons_word_for_a_day() -> None:
    asked = notice()
    url = link_of(asked, LINKS, URL)

    assert url is not None
    assert url.startswith("https://fengsui.example/a/")
    word = url.rpartition("/")[2]
    assert LINKS.read(word, NOON + GOOD_FOR) == asked.id
    with pytest.raises(LinkError):
        LINKS.read(word, NOON + GOOD_FOR + timedelta(seconds=1))


@pytest.mark.parametrize(
    "changes",
    [{"person": None}, {"incident": None}, {"payload": {"kind": "due"}}, {"payload": {"url": "http://x"}}],
)
def test_what_nobody_can_acknowledge_carries_no_link(changes: dict[str, Any]) -> None:
    assert link_of(notice(**changes), LINKS, URL) is None


def test_without_an_address_of_the_console_there_is_no_link() -> None:
    assert link_of(notice(), LINKS, "") is None
