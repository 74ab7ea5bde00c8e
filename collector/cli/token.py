"""`token create`: lets a node enrol, or a program use the API; `list` finds it, `revoke` takes it back."""

import argparse
import asyncio
import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta

from wire.usage import Parser

from ..errors import PermanentError
from ..registry import read_registry
from ..settings import Settings
from ..world import read_text
from . import token_list
from .loading import settings_of
from .telling import language_of, mistaken

ROLES = ("admin", "duty", "viewer", "metrics", "intake")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=30)
_MOST_USES = 10_000


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its subcommands."""
    parser = commands.add_parser("token", help="tokens for nodes and for the API")
    parts = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    part = parts.add_parser("create", help="make a token; it is shown once")
    part.set_defaults(part=_make)
    purpose = part.add_mutually_exclusive_group(required=True)
    purpose.add_argument("--unit", metavar="UNIT", help="unit of the nodes it enrols")
    purpose.add_argument("--api", choices=ROLES, help="role of an API token")
    part.add_argument("--kind", choices=["agent", "collector"], default="agent", help="node kind")
    part.add_argument("--expires", metavar="TIME", type=_life, default=timedelta(hours=1), help="30m, 1h, 7d")
    part.add_argument("--uses", metavar="N", type=_uses, default=1, help="how many nodes")
    part.add_argument("--url", metavar="URL", default="", help="address nodes reach us at")
    part.add_argument("--json", action="store_true", help="one JSON document on stdout")
    part.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="settings file")
    part.add_argument("--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts")
    back = parts.add_parser("revoke", help="take a token back")
    back.add_argument("token", metavar="ID", help="its id, as `token list` names it")
    back.add_argument("--reason", metavar="TEXT", required=True, help="kept in the journal")
    back.add_argument("--json", action="store_true", help="one JSON document on stdout")
    back.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="settings file")
    back.add_argument("--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts")
    back.set_defaults(part=_take_back)
    token_list.add_parser(parts)


def run(args: argparse.Namespace) -> int:
    """Make a token and print it on stdout and what it is good for on stderr; list them; take one back.

    Raises:
        PermanentError: no token in use has this id.
    """
    return int(args.part(args))


def _make(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    zh = language_of(args) == "zh"
    now = datetime.now(UTC)  # noqa: TID251 - a command is its own clock
    if args.unit:
        _check_unit(settings, args.unit)
    made = asyncio.run(_create(settings, args, now))
    print(json.dumps(made) if args.json else made["token"])
    print(_explain(args, made, zh=zh), file=sys.stderr)
    return 0


def _take_back(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    now = datetime.now(UTC)  # noqa: TID251 - a command is its own clock
    if not asyncio.run(_revoke(settings, args.token, args.reason, now)):
        raise PermanentError(f"{args.token}: no token in use has this id; `token list` names those that are")
    zh = language_of(args) == "zh"
    if args.json:
        print(json.dumps({"id": args.token, "revoked_at": now.isoformat(timespec="seconds")}))
    print(f"令牌 {args.token} 已收回。" if zh else f"token {args.token} is taken back", file=sys.stderr)
    return 0


async def _revoke(settings: Settings, token: str, reason: str, now: datetime) -> bool:
    # The database's libraries are imported only here: `--help` starts without them.
    from ..store import journal  # noqa: PLC0415 - see above
    from ..store.engine import Store  # noqa: PLC0415 - see above
    from ..store.tokens import revoke_token  # noqa: PLC0415 - see above

    detail = {"reason": reason[:500], "host_user": os.getuid()}
    entry = journal.Entry(actor="system", action="token.revoked", subject=f"token:{token}", detail=detail)
    store = await Store.open(settings.database_url)
    try:
        async with store.write() as connection:
            revoked = await revoke_token(connection, token, now)
            if revoked:
                await journal.write(connection, entry, now)
    finally:
        await store.close()
    return revoked


async def _create(settings: Settings, args: argparse.Namespace, now: datetime) -> dict[str, str]:
    # The server's libraries are imported only here: `--help` starts without them.
    from ..app.first_start import make_folder  # noqa: PLC0415 - see above
    from ..ingest.issuing import issue_bearer, issue_enrolment  # noqa: PLC0415 - see above
    from ..store.engine import Store  # noqa: PLC0415 - see above
    from ..trust.ca import Authority  # noqa: PLC0415 - see above

    make_folder(settings.state)
    store = await Store.open(settings.database_url)
    try:
        if args.api:
            return {"token": await issue_bearer(store, args.api, now), "role": args.api}
        url = args.url or _address(settings)
        token = await issue_enrolment(
            store,
            url=url,
            authority=Authority.at(settings.state, settings.unit, now).der,
            unit=args.unit,
            kind=args.kind,
            life=args.expires,
            uses=args.uses,
            now=now,
        )
        until = (now + args.expires).isoformat(timespec="seconds")
        return {"token": token, "url": url, "unit": args.unit, "kind": args.kind, "expires_at": until}
    finally:
        await store.close()


def _check_unit(settings: Settings, unit: str) -> None:
    registry = read_registry(read_text(settings.registry), settings.registry)
    if registry.unit(unit) is None:
        known = ", ".join(sorted(registry.units))
        raise PermanentError(f"--unit {unit!r} is not in {settings.registry}; it has: {known}")


def _address(settings: Settings) -> str:
    """Where nodes reach the agents' listener; a port that was taken freely stands in the state folder."""
    agents = settings.listen.agents
    port = agents.port
    if port == 0:
        try:
            port = int(json.loads((settings.state / "ports.json").read_text())["agents"])
        except (OSError, ValueError, KeyError):
            text = "listen.agents.port is 0 and the collector is not running; start it or give --url"
            raise PermanentError(text) from None
    name = agents.names[0]
    return f"https://[{name}]:{port}" if ":" in name else f"https://{name}:{port}"


def _explain(args: argparse.Namespace, made: dict[str, str], *, zh: bool) -> str:
    if args.api:
        zh_text = f"接口令牌,角色 {args.api};只显示这一次。"
        return zh_text if zh else f"API token, role {args.api}; it is shown only this once."
    who = {"agent": "fengsui-agent enrol --collector", "collector": "fengsui-collector join --superior"}
    command = f"{who[args.kind]} {made['url']} --token …"
    if zh:
        return f"单位 {args.unit},可用 {args.uses} 次,{made['expires_at']} 前有效。在节点上执行:{command}"
    return f"unit {args.unit}, {args.uses} use(s), until {made['expires_at']}. On the node: {command}"


def _life(text: str) -> timedelta:
    match = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text)
    life = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
    if not timedelta() < life <= _LONGEST:
        raise mistaken(text, "a time like 30m, 1h or 7d, at most 30d")
    return life


def _uses(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= _MOST_USES:
        raise mistaken(text, f"a number from 1 to {_MOST_USES}")
    return int(text)
