"""`run`: the collector, until SIGTERM or Ctrl-C; SIGHUP reloads what can be reloaded."""

import argparse
import logging
import os
import sys
from typing import TYPE_CHECKING

from .loading import world_of

if TYPE_CHECKING:
    from ..app import Notes


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    commands.add_parser("run", help="run the collector 运行采集端")


def run(args: argparse.Namespace) -> int:
    """Run until told to stop; 1 when a part of it died."""
    # The server's libraries are imported only where they are needed: other commands start without them.
    import uvloop  # noqa: PLC0415 - see above

    from ..app import serve  # noqa: PLC0415 - see above

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    world = world_of(args)
    notes: Notes = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731 - one line to one place
    code = uvloop.run(serve(world, args.config, notes))
    logging.shutdown()
    # A database driver's thread that hangs must not keep a process whose every part has been closed.
    os._exit(code)
