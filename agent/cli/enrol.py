"""`fengsui-agent enrol --collector URL --token T`: a token turned into this node's identity."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from ..clock import host_clock
from ..enrolment import enrol, load_identity, this_host
from ..texts import SaidError, say
from .loading import load


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Add the command."""
    parser = subparsers.add_parser("enrol", help="enrol this node by a one-time token")
    parser.add_argument("--collector", metavar="URL", default="", help="default: the address in the token")
    parser.add_argument("--token", metavar="T", required=True, help="a token, or - to read it from stdin")
    parser.add_argument(
        "--again", action="store_true", help="enrol although there is an identity; it is kept beside"
    )


def run(args: argparse.Namespace) -> int:
    """Enrol; what goes wrong is raised as `SaidError`, which the room prints."""
    settings = load(args)
    state_dir = Path(settings.state_dir)
    if not args.again:
        _refuse_second(state_dir)
    token = sys.stdin.readline() if args.token == "-" else args.token  # noqa: S105 - "-" means stdin
    host = this_host(asset.id for asset in settings.assets)
    identity = asyncio.run(enrol(token, args.collector, state_dir, host, host_clock().now))
    print(
        say(
            settings.language,
            "enrolled",
            node=identity.node,
            unit=identity.unit,
            url=identity.collector,
            path=identity.folder,
        )
    )
    return 0


def _refuse_second(state_dir: Path) -> None:
    try:
        found = load_identity(state_dir)
    except SaidError:
        return
    raise SaidError("already_enrolled", node=found.node)
