"""Prints a report by Typst with our own fonts, or says which character they lack. Runs in the worker only.

A missing glyph would be printed as an empty box and nobody would notice, so every character of every value is
looked up first.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typst
from fontTools.ttLib import TTFont

_UNSEEN = frozenset("\n\r\t\u200b\ufeff")
_TOLD = 12


class MissingGlyphsError(Exception):
    """The fonts have no picture of some characters."""

    def __init__(self, missing: Sequence[str]) -> None:
        shown = ", ".join(f"{letter} (U+{ord(letter):04X})" for letter in missing[:_TOLD])
        super().__init__(
            f"the fonts lack {len(missing)} characters: {shown}; put a font that has them (.otf, .ttf) into "
            "the folder settings.documents names, or take the docx"
        )


def print_paper(template: Path, fonts: Sequence[Path], values: Mapping[str, Any]) -> bytes:
    """Return the PDF.

    Args:
        template: A .typ that reads the paper as JSON from `sys.inputs.paper`.
        fonts: Font files; nothing else is used, so that every machine prints the same.
        values: The paper.

    Raises:
        MissingGlyphsError: The fonts lack characters.
        typst.TypstError: The template is wrong.
    """
    if missing := lacking(values, fonts):
        raise MissingGlyphsError(missing)
    printed: bytes = typst.compile(
        str(template),
        root=str(template.parent),
        font_paths=sorted({str(font.parent) for font in fonts}),
        ignore_system_fonts=True,
        sys_inputs={"paper": json.dumps(values, ensure_ascii=False, sort_keys=True)},
        package_path="/nonexistent",
        package_cache_path="/nonexistent",
        timestamp=946684800,
        format="pdf",
    )
    return printed


def lacking(values: object, fonts: Iterable[Path]) -> list[str]:
    """Return the characters of the values that no font has, in the order of their code points."""
    wanted = {letter for text in _texts(values) for letter in text} - _UNSEEN
    for font in fonts:
        with TTFont(font, fontNumber=0, lazy=True) as opened:
            wanted -= set(map(chr, opened.getBestCmap()))
    return sorted(wanted)


def _texts(values: object) -> Iterator[str]:
    if isinstance(values, str):
        yield values
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from _texts(value)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _texts(value)
