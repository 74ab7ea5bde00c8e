"""Incident classes of GB/T 20986-2023 as data: a class code is a string that is checked against the table.

The table stands in `configs/classes.yaml`, because the codes' letters could not be held against the
standard's Annex B; where they differ, the file changes and the program does not.
"""

from typing import Annotated

from msgspec import Meta, Struct

from wire.vocabulary import Name

from . import yaml_marks
from .yaml_marks import Mistake, Mistakes

_Code = Annotated[str, Meta(min_length=2, max_length=16, pattern="^[A-Z]+$")]
_Text = Annotated[str, Meta(min_length=1, max_length=80)]


class _Row(Struct, frozen=True):
    code: _Code
    zh: _Text
    en: _Text


class _Group(Struct, frozen=True):
    code: _Code
    zh: _Text
    en: _Text
    subclasses: tuple[_Row, ...] = ()


class _File(Struct, frozen=True, kw_only=True):
    standard: _Text
    source: str
    verified: bool
    classes: Annotated[tuple[_Group, ...], Meta(min_length=1)]


class IncidentClass(Struct, frozen=True):
    """A class or subclass; `parent` is the class a subclass belongs to."""

    code: str
    name: Name
    parent: str | None = None


class Classes(Struct, frozen=True, kw_only=True):
    """The table.

    Fields:
        standard: The standard it is taken from.
        source: Where the figures were read.
        verified: Whether the codes were held against the standard's own annex.
        by_code: Every class and subclass.
    """

    standard: str
    source: str
    verified: bool
    by_code: dict[str, IncidentClass]

    def knows(self, code: str) -> bool:
        """Whether the code stands in the table."""
        return code in self.by_code

    def name(self, code: str) -> Name:
        """Return what people read for a code; one the table does not have reads as itself."""
        found = self.by_code.get(code)
        return found.name if found else Name(code, code)


def read_classes(text: str, file: str) -> Classes:
    """Read the table.

    Args:
        text: Its YAML.
        file: Its name, as it shall stand in mistakes.

    Raises:
        Mistakes: Every mistake of it, a code that stands twice among them.
    """
    root = yaml_marks.read(text, file)
    table = yaml_marks.decode(root, _File)
    found: dict[str, IncidentClass] = {}
    mistakes: list[Mistake] = []

    def add(row: _Row | _Group, parent: str | None, path: str) -> None:
        if row.code in found:
            mistakes.append(root.mistake(f"{path}.code", f"the code {row.code} again", "every code once"))
        found[row.code] = IncidentClass(row.code, Name(row.zh, row.en), parent)

    for index, group in enumerate(table.classes):
        add(group, None, f"classes[{index}]")
        for place, row in enumerate(group.subclasses):
            add(row, group.code, f"classes[{index}].subclasses[{place}]")
    if mistakes:
        raise Mistakes(mistakes)
    return Classes(standard=table.standard, source=table.source, verified=table.verified, by_code=found)
