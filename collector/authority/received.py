"""Reports from collectors below: stored once a key; the receipt of the first arrival is the receipt."""

import hashlib
from collections.abc import Awaitable
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from wire.messages import Filing, Receipt

from ..errors import PermanentError
from ..incident import Finding
from ..registry import Registry
from ..store.nodes import Standing
from ..store.received import add_received
from .drilling import check_drill
from .onward import onward_finding


class OpenIncident(Protocol):
    """`Casework.open`."""

    def __call__(
        self, connection: AsyncConnection, finding: Finding, received_at: datetime, now: datetime, /
    ) -> Awaitable[str]:
        """Open an incident or attach to the one that stands for the fingerprint."""
        ...


class ForeignFilingError(PermanentError):
    """A collector files for a unit that it does not speak for."""


async def receive(
    conn: AsyncConnection,
    peer: Standing,
    filing: Filing,
    raw: bytes,
    *,
    registry: Registry,
    issuer: str,
    now: datetime,
    open_incident: OpenIncident | None = None,
) -> Receipt:
    """Store a filing and return its receipt; a resend gets the receipt of the first arrival.

    Args:
        conn: A write transaction.
        peer: The collector below, as its certificate says.
        filing: What it sent.
        raw: The bytes as received.
        registry: Knows which units stand below the peer's.
        issuer: This collector's unit.
        now: When it was received.
        open_incident: Begins what this collector's unit owes onward, in the transaction of the receipt.

    Raises:
        ForeignFilingError: The unit stands under another, or another collector used the key.
        NotInDrillError: It belongs to a drill in which this side is not.
    """
    await check_drill(conn, peer, filing, now)
    # A unit that only the collector below knows cannot be anybody else's.
    if registry.unit(filing.unit) is not None and filing.unit not in registry.below(peer.unit):
        raise ForeignFilingError(
            f"collector {peer.id} of unit {peer.unit} files for unit {filing.unit}, which is not below it"
        )
    digest = hashlib.sha256(raw).hexdigest()
    received = await add_received(conn, node=peer.id, message=filing, sha256=digest, now=now)
    if received.node != peer.id and received.unit != filing.unit:
        raise ForeignFilingError(f"key {filing.key!r} is another collector's; a filing has a key of its own")
    if open_incident is not None and received.received_at == now:  # a resend begins nothing
        finding = onward_finding(filing, registry.unit(issuer), now)
        if finding is not None:
            await open_incident(conn, finding, now, now)
    return received.receipt(issuer)
