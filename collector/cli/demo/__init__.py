"""`demo`: a district collector, a city collector above it and an agent on this host, on SQLite and loopback.

Everything is real: child processes started by their console scripts, certificates, a page that is tampered
on the disk and found by the agent, a filing that goes up and a receipt that comes back. What is shown is read
from the rows that prove it, and each step's time is that row's.

    city   <── join ── district <── enrol ── agent ── watches DIR/webroot
      │                   │ notices ──> webhook receiver of this command
      └── receipt ───────>│
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from ..telling import language_of
from .stage import Stage
from .tell import Teller
from .theatre import LIMIT_SECONDS, Theatre


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its flags."""
    parser = commands.add_parser("demo", help="a district, a city and an agent on this machine")
    parser.add_argument("--once", action="store_true", help="end when the city's receipt has come back")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--dir", metavar="DIR", help="folder for keys, databases and the web root")


def run(args: argparse.Namespace) -> int:
    """Play the demo; 1 when the receipt had not come back within a minute or when it was stopped."""
    folder = Path(args.dir or tempfile.mkdtemp(prefix="fengsui-demo-")).resolve()
    language = language_of(args)
    teller = Teller(language, sys.stderr if args.json else sys.stdout)
    theatre = Theatre(Stage(folder, language), teller)
    steps, error = asyncio.run(theatre.play(stay=not args.once))
    if args.json:
        outcome: dict[str, object] = {"ok": error is None, "steps": steps}
        print(json.dumps(outcome | ({"error": error} if error else {}), ensure_ascii=False))
    elif error:
        print(error, file=sys.stderr)
    return 0 if error is None else 1


__all__ = ["LIMIT_SECONDS", "add_parser", "run"]
