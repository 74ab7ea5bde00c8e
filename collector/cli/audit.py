"""`audit verify`: walks every chain of the journal and names the first place where one does not hold."""

import argparse
import asyncio
import os
import sys

import msgspec

from ..settings import Settings, read_settings
from ..trust.journal_chain import Break, Verifier
from ..world import read_text

_WHY = {
    "gap": ("缺少记录", "entries are missing"),
    "previous": ("与上一条不衔接", "does not follow the entry before"),
    "hash": ("内容被改动", "was changed"),
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its one subcommand."""
    parser = commands.add_parser("audit", help="the journal of every change 审计日志")
    parts = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=argparse.ArgumentParser)
    part = parts.add_parser("verify", help="check the journal's hash chains 校验日志链")
    part.add_argument("--json", action="store_true", help="one JSON document on stdout")
    part.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="settings file 设置文件")
    part.add_argument(
        "--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts 文字语言"
    )


def run(args: argparse.Namespace) -> int:
    """Print what was found; 1 where a chain is broken."""
    settings = read_settings(read_text(args.config), args.config, os.environ)
    verifier = asyncio.run(_verify(settings))
    if args.json:
        document = {
            "ok": not verifier.breaks,
            "chains": verifier.chains,
            "entries": verifier.entries,
            "breaks": verifier.breaks,
        }
        print(msgspec.json.encode(document).decode())
    for line in _lines(verifier, zh=(args.lang or settings.language) == "zh"):
        print(line, file=sys.stderr)
    return 1 if verifier.breaks else 0


async def _verify(settings: Settings) -> Verifier:
    # The database's libraries are imported only here: `--help` starts without them.
    from ..store.engine import Store  # noqa: PLC0415 - see above
    from ..store.journal import read_chains  # noqa: PLC0415 - see above

    verifier = Verifier()
    store = await Store.open(settings.database_url)
    try:
        async with store.read() as connection:
            async for row in read_chains(connection):
                verifier.feed(row)
    finally:
        await store.close()
    return verifier


def _lines(verifier: Verifier, *, zh: bool) -> list[str]:
    if not verifier.breaks:
        if zh:
            return [f"日志完整:{verifier.chains} 条链,{verifier.entries} 条记录"]
        return [f"the journal holds: {verifier.chains} chains, {verifier.entries} entries"]
    return [_line(one, zh=zh) for one in verifier.breaks]


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
