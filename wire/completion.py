"""`completion` of both commands: what a shell reads to complete their words."""

import argparse
from collections.abc import Iterator
from typing import Literal

import shtab

SHELLS = ("bash", "zsh", "tcsh")
_KINDS = {"file": shtab.FILE, "folder": shtab.DIRECTORY}
FOLDERS = frozenset({"DIR", "FOLDER"})


def file_words(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[argparse.Action, Literal["file", "folder"]]]:
    """Yield every word of a parser and of those below it that its help calls FILE…, DIR or FOLDER.

    >>> parser = argparse.ArgumentParser()
    >>> part = parser.add_subparsers().add_parser("read")
    >>> _ = part.add_argument("what", metavar="FILE"), part.add_argument("--into", metavar="DIR")
    >>> _ = part.add_argument("--unit", metavar="UNIT")
    >>> [(action.dest, kind) for action, kind in file_words(parser)]
    [('what', 'file'), ('into', 'folder')]
    """
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to see them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - likewise
            for below in action.choices.values():
                yield from file_words(below)
        elif action.metavar in FOLDERS:
            yield action, "folder"
        elif isinstance(action.metavar, str) and action.metavar.startswith("FILE"):
            yield action, "file"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("completion", help="completion of a shell")
    parser.add_argument("shell", choices=SHELLS, help="which shell")


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return what a shell reads to complete a parser's words."""
    for action, kind in file_words(parser):
        action.complete = _KINDS[kind]  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell=shell))
