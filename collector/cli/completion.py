"""`completion`: prints what a shell reads to complete this command's words."""

import argparse

import shtab

from wire.completion import file_words

SHELLS = ("bash", "zsh", "tcsh")
_KINDS = {"file": shtab.FILE, "folder": shtab.DIRECTORY}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("completion", help="completion of a shell")
    parser.add_argument("shell", choices=SHELLS, help="which shell")


def run(args: argparse.Namespace) -> int:
    """Print the script: `fengsui-collector completion bash > /etc/bash_completion.d/fengsui-collector`."""
    from . import build_parser  # noqa: PLC0415 - the commands' list names this one too

    parser = build_parser()
    for action, kind in file_words(parser):
        action.complete = _KINDS[kind]  # type: ignore[attr-defined]
    print(shtab.complete(parser, shell=args.shell))
    return 0
