"""`user add`, `user password`, `user disable`: accounts of the console; the collector may run."""

import argparse
import asyncio
import json
import os
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wire.usage import Parser

from ..errors import PermanentError
from ..registry import read_registry
from ..settings import Settings
from ..world import read_text
from .loading import settings_of
from .telling import language_of, mistaken

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_DEEDS = {
    "add": ("a new account; its password is shown once", "user.added"),
    "password": ("a new password; who is signed in is signed out", "user.password"),
    "disable": ("nobody signs in by it any more", "user.disabled"),
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its subcommands."""
    parser = commands.add_parser("user", help="accounts of the console")
    parts = parser.add_subparsers(metavar="COMMAND", dest="deed", required=True, parser_class=Parser)
    for deed, (text, _) in _DEEDS.items():
        part = parts.add_parser(deed, help=text)
        part.add_argument("name", metavar="NAME", type=_name, help="name to sign in by")
        if deed == "add":
            part.add_argument("--role", choices=["admin", "duty", "viewer"], default="duty", help="role")
            part.add_argument("--person", metavar="KEY", help="key of the registry's person")
        part.add_argument("--json", action="store_true", help="one JSON document on stdout")
        part.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="settings file")
        part.add_argument("--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts")


def run(args: argparse.Namespace) -> int:
    """Do it; print the new password on stdout and what was done on stderr.

    Raises:
        PermanentError: the name is taken or not there, or the registry has no such person.
    """
    settings = settings_of(args)
    zh = language_of(args) == "zh"
    if args.deed == "add" and args.person:
        registry = read_registry(read_text(settings.registry), settings.registry)
        if registry.person(args.person) is None:
            raise PermanentError(f"--person {args.person!r} is not among the people of {settings.registry}")
    password = asyncio.run(_do(settings, args))
    shown = {"name": args.name} | ({"password": password} if args.deed != "disable" else {})
    if args.json:
        print(json.dumps(shown))
    elif args.deed != "disable":
        print(password)
    said = f"账号 {args.name}:{args.deed} 已完成" if zh else f"account {args.name}: {args.deed} is done"
    print(said, file=sys.stderr)
    return 0


async def _do(settings: Settings, args: argparse.Namespace) -> str:
    # The server's libraries are imported only here: `--help` starts without them.
    from ..store import journal, users  # noqa: PLC0415 - see above
    from ..store.engine import Store  # noqa: PLC0415 - see above
    from ..trust.users import hash_password, new_password  # noqa: PLC0415 - see above

    now = datetime.now(UTC)  # noqa: TID251 - a command is its own clock
    password = new_password()
    hashed = hash_password(password)

    async def write(connection: "AsyncConnection") -> bool:
        detail = {"host_user": os.getuid()}
        if args.deed == "add":
            account = users.User(
                name=args.name, password_argon2=hashed, role=args.role, person=args.person, created_at=now
            )
            done = await users.add_free_user(connection, account)
            detail |= {"role": args.role, "person": args.person}
        elif args.deed == "password":
            done = await users.set_password(connection, args.name, hashed)
        else:
            done = await users.disable_user(connection, args.name, now)
        if done:
            entry = journal.Entry(
                actor="system", action=_DEEDS[args.deed][1], subject=f"user:{args.name}", detail=detail
            )
            await journal.write(connection, entry, now)
        return done

    store = await Store.open(settings.database_url)
    try:
        if not await store.run(write):
            why = "this name is taken" if args.deed == "add" else "no account of this name may sign in"
            raise PermanentError(f"{args.name}: {why}")
    finally:
        await store.close()
    return password


def _name(text: str) -> str:
    if not re.fullmatch(r"[\w][\w.@-]{0,63}", text):
        raise mistaken(text, "up to 64 letters, digits, '.', '@', '_' or '-'")
    return text
