"""The commands of `fengsui-agent`, one a file; the only room that prints or exits.

A command is a module with `add_parser(subparsers)` and `run(args) -> int`. Only the module of the command
that was asked for is imported. Exit codes: 0 done, 1 failed or found errors, 2 wrong usage.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from wire.language import Language, spoken

from ..settings import SettingsError
from ..texts import SaidError

COMMANDS: tuple[tuple[str, str], ...] = (
    ("enrol", "enrol"),
    ("run", "run"),
    ("check-config", "check_config"),
    ("once", "once"),
    ("replay", "replay"),
    ("baseline", "baseline"),
    ("deputy", "deputy"),
    ("completion", "completion"),
)


class CommandParser(argparse.ArgumentParser):
    """A parser whose every command takes `--config` and `--lang`."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - argparse's own signature
        super().__init__(*args, **{"conflict_handler": "resolve", "allow_abbrev": False, **options})
        self.add_argument("--config", metavar="FILE", default=None, help="settings file 设置文件")
        self.add_argument("--state-dir", metavar="DIR", default=None, help="state folder 状态目录")
        self.add_argument("--lang", choices=["zh", "en"], default=None, help="language of texts 文字语言")


def build_parser(asked: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of all commands, or of the one that was asked for."""
    parser = argparse.ArgumentParser(
        prog="fengsui-agent",
        description="烽燧探针:上报本机资产、出口与事件。 Reports a node's assets, exits and incidents.",
    )
    if asked is None:
        parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=CommandParser)
    for name, module in COMMANDS:
        if asked in {None, name}:
            command = import_module(f".{module}", __package__)
            command.add_parser(commands)
            commands.choices[name].set_defaults(run=command.run)
    return parser


def language(asked: str | None, settings: str | None = None) -> Language:
    """Return the language of texts by the one rule (`wire.language`); `settings`: theirs, once read."""
    return spoken(asked, os.environ, settings)


def _version() -> str:
    try:
        return version("fengsui")
    except PackageNotFoundError:  # a wheel unpacked by hand
        return "0"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    asked = words[0] if words and words[0] in {name for name, _ in COMMANDS} else None
    args = build_parser(asked).parse_args(words)
    try:
        code = int(args.run(args))
        sys.stdout.flush()
    except SaidError as error:
        print(error.in_language(language(args.lang)), file=sys.stderr)
        return 1
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        return _unread()
    except KeyboardInterrupt:
        return 130
    return code


def _unread() -> int:
    """Whoever read the output has gone, as `| head` does: the rest goes nowhere and says nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
