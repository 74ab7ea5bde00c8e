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


def worst(judged: Iterable[Judged]) -> Verdict | None:
    """Return the gravest verdict, None where nothing was judged."""
    return max((one.verdict for one in judged), key=GRAVITY.__getitem__, default=None)
