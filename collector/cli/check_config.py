"""`check-config`: reads the settings and everything they name, and tells every mistake at once."""

import argparse
import sys

from ..yaml_marks import Mistakes
from .loading import world_of
from .telling import language_of


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("check-config", help="check settings and all they name")
    parser.add_argument("file", nargs="?", metavar="FILE", help="settings file; default: --config")


def run(args: argparse.Namespace) -> int:
    """Say what is there; 1 with every mistake on its own line when something is wrong."""
    file = args.config = args.file or args.config
    world = world_of(args)
    if wrong := [*world.left_out, *world.refused]:
        raise Mistakes(wrong)
    counts = (
        (len(world.registry.units), "个单位", "units"),
        (len(world.registry.assets), "项资产", "assets"),
        (len(world.registry.exits), "个合规出口", "sanctioned exits"),
        (len(world.regimes), "项报告制度", "regimes"),
        (len(world.plans), "个预案", "plans"),
        (len(world.rules), "条检测规则", "detection rules"),
    )
    zh = language_of(args) == "zh"
    summary = ", ".join(f"{count} {zh_name if zh else en_name}" for count, zh_name, en_name in counts)
    print(f"{file}: {'无误' if zh else 'no mistakes'}: {summary}", file=sys.stderr)
    return 0
