"""Makes tokens: stored as digests with a journal entry, shown once."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7
from wire.vocabulary import NodeKind

from ..store import journal, nodes, users
from ..store.engine import Store
from ..store.nodes import TokenRow
from ..trust.tokens import EnrolmentToken, digest, new_bearer, new_secret, write_token


async def issue_enrolment(
    store: Store,
    *,
    url: str,
    authority: bytes,
    unit: str,
    kind: NodeKind,
    life: timedelta,
    uses: int,
    now: datetime,
) -> str:
    """Store a new enrolment token and return its text.

    Args:
        store: The collector's state.
        url: Where nodes reach the agents' listener.
        authority: The certificate to pin, in DER.
        unit: The unit its nodes will belong to; the caller has seen that the registry has it.
        kind: What it may enrol.
        life: How long it may be used.
        uses: How many nodes it may enrol.
        now: Begin of its life.
    """
    token = EnrolmentToken(url=url, ca=authority, secret=new_secret(), made=int(now.timestamp()))
    row = TokenRow(
        id=uuid7(now),
        secret_sha256=digest(token.secret),
        unit=unit,
        kind=kind,
        created_at=now,
        expires_at=now + life,
        uses_left=uses,
    )
    detail = {"unit": unit, "kind": kind, "uses": uses, "expires_at": row.expires_at}

    async def write(connection: AsyncConnection) -> None:
        await nodes.add_token(connection, row)
        await journal.write(connection, _entry(row.id, detail), now)

    await store.run(write)
    return write_token(token)


async def issue_bearer(store: Store, role: str, now: datetime) -> str:
    """Store a new bearer token of the API and return its text."""
    bearer, identifier = new_bearer(), uuid7(now)

    async def write(connection: AsyncConnection) -> None:
        await users.add_api_token(connection, identifier, digest(bearer), role, now)
        await journal.write(connection, _entry(identifier, {"api": role}), now)

    await store.run(write)
    return bearer


def _entry(identifier: str, detail: dict[str, object]) -> journal.Entry:
    return journal.Entry(actor="system", action="token.created", subject=f"token:{identifier}", detail=detail)
