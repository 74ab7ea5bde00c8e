from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from collector.sealing import GENESIS, seal
from collector.trust.journal_chain import Verifier, verify

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Link(Struct, frozen=True):
    chain: str
    n: int
    action: str
    previous: str
    hash: str
    at: datetime = NINE

    def sealed_fields(self) -> dict[str, Any]:
        return {"chain": self.chain, "n": self.n, "action": self.action}


def chain(name: str, length: int) -> list[Link]:
    links: list[Link] = []
    previous = GENESIS
    for n in range(1, length + 1):
        now = seal(previous, {"chain": name, "n": n, "action": f"action-{n}"})
        links.append(Link(name, n, f"action-{n}", previous, now))
        previous = now
    return links


def test_chains_as_they_were_written_hold() -> None:
    verifier = Verifier()
    for link in chain("a", 5) + chain("b", 3):
        verifier.feed(link)

    assert (verifier.breaks, verifier.entries, verifier.chains) == ([], 8, 2)


@pytest.mark.parametrize(
    ("spoil", "n", "why"),
    [
        (lambda links: links.pop(2), 4, "gap"),
        (lambda links: links.pop(0), 2, "gap"),
        (lambda links: links.insert(2, links[1]), 2, "gap"),
        (lambda links: links.__setitem__(2, replace(links[2], action="nothing")), 3, "hash"),
        (lambda links: links.__setitem__(3, replace(links[3], previous=GENESIS)), 4, "previous"),
        (lambda links: links.__setitem__(4, replace(links[4], hash=GENESIS)), 5, "hash"),
    ],
)
def test_the_first_break_of_a_chain_is_named(spoil: Callable[[list[Link]], object], n: int, why: str) -> None:
    links = chain("a", 5)
    spoil(links)
    (found,) = verify([*links, *chain("b", 2)])

    assert (found.chain, found.n, found.why) == ("a", n, why)


def test_an_entry_recomputed_by_itself_breaks_the_next_one() -> None:
    links = chain("a", 3)
    forged = replace(links[1], action="nothing")
    links[1] = replace(forged, hash=seal(forged.previous, forged.sealed_fields()))
    (found,) = verify(links)

    assert (found.n, found.why) == (3, "previous")


def test_every_broken_chain_is_named_once() -> None:
    links = chain("a", 5)[1:] + chain("b", 5)[1:]

    assert [(found.chain, found.n) for found in verify(links)] == [("a", 2), ("b", 2)]
