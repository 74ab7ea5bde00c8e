"""The commands of `fengsui-collector`, one a file; the only room that prints or exits.

A command is a module with `add_parser(subparsers)` and `run(args) -> int`. Only the module of the command
that was asked for is imported, so that `--help` and `duty explain` start without a server's libraries.
Exit codes: 0 done, 1 failed or found errors, 2 wrong usage.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from wire.language import Language, spoken
from wire.usage import Parser, asked, behind, speak

from ..errors import FengsuiError
from ..phrasebook import in_language
from ..shipped import release
from ..yaml_marks import Mistakes
from .telling import language_of, told

COMMANDS: tuple[tuple[str, str], ...] = (
    ("run", "run"),
    ("check-config", "check_config"),
    ("demo", "demo"),
    ("token", "token"),
    ("node", "node"),
    ("ca", "ca"),
    ("user", "user"),
    ("join", "join"),
    ("duty", "duty"),
    ("plan", "plan"),
    ("audit", "audit"),
    ("backup", "backup"),
    ("restore", "restore"),
    ("sigma", "sigma"),
    ("releases", "releases"),
    ("roster", "roster"),
    ("drill", "drill"),
    ("beacon", "beacon"),
    ("calendar", "calendar"),
    ("completion", "completion"),
)
DEFAULT_CONFIG = "/etc/fengsui/collector.yaml"
OF_ALL = ("--config", "--lang")


class CommandParser(Parser):
    """A parser whose every command takes `--config` and `--lang`."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - argparse's own signature
        super().__init__(*args, **{"conflict_handler": "resolve", "allow_abbrev": False, **options})
        _add_options(self)


def _add_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes; before a command, too (`wire.usage.behind`)."""
    parser.add_argument("--config", metavar="FILE", default=DEFAULT_CONFIG, help="settings file")
    parser.add_argument("--lang", choices=["zh", "en"], default=None, help="language of texts")


def build_parser(command: str | None = None, language: Language = "en") -> argparse.ArgumentParser:
    """Return the parser of all commands, or of the one that was asked for, in a language."""
    parser = Parser(
        prog="fengsui-collector",
        description="collects reports, grades incidents, keeps deadlines",
    )
    if command is None:
        _add_options(parser)
        parser.add_argument("--version", action="version", version=f"%(prog)s {release()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=CommandParser)
    for name, module in COMMANDS:
        if command in {None, name}:
            found = import_module(f".{module}", __package__)
            found.add_parser(commands)
            commands.choices[name].set_defaults(run=found.run)
    speak(parser, language, in_language)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    words = behind(sys.argv[1:] if argv is None else argv, OF_ALL)
    names = {name for name, _ in COMMANDS}
    command = words[0] if words and words[0] in names else None
    args = build_parser(command, spoken(asked(words), os.environ)).parse_args(words)
    try:
        code = int(args.run(args))
        sys.stdout.flush()
    except (FengsuiError, Mistakes) as error:
        print(told(error, language_of(args)), file=sys.stderr)
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
