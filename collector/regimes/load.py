"""Files to regimes: every mistake of every file at once, and an operator's file in place of a shipped one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .. import yaml_marks
from ..yaml_marks import Mistake, Mistakes, Node
from .case import Times
from .model import Regime, Stage
from .terms import FIGURE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .expression import Condition

REQUESTED = "intermediate_requested"
_STRICT_MINUTES = re.compile(r"facts\.\w+_minutes\s*(?!>=)[<>=!]|[<>=!]=?\s*facts\.\w+_minutes")


class RegimeErrors(Mistakes):
    """Every mistake of the regime files; the set that was in use stays in use."""


def load_regimes(*folders: Path) -> tuple[Regime, ...]:
    """Read every ``*.yaml`` of the folders; a later folder's regime replaces an earlier one of the same id.

    Returns:
        The regimes in the order of their ids.

    Raises:
        RegimeErrors: every mistake of every file.
    """
    regimes: dict[str, Regime] = {}
    roots: dict[str, Node] = {}
    mistakes: list[Mistake] = []
    for folder in folders:
        in_folder: dict[str, str] = {}
        for path in sorted(folder.glob("*.yaml")):
            try:
                regime, root = read_regime(_text(path), str(path))
            except Mistakes as error:
                mistakes += error.mistakes
                continue
            if (other := in_folder.setdefault(regime.id, path.name)) != path.name:
                found = f"{regime.id!r}, which stands in {other} too"
                mistakes.append(root.mistake("id", found, "an id of its own"))
            regimes[regime.id], roots[regime.id] = regime, root
    for name, regime in regimes.items():
        for index, other in enumerate(regime.applies.yields_to):
            if other not in regimes:
                expected = f"one of {', '.join(sorted(regimes))}"
                mistakes.append(roots[name].mistake(f"applies.yields_to[{index}]", repr(other), expected))
    if mistakes:
        raise RegimeErrors(mistakes)
    return tuple(regimes[name] for name in sorted(regimes))


def read_regime(text: str, file: str) -> tuple[Regime, Node]:
    """Read one regime, with its marked text.

    Raises:
        RegimeErrors: every mistake of the text.
    """
    try:
        regime, root = yaml_marks.load_marked(text, file, Regime)
    except Mistakes as error:
        raise RegimeErrors(error.mistakes) from None
    mistakes = [root.mistake(*words) for words in _inconsistencies(regime)]
    if mistakes:
        raise RegimeErrors(mistakes)
    return regime, root


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RegimeErrors(
            [Mistake(str(path), 1, 1, "", f"no text ({error})", "a file of UTF-8 text")]
        ) from None


Words = tuple[str, str, str]


def _inconsistencies(regime: Regime) -> Iterator[Words]:
    yield from _twice([stage.id for stage in regime.stages], "stages")
    yield from _twice([criterion.id for criterion in regime.criteria], "criteria")
    yield from _criteria(regime)
    if regime.applies.when.names and FIGURE in regime.applies.when.names:
        yield "applies.when", "the name 'figure'", "a condition without it (only criteria have a figure)"
    earlier: list[str] = []
    for index, stage in enumerate(regime.stages):
        yield from _stage(stage, f"stages[{index}]", earlier)
        earlier.append(stage.id)


def _twice(names: Sequence[str], path: str) -> Iterator[Words]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield f"{path}[{index}].id", f"{name!r} again", "every id once"


def _criteria(regime: Regime) -> Iterator[Words]:
    for index, criterion in enumerate(regime.criteria):
        path = f"criteria[{index}]"
        if not criterion.id.endswith(f".{criterion.level}"):
            yield f"{path}.id", repr(criterion.id), f"an id that ends in its level, .{criterion.level}"
        if criterion.subject is not None and criterion.subject not in regime.subjects:
            yield (
                f"{path}.subject",
                repr(criterion.subject),
                f"one of {', '.join(regime.subjects) or 'no subject'}",
            )
        if criterion.figure is not None and FIGURE not in criterion.when.names:
            yield f"{path}.when", "no 'figure'", "a condition that uses the figure given"
        if FIGURE in criterion.when.names and criterion.unit is None:
            yield f"{path}.unit", "nothing", "the unit of the figure"
        if _STRICT_MINUTES.search(criterion.when.text):
            yield f"{path}.when", repr(criterion.when.text), "minutes compared with >= on their right side"
        for name in ("level", "known_level"):
            if name in criterion.when.names:
                yield (
                    f"{path}.when",
                    f"the name {name!r}",
                    "a condition that does not hang on the level it gives",
                )


def _stage(stage: Stage, path: str, earlier: Sequence[str]) -> Iterator[Words]:
    anchors = [(f"{path}.anchor", stage.anchor)]
    anchors += [
        (f"{path}.routes[{at}].anchor", route.anchor or "aware") for at, route in enumerate(stage.routes)
    ]
    if stage.ceiling is not None:
        anchors.append((f"{path}.ceiling.anchor", stage.ceiling.anchor))
    for place, anchor in anchors:
        if not _known_anchor(anchor, earlier):
            choices = ", ".join([*Times.__struct_fields__, REQUESTED, *(f"filed:{name}" for name in earlier)])
            yield place, repr(anchor), f"one of {choices}"
    if stage.recipients_of is not None and stage.recipients_of not in earlier:
        yield f"{path}.recipients_of", repr(stage.recipients_of), "an earlier stage"
    for index, route in enumerate(stage.routes):
        if not (route.recipients or stage.recipients or stage.recipients_of):
            yield f"{path}.routes[{index}].recipients", "nothing", "at least one recipient"
    if stage.after_open_items and not stage.anchor.startswith("filed:"):
        yield f"{path}.anchor", repr(stage.anchor), "filed:STAGE, since the stage begins after open items"
    yield from _stage_conditions(stage, path)


def _stage_conditions(stage: Stage, path: str) -> Iterator[Words]:
    conditions: list[tuple[str, Condition | None]] = [(f"{path}.when", stage.when)]
    conditions += [(f"{path}.routes[{index}].when", route.when) for index, route in enumerate(stage.routes)]
    for place, condition in conditions:
        if condition is not None and {FIGURE, "known_level"} & set(condition.names):
            yield place, repr(condition.text), "a condition without 'figure' and 'known_level'"


def _known_anchor(anchor: str, earlier: Sequence[str]) -> bool:
    kind, _, stage = anchor.partition(":")
    return (kind == "filed" and stage in earlier) if stage else kind in {*Times.__struct_fields__, REQUESTED}
