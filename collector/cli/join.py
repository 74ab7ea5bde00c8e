"""`join`: enrols this collector at the one above, as kind `collector`, and keeps what it was given."""

import argparse
import asyncio
import socket
import sys

from .loading import settings_of
from .telling import language_of


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("join", help="enrol at the collector above")
    parser.add_argument("--superior", metavar="URL", default="", help="its agents' listener")
    parser.add_argument("--token", metavar="T", required=True, help="made there with --kind collector")


def run(args: argparse.Namespace) -> int:
    """Join; the identity goes to `<state_dir>/superior`."""
    # The server's libraries are imported only here: `--help` starts without them.
    from ..app.first_start import make_folder  # noqa: PLC0415 - see above
    from ..trust.superior import join  # noqa: PLC0415 - see above
    from ..trust.tokens import read_token  # noqa: PLC0415 - see above

    settings = settings_of(args)
    zh = language_of(args) == "zh"
    token = read_token(args.token)
    make_folder(settings.state)
    superior = asyncio.run(join(args.superior, token, socket.gethostname(), settings.state))
    unit, node = ("单位", "节点") if zh else ("unit", "node")
    said = "已接入" if zh else "joined"
    print(f"{said} {superior.url}: {unit} {superior.unit}, {node} {superior.node}", file=sys.stderr)
    return 0
