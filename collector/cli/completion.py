"""`completion`: prints what a shell reads to complete this command's words."""

import argparse

from wire.completion import add_parser, script

from .telling import language_of


def run(args: argparse.Namespace) -> int:
    """Print the script: `fengsui-collector completion bash > /etc/bash_completion.d/fengsui-collector`."""
    from . import build_parser  # noqa: PLC0415 - the commands' list names this one too

    print(script(build_parser(language=language_of(args)), args.shell))
    return 0


__all__ = ["add_parser", "run"]
