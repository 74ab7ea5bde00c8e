"""`run`: the collector, until SIGTERM or Ctrl-C; SIGHUP reloads what can be reloaded."""

import argparse
import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING

from ..phrasebook import in_language
from .loading import world_of
from .telling import language_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from ..app.ending import Notes

# 49 KB a TLS connection under uvloop, 300 KB without (docs/operating.md).
_NO_UVLOOP = {
    "en": "uvloop is not installed: asyncio runs instead, a node's connection costs six times the memory",
    "zh": "未安装 uvloop：改用 asyncio 自带的事件循环，每个节点连接占用的内存约为六倍",
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    commands.add_parser("run", help="run the collector")


def run(args: argparse.Namespace) -> int:
    """Run until told to stop; 1 when a part of it died."""
    # The server's libraries are imported only where they are needed: other commands start without them.
    from ..app.collector import serve  # noqa: PLC0415 - see above

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    world = world_of(args)
    language = language_of(args)

    def notes(text: str) -> None:
        lines = (in_language(line, language) for line in text.split("\n"))
        print("\n".join(lines), file=sys.stderr, flush=True)

    code = _runner(language, notes)(serve(world, args.config, notes))
    logging.shutdown()
    # A database driver's thread that hangs must not keep a process whose every part has been closed.
    os._exit(code)


def _runner(language: str, notes: "Notes") -> "Callable[[Coroutine[Any, Any, int]], int]":
    """Return what runs the collector: uvloop, or asyncio where no wheel of it is built."""
    try:
        import uvloop  # noqa: PLC0415 - a server's library, see above
    except ImportError:
        notes(_NO_UVLOOP[language])
        return asyncio.run
    return uvloop.run
