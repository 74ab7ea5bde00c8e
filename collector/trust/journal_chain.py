"""Verifies the journal: every chain from its first link to its last (pure).

What it proves: no entry was changed, taken from the middle or slipped in, unless everything behind it was
computed anew. What it cannot see alone: a chain cut off at its end, or a whole chain gone; that takes signed
checkpoints (`trust.checkpoints`).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from ..sealing import Head, seal


class Link(Protocol):
    """An entry of the journal as far as its chain goes."""

    @property
    def chain(self) -> str:
        """Name of its chain."""

    @property
    def n(self) -> int:
        """Number in the chain, from 1."""

    @property
    def at(self) -> datetime:
        """When it was written."""

    @property
    def previous(self) -> str:
        """The hash before."""

    @property
    def hash(self) -> str:
        """The hash of this entry."""

    def sealed_fields(self) -> dict[str, Any]:
        """What the hash covers besides `previous`."""


class Break(Struct, frozen=True, kw_only=True):
    """The first place where a chain does not hold.

    Fields:
        n: The number that stands there.
        why: `gap` (a number is missing), `previous` (does not follow the entry before), `hash` (was changed);
            against signed checkpoints: `cut`, `removed`, `rewritten`, `signature`, `missing`.
        expected, found: What should stand there and what does.
    """

    chain: str
    n: int
    at: datetime
    why: str
    expected: str
    found: str


class Verifier:
    """Takes entries chain after chain in ascending order; keeps nothing but the end of the chain at hand.

    Attributes:
        entries, chains: How many were looked at.
        breaks: The first break of each broken chain.
    """

    def __init__(self) -> None:
        self.entries = 0
        self.chains = 0
        self.breaks: list[Break] = []
        self._head: Head | None = None
        self._broken = False

    def feed(self, link: Link) -> None:
        """Check the next entry."""
        if self._head is None or self._head.chain != link.chain:
            self._head, self._broken = Head(link.chain), False
            self.chains += 1
        self.entries += 1
        if not self._broken and (found := check(self._head, link)):
            self.breaks.append(found)
            self._broken = True
        self._head = Head(link.chain, link.n, link.hash)


def verify(links: Iterable[Link]) -> list[Break]:
    """Return the first break of each broken chain; `links` come chain after chain, ascending."""
    verifier = Verifier()
    for link in links:
        verifier.feed(link)
    return verifier.breaks


def check(head: Head, link: Link) -> Break | None:
    """Return how `link` fails to follow `head`, or None."""
    sealed = seal(link.previous, link.sealed_fields())
    tests = (
        ("gap", str(head.n + 1), str(link.n)),
        ("previous", head.hash, link.previous),
        ("hash", sealed, link.hash),
    )
    for why, expected, found in tests:
        if expected != found:
            return Break(chain=link.chain, n=link.n, at=link.at, why=why, expected=expected, found=found)
    return None
