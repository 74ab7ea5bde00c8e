"""`fengsui-agent check-config FILE`: every mistake of a settings file at once."""

import argparse
from pathlib import Path
from typing import Any

from ..texts import say
from . import language
from .loading import DEFAULT_CONFIG, load_file


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Add the command."""
    parser = subparsers.add_parser("check-config", help="check a settings file")
    parser.add_argument("file", nargs="?", metavar="FILE", help="default: --config")


def run(args: argparse.Namespace) -> int:
    """Check; mistakes are raised as `SettingsError`, which the room prints."""
    path = Path(args.file or args.config or DEFAULT_CONFIG)
    settings = load_file(path)
    print(say(language(args.lang, settings.language), "settings_right", file=path))
    return 0
