"""What a person asks of a node, and what they do with the evidence that comes back.

An order is looked at first: unless its giver says otherwise the node only tells whether it would do it. What
is really to happen wants a reason, and both stand in the journal.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7
from wire.orders import ParamsError, read_params
from wire.vocabulary import OrderKind

from ..store.evidence import PackRow, Touch, content, custody, pack_of, touch
from ..store.nodes import standing
from ..store.orders import OrderRow, add_order
from .problem import ProblemError
from .rights import Principal, allow_on
from .world import Desk

DEADLINE = timedelta(minutes=10)


async def give_order(
    desk: Desk,
    principal: Principal,
    node: str,
    kind: OrderKind,
    params: Mapping[str, Any],
    *,
    reason: str,
    dry_run: bool,
    now: datetime,
) -> OrderRow:
    """Issue an order in the name of the principal.

    Raises:
        ProblemError: not-found, forbidden, malformed where parameters or the reason are wrong, or conflict
            where the node takes no orders.
    """
    try:
        read_params(kind, params)
    except ParamsError as error:
        raise ProblemError("malformed", str(error)) from None
    if not dry_run and not reason.strip():
        raise ProblemError("malformed", "reason: found nothing, expected why this shall really be done")

    async def work(conn: AsyncConnection) -> OrderRow:
        known = await standing(conn, node)
        if known is None:
            raise ProblemError("not-found", f"there is no node {node[:64]!r}")
        allow_on(principal, "act", known.unit, desk.registry(), f"node {node!r}")
        if known.kind != "agent" or known.state != "active":
            raise ProblemError("conflict", f"node {node} is {known.state} and of kind {known.kind}")
        return await add_order(
            conn,
            key=f"desk/{uuid7(now)}",
            node=node,
            incident=None,
            kind=kind,
            params=dict(params),
            deadline=now + DEADLINE,
            now=now,
            actor=principal.actor,
            dry_run=dry_run,
            reason=reason.strip()[:2000],
        )

    return await desk.store.run(work)


async def look_at(
    desk: Desk, principal: Principal, identifier: str, *, now: datetime
) -> tuple[PackRow, list[Touch]]:
    """Return an evidence pack with its chain of custody, in which this look stands from now on.

    Raises:
        ProblemError: not-found or forbidden.
    """

    async def work(conn: AsyncConnection) -> tuple[PackRow, list[Touch]]:
        pack = await _pack(conn, desk, principal, identifier)
        await touch(conn, pack, "evidence.shown", principal.actor, now)
        return pack, await custody(conn, pack.id)

    return await desk.store.run(work)


async def take_away(
    desk: Desk, principal: Principal, identifier: str, *, now: datetime
) -> tuple[PackRow, bytes]:
    """Return the content of a pack that is proved; who took it stands in its chain of custody.

    Raises:
        ProblemError: not-found, forbidden, or conflict where it is not whole or not what its manifest says.
    """

    async def work(conn: AsyncConnection) -> tuple[PackRow, bytes]:
        pack = await _pack(conn, desk, principal, identifier)
        if pack.state != "proved":
            here = f"{pack.arrived} of {pack.chunks} pieces are here"
            raise ProblemError("conflict", f"evidence {pack.id} is {pack.state}: {here}")
        await touch(conn, pack, "evidence.exported", principal.actor, now, sha256=pack.sha256)
        return pack, await content(conn, pack.id)

    return await desk.store.run(work)


async def _pack(conn: AsyncConnection, desk: Desk, principal: Principal, identifier: str) -> PackRow:
    pack = await pack_of(conn, identifier)
    if pack is None:
        raise ProblemError("not-found", f"there is no evidence {identifier[:64]!r}")
    allow_on(principal, "act", pack.unit, desk.registry(), f"evidence {identifier!r}")
    return pack
