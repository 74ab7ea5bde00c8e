"""What the first start makes: the state folder, and an account that somebody can sign in with."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import PermanentError
from ..store import journal
from ..store.checkpoints import newest_key
from ..store.engine import Store
from ..store.users import User, add_first_user, any_user
from ..trust.checkpoints import KEY, known_key
from ..trust.users import FIRST_USER, hash_password, keep_first_password, new_password

PORTS = "ports.json"


def make_folder(state: Path) -> None:
    """Make the state folder, for its owner alone.

    Raises:
        PermanentError: it can't be made or written.
    """
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise PermanentError(
            f"state_dir {state}: {error.strerror}; name a folder this user may write"
        ) from None
    if not os.access(state, os.W_OK | os.X_OK):
        raise PermanentError(f"state_dir {state}: this user may not write there")


async def know_journal(store: Store, state: Path, notes: Callable[[str], None]) -> None:
    """See that this folder has the key of the journal that it is to write on.

    A collector that signs with a key of its own leaves a journal that does not hold for the others, for ever;
    and where that key was not copied, the authority was not either.

    Raises:
        PermanentError: other collectors have signed the journal, and this folder has no key yet.
    """
    async with store.read() as conn:
        theirs = await newest_key(conn)
    own = known_key(state)
    path = state / KEY
    if theirs and not own:
        raise PermanentError(
            f"{path}: is not there, and another collector has signed this database's journal; "
            "copy ca.key, ca.pem, link-key and journal.key from its state folder, "
            "or, where that is lost for good, make a new key: openssl rand -hex 32 > journal.key"
        )
    if theirs != own and theirs:
        notes(f"{path}: the journal was last signed by another key; collectors on one database share it")


async def make_first_user(store: Store, state: Path, now: datetime, notes: Callable[[str], None]) -> None:
    """Make `admin` where there is no account; its password goes to stderr and a file of its owner's."""
    async with store.read() as conn:
        if await any_user(conn):
            return
    password = new_password()
    hashed = await asyncio.to_thread(hash_password, password)

    async def write(conn: AsyncConnection) -> bool:
        admin = User(name=FIRST_USER, password_argon2=hashed, role="admin", person=None, created_at=now)
        if await any_user(conn) or not await add_first_user(conn, admin):
            return False
        entry = journal.Entry(
            actor="system", action="user.added", subject=f"user:{FIRST_USER}", detail={"role": "admin"}
        )
        await journal.write(conn, entry, now)
        return True

    if await store.run(write):
        path = keep_first_password(state, password)
        notes(f"first start: account {FIRST_USER}, password {password} (also in {path}: remove it)")


def write_ports(state: Path, ports: Mapping[str, int]) -> None:
    """Say in the state folder where the listeners are: of use where the settings say port 0."""
    draft = state / (PORTS + ".new")
    draft.write_text(json.dumps(ports))
    draft.replace(state / PORTS)


def forget_ports(state: Path) -> None:
    """Take that back: nobody listens."""
    (state / PORTS).unlink(missing_ok=True)
