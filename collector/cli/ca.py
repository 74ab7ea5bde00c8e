"""`ca rotate|switch|retire`: replace the authority under a fleet, in three steps; each wants a new start."""

import argparse
import os
import sys
from datetime import UTC, datetime

from wire.usage import Parser
from wire.vocabulary import Name

from ..settings import read_settings
from ..world import read_text

_STEPS = {
    "rotate": Name(
        "已生成新 CA。重启采集端;各节点下次联系时即信任新 CA,之后执行 ca switch。",
        "the next authority is made. Start the collector anew; nodes trust it from their next contact on, "
        "then: ca switch",
    ),
    "switch": Name(
        "新 CA 开始签发。重启采集端;各节点换发证书后执行 ca retire。",
        "the next authority signs. Start the collector anew; when nodes have renewed: ca retire",
    ),
    "retire": Name("旧 CA 已停用。重启采集端。", "the old authority is retired. Start the collector anew."),
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its three subcommands."""
    parser = commands.add_parser("ca", help="replace the authority")
    parts = parser.add_subparsers(dest="step", metavar="STEP", required=True, parser_class=Parser)
    for step in _STEPS:
        part = parts.add_parser(step)
        part.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="settings file")
        part.add_argument("--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts")


def run(args: argparse.Namespace) -> int:
    """Do one step.

    Raises:
        PermanentError: the step is not the one that comes now.
    """
    # The certificate library is imported only here: `--help` starts without it.
    from ..trust import rotation  # noqa: PLC0415 - see above

    settings = read_settings(read_text(args.config), args.config, os.environ)
    now = datetime.now(UTC)  # noqa: TID251 - a command is its own clock
    if args.step == "rotate":
        rotation.rotate(settings.state, settings.unit, now)
    elif args.step == "switch":
        rotation.switch(settings.state)
    else:
        rotation.retire(settings.state)
    print(_STEPS[args.step].in_language(args.lang or settings.language), file=sys.stderr)
    return 0
