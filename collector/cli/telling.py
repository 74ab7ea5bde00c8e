"""How commands speak to people: in which language, and mistakes and refusals in it."""

import argparse
import os
from datetime import datetime
from typing import TYPE_CHECKING

from wire.language import Language, spoken

from ..phrasebook import in_language
from ..yaml_marks import Mistake, Mistakes, parse_time

if TYPE_CHECKING:
    from ..plans import Finding


def language_of(args: argparse.Namespace, settings: str | None = None) -> Language:
    """Return the language of a command's texts by the one rule (`wire.language`).

    Args:
        args: The command line.
        settings: `language` of the settings once they are read; from then on the whole command speaks it.
    """
    language = spoken(args.lang, os.environ, settings)
    if settings is not None:
        args.lang = language
    return language


def time_of(text: str) -> datetime:
    """Return the time that an argument gives; the parser tells what is wrong, in the language asked for."""
    try:
        return parse_time(text)
    except ValueError as error:
        raise mistaken(text, str(error)) from None


def mistaken(text: str, expected: str) -> argparse.ArgumentTypeError:
    """Return what is wrong with an argument."""
    return argparse.ArgumentTypeError(f"found {text!r}, expected {expected}")


def told(error: Exception, language: str) -> str:
    """Return what went wrong in a language; mistakes of files a line each."""
    if isinstance(error, Mistakes):
        return "\n".join(line_of(each, language, column=error.columns) for each in error.mistakes)
    return "\n".join(in_language(line, language) for line in str(error).split("\n"))


def finding_of(finding: "Finding", language: str) -> str:
    """Return what was found in a plan behind its place; a warning says that it is one."""
    line = line_of(finding.mistake, language)
    if finding.severity == "error":
        return line
    return f"{line}（警告）" if language == "zh" else f"{line} (warning)"


def line_of(mistake: Mistake, language: str, *, column: bool = True) -> str:
    """Return a mistake behind its place, which editors open."""
    place = f"{mistake.file}:{mistake.line}" + (f":{mistake.column}" if column else "")
    found, expected = (in_language(text, language) for text in (mistake.found, mistake.expected))
    if language == "zh":
        return f"{place}: {mistake.path or '$'}: 发现{_beside(found)}，应为{_beside(expected)}"
    return f"{place}: {mistake.path or '$'}: found {found}, expected {expected}"


def _beside(text: str) -> str:
    """A space between Chinese and what is not."""
    return f" {text}" if text[:1].isascii() else text
