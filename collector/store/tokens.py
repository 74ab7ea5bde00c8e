"""Tokens of both kinds, as an operator sees them: for enrolling nodes, and for programs at the API."""

from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from .schema import api_tokens, enrolment_tokens

TokenState = Literal["usable", "expired", "spent", "revoked"]


class Token(Struct, frozen=True, kw_only=True):
    """A token, without its secret, of which nothing but a digest is kept.

    Fields:
        purpose: `enrolment` or `api`.
        unit, kind: Of an enrolment token: whose nodes it lets in, agents or collectors.
        role: Of one of the API.
        expires_at, uses_left: Of an enrolment token; one that was taken back has none left.
        revoked_at: Of one of the API.
    """

    id: str
    purpose: Literal["enrolment", "api"]
    created_at: datetime
    unit: str | None = None
    kind: str | None = None
    role: str | None = None
    expires_at: datetime | None = None
    uses_left: int | None = None
    revoked_at: datetime | None = None

    def state(self, now: datetime) -> TokenState:
        """Return whether somebody who has it may still come in, or why not."""
        if self.revoked_at is not None:
            return "revoked"
        if self.uses_left == 0:
            return "spent"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "usable"


async def all_tokens(connection: AsyncConnection) -> list[Token]:
    """Return every token there ever was, oldest first."""
    of = enrolment_tokens.c
    enrolling = sa.select(of.id, of.created_at, of.unit, of.kind, of.expires_at, of.uses_left)
    calling = sa.select(api_tokens.c.id, api_tokens.c.created_at, api_tokens.c.role, api_tokens.c.revoked_at)
    found = [
        Token(purpose="enrolment", **row) for row in (await connection.execute(enrolling)).mappings()
    ] + [Token(purpose="api", **row) for row in (await connection.execute(calling)).mappings()]
    return sorted(found, key=lambda token: (token.created_at, token.id))


async def revoke_token(connection: AsyncConnection, identifier: str, now: datetime) -> bool:
    """Take back a token of the API, or what is left of an enrolment token; False: there is none in use."""
    change = sa.update(api_tokens).where(api_tokens.c.id == identifier, api_tokens.c.revoked_at.is_(None))
    if (await connection.execute(change.values(revoked_at=now))).rowcount == 1:
        return True
    left = sa.update(enrolment_tokens).where(
        enrolment_tokens.c.id == identifier, enrolment_tokens.c.uses_left > 0
    )
    # With its life ends what who used it could still ask again with it.
    return (await connection.execute(left.values(uses_left=0, expires_at=now))).rowcount == 1
