"""Rows of the console's users, their sessions, and the API's bearer tokens."""

from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from .once import insert_once
from .schema import api_tokens, sessions, users


class User(Struct, frozen=True, kw_only=True):
    """Who may sign in; `person` is the registry key of the one behind the account."""

    name: str
    password_argon2: str
    role: str
    person: str | None
    created_at: datetime
    disabled_at: datetime | None = None


class ApiToken(Struct, frozen=True):
    """A bearer token that was not taken back."""

    id: str
    role: str


async def any_user(connection: AsyncConnection) -> bool:
    """Whether there is an account at all."""
    return (
        await connection.execute(sa.select(sa.literal(1)).select_from(users).limit(1))
    ).first() is not None


async def add_first_user(connection: AsyncConnection, user: User) -> bool:
    """Store an account unless another process is just storing one of that name; return whether it did."""
    return await insert_once(connection, users, {f: getattr(user, f) for f in user.__struct_fields__})


async def add_user(connection: AsyncConnection, user: User) -> None:
    """Store a new account."""
    await connection.execute(sa.insert(users).values({f: getattr(user, f) for f in user.__struct_fields__}))


async def add_free_user(connection: AsyncConnection, user: User) -> bool:
    """Store a new account; False where the name is taken, be it by a disabled one."""
    taken = sa.select(sa.literal(1)).select_from(users).where(users.c.name == user.name)
    if (await connection.execute(taken)).first() is not None:
        return False
    await add_user(connection, user)
    return True


async def set_password(connection: AsyncConnection, name: str, password_argon2: str) -> bool:
    """Replace a password and end the account's sessions; False where no such account may sign in."""
    change = sa.update(users).where(users.c.name == name, users.c.disabled_at.is_(None))
    changed = await connection.execute(change.values(password_argon2=password_argon2))
    await connection.execute(sa.delete(sessions).where(sessions.c.user == name))
    return changed.rowcount == 1


async def disable_user(connection: AsyncConnection, name: str, now: datetime) -> bool:
    """Let nobody sign in by an account, or be signed in; False where that is so already."""
    change = sa.update(users).where(users.c.name == name, users.c.disabled_at.is_(None))
    return (await connection.execute(change.values(disabled_at=now))).rowcount == 1


async def user(connection: AsyncConnection, name: str) -> User | None:
    """Return an account that is not disabled."""
    query = sa.select(users).where(users.c.name == name, users.c.disabled_at.is_(None))
    row = (await connection.execute(query)).mappings().first()
    return User(**row) if row else None


async def open_session(
    connection: AsyncConnection, secret_sha256: str, name: str, now: datetime, expires_at: datetime
) -> None:
    """Store a new session, and forget those that have expired."""
    await connection.execute(sa.delete(sessions).where(sessions.c.expires_at <= now))
    values = {"secret_sha256": secret_sha256, "user": name, "created_at": now, "expires_at": expires_at}
    await connection.execute(sa.insert(sessions).values(values))


async def session_user(connection: AsyncConnection, secret_sha256: str, now: datetime) -> User | None:
    """Return who a session belongs to, while neither it has expired nor the account is disabled."""
    query = (
        sa.select(users)
        .join(sessions, sessions.c.user == users.c.name)
        .where(
            sessions.c.secret_sha256 == secret_sha256,
            sessions.c.expires_at > now,
            users.c.disabled_at.is_(None),
        )
    )
    row = (await connection.execute(query)).mappings().first()
    return User(**row) if row else None


async def close_session(connection: AsyncConnection, secret_sha256: str) -> None:
    """Sign out."""
    await connection.execute(sa.delete(sessions).where(sessions.c.secret_sha256 == secret_sha256))


async def add_api_token(
    connection: AsyncConnection, identifier: str, secret_sha256: str, role: str, now: datetime
) -> None:
    """Store a new bearer token."""
    values = {"id": identifier, "secret_sha256": secret_sha256, "role": role, "created_at": now}
    await connection.execute(sa.insert(api_tokens).values(values))


async def api_token(connection: AsyncConnection, secret_sha256: str) -> ApiToken | None:
    """Return the bearer token of a secret, unless it was taken back."""
    query = sa.select(api_tokens.c.id, api_tokens.c.role).where(
        api_tokens.c.secret_sha256 == secret_sha256, api_tokens.c.revoked_at.is_(None)
    )
    row = (await connection.execute(query)).first()
    return ApiToken(*row) if row else None
