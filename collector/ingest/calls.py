"""Outcomes and filings: decoded here, recorded by callables that `app` hands in."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from wire.codec import Codec, unpack
from wire.messages import DrillAnswer, DrillNotice, Filing, Outcome, Receipt

from ..errors import PermanentError
from ..store.nodes import Standing
from .answers import RefusedError

_outcome = Codec(Outcome)
_filing = Codec(Filing)
_drill = Codec(DrillNotice)

EndOrder = Callable[[Outcome, Standing, datetime], Awaitable[None]]
"""Records an outcome; one for an order that is not the node's own, or has ended, changes nothing."""

ReceiveFiling = Callable[[Standing, Filing, bytes, datetime], Awaitable[Receipt]]
"""Records a filing with its bytes as received, once a key, and returns its receipt."""

HearDrill = Callable[[Standing, DrillNotice, datetime], Awaitable[DrillAnswer]]
"""Keeps a drill that a collector below announces, and says whether this side is in it."""


async def outcome(end_order: EndOrder, peer: Standing, body: bytes, encoding: str, now: datetime) -> None:
    """Record the terminal state of an order.

    Raises:
        WireError: the body can't be taken.
    """
    await end_order(_outcome.decode(unpack(body, encoding)), peer, now)


async def filing(
    receive_filing: ReceiveFiling, peer: Standing, body: bytes, encoding: str, now: datetime
) -> Receipt:
    """Record a report of the collector below and return its receipt.

    Raises:
        WireError: the body can't be taken.
        RefusedError: `kind` (403) when the sender is no collector; `foreign` (403) when it files for others.
    """
    if peer.kind != "collector":
        raise RefusedError(
            "kind", 403, f"node {peer.id} is of kind {peer.kind}; only collectors file reports"
        )
    message = _filing.decode(unpack(body, encoding))
    try:
        return await receive_filing(peer, message, body, now)
    except PermanentError as error:
        raise RefusedError("foreign", 403, str(error)) from error


async def drill(
    hear_drill: HearDrill, peer: Standing, body: bytes, encoding: str, now: datetime
) -> DrillAnswer:
    """Keep what a collector below announces of a drill, and answer it.

    Raises:
        WireError: the body can't be taken.
        RefusedError: `kind` (403) when the sender is no collector; `foreign` (403) when it speaks for others.
    """
    if peer.kind != "collector":
        raise RefusedError("kind", 403, f"node {peer.id} is of kind {peer.kind}; only collectors hold drills")
    notice = _drill.decode(unpack(body, encoding))
    try:
        return await hear_drill(peer, notice, now)
    except PermanentError as error:
        raise RefusedError("foreign", 403, str(error)) from error
