from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.capture.cards import macs


@pytest.mark.root
def test_the_cards_of_this_hosts_links_are_its_own_and_the_loopback_has_none(
    on_a_wire: Callable[[Any], None],
) -> None:
    found: list[frozenset[bytes]] = []
    on_a_wire(lambda _: found.append(macs()))

    (cards,) = found
    assert len(cards) == 2  # both ends of the wire
    assert all(len(card) == 6 and any(card) for card in cards)


def test_they_are_what_the_kernel_shows_of_its_links() -> None:
    shown = {
        (link / "address").read_text("ascii").strip()
        for link in Path("/sys/class/net").iterdir()
        if (link / "type").is_file() and (link / "type").read_text("ascii").strip() == "1"
    }

    assert {card.hex(":") for card in macs()} == shown
