"""`completion`: prints what a shell reads to complete this command's words."""

import argparse

from wire.completion import add_parser, script


def run(args: argparse.Namespace) -> int:
    """Print the script: `fengsui-agent completion bash > /etc/bash_completion.d/fengsui-agent`."""
    from . import build_parser, language  # noqa: PLC0415 - the commands' list names this one too

    print(script(build_parser(language=language(args.lang)), args.shell))
    return 0


__all__ = ["add_parser", "run"]
