"""`node revoke`: take the standing of a node that is lost, stolen or strange; the collector may run."""

import argparse
import asyncio
import json
import os
import sys
from datetime import UTC, datetime

from wire.usage import Parser

from ..errors import PermanentError
from ..settings import Settings
from .loading import settings_of
from .telling import language_of


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its one subcommand."""
    parser = commands.add_parser("node", help="enrolled nodes")
    parts = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    part = parts.add_parser("revoke", help="refuse a node from now on, for good")
    part.add_argument("node", metavar="NODE", help="its id, as the console shows it")
    part.add_argument("--reason", metavar="TEXT", required=True, help="kept in the journal")
    part.add_argument("--json", action="store_true", help="one JSON document on stdout")
    part.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="settings file")
    part.add_argument("--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts")


def run(args: argparse.Namespace) -> int:
    """Revoke it; a running collector hears of it within seconds.

    Raises:
        PermanentError: no active node has this id.
    """
    settings = settings_of(args)
    zh = language_of(args) == "zh"
    if not asyncio.run(_revoke(settings, args.node, args.reason)):
        raise PermanentError(f"{args.node}: no active node has this id; the console lists them under nodes")
    if args.json:
        print(json.dumps({"node": args.node, "state": "revoked"}))
    if zh:
        print(f"节点 {args.node} 已吊销;运行中的采集端数秒内即拒绝它。", file=sys.stderr)
    else:
        print(f"node {args.node} is revoked; a running collector refuses it within seconds", file=sys.stderr)
    return 0


async def _revoke(settings: Settings, node: str, reason: str) -> bool:
    # The database's libraries are imported only here: `--help` starts without them.
    from ..store import journal  # noqa: PLC0415 - see above
    from ..store.engine import Store  # noqa: PLC0415 - see above
    from ..store.nodes import revoke_node  # noqa: PLC0415 - see above

    detail = {"reason": reason[:500], "host_user": os.getuid()}
    entry = journal.Entry(actor="system", action="node.revoked", subject=f"node:{node}", detail=detail)
    now = datetime.now(UTC)  # noqa: TID251 - a command is its own clock
    store = await Store.open(settings.database_url)
    try:
        async with store.write() as connection:
            revoked = await revoke_node(connection, node, now)
            if revoked:
                await journal.write(connection, entry, now)
    finally:
        await store.close()
    return revoked
