"""`audit verify`: walks every chain of the journal and names the first place where one does not hold."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

import msgspec

from wire.usage import Parser

from ..settings import Settings
from ..trust.journal_chain import Break, Verifier
from .loading import settings_of
from .telling import language_of

if TYPE_CHECKING:
    from ..trust.checkpoints import Witness

_WHY = {
    "gap": ("缺少记录", "entries are missing"),
    "previous": ("与上一条不衔接", "does not follow the entry before"),
    "hash": ("内容被改动", "was changed"),
    "cut": ("链尾被截断", "the chain was cut off at its end"),
    "removed": ("整条链缺失", "the whole chain was removed"),
    "rewritten": ("与签名检查点不符", "is not what a checkpoint has signed"),
    "missing": (
        "最新的检查点不在数据库中",
        "the newest checkpoint is not in the database",
    ),
    "signature": ("检查点签名无效", "the checkpoint's signature does not hold"),
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its one subcommand."""
    parser = commands.add_parser("audit", help="the journal of every change")
    parts = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    part = parts.add_parser("verify", help="check the journal's hash chains")
    part.add_argument("--json", action="store_true", help="one JSON document on stdout")
    part.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="settings file")
    part.add_argument("--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts")


def run(args: argparse.Namespace) -> int:
    """Print what was found; 1 where a chain is broken."""
    settings = settings_of(args)
    zh = language_of(args) == "zh"
    verifier, witness = asyncio.run(_verify(settings))
    breaks = [*verifier.breaks, *witness.breaks()]
    if args.json:
        document = {
            "ok": not breaks,
            "chains": verifier.chains,
            "entries": verifier.entries,
            "checkpoints": witness.checkpoints,
            "breaks": breaks,
        }
        print(msgspec.json.encode(document).decode())
    for line in _lines(verifier, witness.checkpoints, breaks, zh=zh):
        print(line, file=sys.stderr)
    return 1 if breaks else 0


async def _verify(settings: Settings) -> tuple[Verifier, "Witness"]:
    # The database's libraries are imported only here: `--help` starts without them.
    from ..backups.checking import walk_journal  # noqa: PLC0415 - see above
    from ..store.engine import Store  # noqa: PLC0415 - see above
    from ..trust.checkpoints import newest_kept  # noqa: PLC0415 - see above

    newest = newest_kept(settings.state)  # before the database is read, where it was written first
    store = await Store.open(settings.database_url)
    try:
        async with store.read() as connection:
            return await walk_journal(connection, settings.state, newest)
    finally:
        await store.close()


def _lines(verifier: Verifier, checkpoints: int, breaks: list[Break], *, zh: bool) -> list[str]:
    chains, entries = verifier.chains, verifier.entries
    if not breaks and zh:
        return [f"日志完整:{chains} 条链,{entries} 条记录,{checkpoints} 个签名检查点"]
    if not breaks:
        return [f"the journal holds: {chains} chains, {entries} entries, {checkpoints} signed checkpoints"]
    return [_line(one, zh=zh) for one in breaks]


def _line(broken: Break, *, zh: bool) -> str:
    why_zh, why_en = _WHY[broken.why]
    at = broken.at.isoformat(" ", "seconds")
    if zh:
        found = f"应为 {broken.expected},实为 {broken.found}"
        return f"日志链 {broken.chain} 第 {broken.n} 条({at})断裂:{why_zh},{found}"
    return (
        f"chain {broken.chain} breaks at entry {broken.n} ({at}): {why_en}; "
        f"expected {broken.expected}, found {broken.found}"
    )
