"""`completion`: prints what a shell reads to complete this command's words."""

import argparse

import shtab

SHELLS = ("bash", "zsh", "tcsh")
_FOLDERS = {"DIR", "FOLDER"}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("completion", help="completion of a shell")
    parser.add_argument("shell", choices=SHELLS, help="which shell")


def run(args: argparse.Namespace) -> int:
    """Print the script: `fengsui-agent completion bash > /etc/bash_completion.d/fengsui-agent`."""
    from . import build_parser  # noqa: PLC0415 - the commands' list names this one too

    parser = build_parser()
    _name_files(parser)
    print(shtab.complete(parser, shell=args.shell))
    return 0


def _name_files(parser: argparse.ArgumentParser) -> None:
    """Let a word that is called FILE or DIR be completed as one."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to see them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - likewise
            for below in action.choices.values():
                _name_files(below)
        elif action.metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif isinstance(action.metavar, str) and action.metavar.startswith("FILE"):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
