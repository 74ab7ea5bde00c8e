"""What a judgement is, and which of several is the gravest."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from wire.vocabulary import LinkKind, Verdict

from .reasons import Reason

GRAVITY: dict[Verdict, int] = {
    "sanctioned": 0,
    "unknown": 1,
    "available": 2,
    "exposed_service": 3,
    "used": 4,
    "bridging": 5,
}

CERTAINTY = {"guessed": 0.3, "configured": 0.6, "answers": 0.8, "seen": 0.95, "proved": 1.0}
"""How sure a verdict is by the best of its evidence: something is not known; it is set up so; somebody
answers at the other end; traffic was seen; a beacon answered."""


class Judged(Struct, frozen=True, kw_only=True):
    """One thing judged.

    Fields:
        key: A name that stays the same on that node.
        link, link_kind: The link it goes by; several names joined by `+` for bridging.
        next_hop: The gateway, or the proxy.
        addresses: Of the link, or those that are listened on.
        sanctioned_by: Id of the sanctioned exit.
        reasons: What led to the verdict, the deciding one first.
        evidence: What was seen, as JSON values.
        confidence: How sure it is, 0 to 1; see `CERTAINTY`.
    """

    key: str
    verdict: Verdict
    link: str
    link_kind: LinkKind
    next_hop: str | None
    addresses: tuple[str, ...]
    sanctioned_by: str | None
    reasons: tuple[Reason, ...]
    evidence: tuple[dict[str, Any], ...]
    confidence: float = CERTAINTY["configured"]


def worst(judged: Iterable[Judged]) -> Verdict | None:
    """Return the gravest verdict, None where nothing was judged."""
    return max((one.verdict for one in judged), key=GRAVITY.__getitem__, default=None)
