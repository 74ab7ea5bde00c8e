"""The commands of `fengsui-agent`, one a file; the only room that prints or exits.

A command is a module with `add_parser(subparsers)` and `run(args) -> int`. Only the module of the command
that was asked for is imported. Exit codes: 0 done, 1 failed or found errors, 2 wrong usage.
"""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from wire.language import Language, spoken
from wire.usage import Parser, asked, behind, speak

from ..phrasebook import in_language
from ..settings import SettingsError
from ..shipped import release
from ..texts import SaidError

COMMANDS: tuple[tuple[str, str], ...] = (
    ("enrol", "enrol"),
    ("run", "run"),
    ("check-config", "check_config"),
    ("once", "once"),
    ("replay", "replay"),
    ("baseline", "baseline"),
    ("deputy", "deputy"),
    ("update", "update"),
    ("completion", "completion"),
)
OF_ALL = ("--config", "--state-dir", "--lang")


class CommandParser(Parser):
    """A parser whose every command takes `--config` and `--lang`."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - argparse's own signature
        super().__init__(*args, **{"conflict_handler": "resolve", "allow_abbrev": False, **options})
        _add_options(self)


def _add_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes; before a command, too (`wire.usage.behind`)."""
    parser.add_argument("--config", metavar="FILE", default=None, help="settings file")
    parser.add_argument("--state-dir", metavar="DIR", default=None, help="state folder")
    parser.add_argument("--lang", choices=["zh", "en"], default=None, help="language of texts")


def build_parser(command: str | None = None, language: Language = "en") -> argparse.ArgumentParser:
    """Return the parser of all commands, or of the one that was asked for, in a language."""
    parser = Parser(
        prog="fengsui-agent",
        description="reports a node's assets, exits and incidents",
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


def language(wanted: str | None, settings: str | None = None) -> Language:
    """Return the language of texts by the one rule (`wire.language`); `settings`: theirs, once read."""
    return spoken(wanted, os.environ, settings)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    words = behind(sys.argv[1:] if argv is None else argv, OF_ALL)
    command = words[0] if words and words[0] in {name for name, _ in COMMANDS} else None
    gc.disable()  # modules leave nothing behind to collect, and looking for it is a tenth of a start
    try:
        parser = build_parser(command, language(asked(words)))
    finally:
        gc.enable()
    args = parser.parse_args(words)
    try:
        code = int(args.run(args))
        sys.stdout.flush()
    except (SaidError, SettingsError) as error:
        spoken_here = language(args.lang, getattr(args, "spoken", None))
        print(error.in_language(spoken_here), file=sys.stderr)
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
