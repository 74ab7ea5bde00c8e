"""What a report says, item by item, and where each of its figures comes from (pure).

The form travels inside `wire.messages.Filing.content`, and every document shows it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from wire.vocabulary import Level


class Words(Struct, frozen=True):
    """What people read, in both languages."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """Return the text; anything but zh reads English."""
        return self.zh if language == "zh" else self.en


class Source(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a figure comes from.

    Fields:
        of: What it proves: `facts.views`, `times.aware`, `unit`, `step.contain`, …
        by: Who said it: `node:<id>`, `person:<key>`, `registry`, `system`.
        report: Id of the agent's report that carried it.
        journal: Id of the journal entry that holds it.
        at: When it was said.
    """

    of: str
    by: str
    report: str | None = None
    journal: int | None = None
    at: datetime | None = None


class Written(Struct, frozen=True, kw_only=True):
    """What a person adds to an item; it stands beside what the collector knows and never replaces it."""

    text: str
    by: str
    at: datetime


class Ransom(Struct, frozen=True, kw_only=True):
    """What Art. 7 item 2 asks for beyond the rest where ransomware is at work; empty: not known yet."""

    amount: str = ""
    means: str = ""
    demanded: str = ""


class Item(Struct, frozen=True, kw_only=True):
    """One item of a report.

    Fields:
        number: Its place, from 1.
        heading: As the law's file words it.
        may_follow: Whether it may be left open at first.
        lines: What is known.
        open: What is not; a person's words close the item.
        sources: Of the figures in `lines`.
    """

    number: int
    heading: Words
    may_follow: bool
    lines: tuple[Words, ...] = ()
    open: tuple[Words, ...] = ()
    sources: tuple[Source, ...] = ()
    written: Written | None = None

    @property
    def is_open(self) -> bool:
        """Whether something has still to be said."""
        return bool(self.open) and self.written is None

    def text(self, language: str) -> str:
        """Return all that is said, a line each."""
        known = [line.in_language(language) for line in self.lines]
        return "\n".join([*known, *([self.written.text] if self.written else [])])


class Statement(Struct, frozen=True, kw_only=True):
    """The content of one report.

    Fields:
        obligation: `regime/stage[/recipient]` it is made for.
        name, law: Names of the stage and of the regime.
        source, verified: Of the list of items.
        ransom: Where ransomware is at work.
    """

    obligation: str
    name: Words
    law: Words
    source: str
    verified: bool
    level: Level | None
    items: tuple[Item, ...]
    ransom: Ransom | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing is open; a report that left items open is followed by a supplement."""
        return bool(self.items) and not any(item.is_open for item in self.items)

    def content(self) -> dict[str, Any]:
        """Return it as the JSON values of a filing's content."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        return values


def read_statement(content: Mapping[str, Any]) -> Statement | None:
    """Return the statement of a filing's content; None where it holds something else.

    >>> read_statement({"anything": 1}) is None
    True
    """
    try:
        return msgspec.convert(dict(content), Statement)
    except msgspec.ValidationError:
        return None
