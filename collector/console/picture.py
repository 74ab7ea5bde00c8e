r"""A run's plan as a picture: SVG made here, of the pinned plan and what became of its steps (pure).

Lines run downwards; the branches of a step stand side by side below it and end at a bar where they join::

      [ start ]
          |
     [ first hour ]
       /       \
    [ a ]    [ b ]
       \       /
       ---------
          |
      [ end ]

What no line leads to (the answer to a failure, what takes a step back, a plan that joined) stands in columns
to the right. The same steps stand beside it as an ordered list, which is what a screen reader reads; colours
come from the style sheet, and every state has its own sign besides.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape
from msgspec import Struct

WIDTH, HEIGHT, GAP, JOIN = 168, 42, 26, 14
MAX_STEPS, MAX_DEPTH = 300, 12
_LINE_UNITS = 20
SIGNS = {
    "": "○",
    "ready": "▷",
    "waiting": "◷",
    "done": "✓",
    "failed": "✕",
    "skipped": "↷",
    "cancelled": "⊘",
}


class Shown(Struct, frozen=True):
    """What of a step is drawn: its words and its state (empty: not reached)."""

    title: str
    state: str
    state_word: str


class _Branch(Struct, frozen=True):
    label: str
    line: "list[_Block]"


class _Block(Struct, frozen=True):
    name: str
    branches: list[_Branch]


class _Size(Struct, frozen=True):
    width: float
    height: float


def picture(steps: Mapping[str, Any], first: str, shown: Mapping[str, Shown], title: str) -> Markup:
    """Return the SVG of a plan's graph; empty where it is too large to be looked at.

    Args:
        steps: The pinned plan's steps.
        first: The step it begins with.
        shown: What is drawn of each.
        title: What the picture is of.
    """
    if not 0 < len(steps) <= MAX_STEPS:
        return Markup("")
    seen: set[str] = set()
    columns = [_line(steps, first, seen, 0)]
    columns += [_line(steps, name, seen, 0) for name in steps if name not in seen]
    sizes = [_measure(column) for column in columns]
    drawing, left = _Drawing(shown), GAP / 2
    for column, size in zip(columns, sizes, strict=True):
        drawing.line(column, left + size.width / 2, GAP / 2)
        left += size.width + GAP
    height = max(size.height for size in sizes) + GAP
    return Markup(
        '<svg class="picture" viewBox="0 0 {:.0f} {:.0f}" width="{:.0f}" height="{:.0f}" role="img" '
        'aria-labelledby="picture-title"><title id="picture-title">{}</title>{}</svg>'
    ).format(left, height, left, height, title, Markup("").join(drawing.parts))


def _line(steps: Mapping[str, Any], first: str | None, seen: set[str], depth: int) -> list[_Block]:
    blocks: list[_Block] = []
    name = first
    while name in steps and name not in seen and name is not None:
        seen.add(name)
        step = steps[name]
        branches = [] if depth >= MAX_DEPTH else list(_branches(steps, step, seen, depth))
        blocks.append(_Block(name, branches))
        name = step.get("next")
    return blocks


def _branches(steps: Mapping[str, Any], step: Any, seen: set[str], depth: int) -> Iterator[_Branch]:  # noqa: ANN401 - JSON of a row
    for label, target in _targets(step):
        line = _line(steps, target, seen, depth + 1)
        if line:
            yield _Branch(label, line)


def _targets(step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in step.get("branches") or ():
        yield "", each
    for name, label in (("then", "✓"), ("else", "✕"), ("do", "↻"), ("first", ""), ("raised", "↑")):
        if step.get(name):
            yield label, step[name]
    for case, target in (step.get("cases") or {}).items():
        yield str(case), target
    for name, label in (("default", "*"), ("lowered", "↓")):
        if step.get(name):
            yield label, step[name]


def _measure(line: Sequence[_Block]) -> _Size:
    sizes = [_measure_block(block) for block in line] or [_Size(WIDTH, HEIGHT)]
    return _Size(
        max(size.width for size in sizes), sum(size.height for size in sizes) + GAP * (len(sizes) - 1)
    )


def _measure_block(block: _Block) -> _Size:
    if not block.branches:
        return _Size(WIDTH, HEIGHT)
    inner = [_measure(branch.line) for branch in block.branches]
    width = sum(size.width for size in inner) + GAP * (len(inner) - 1)
    return _Size(max(WIDTH, width), HEIGHT + GAP + max(size.height for size in inner) + JOIN)


class _Drawing:
    def __init__(self, shown: Mapping[str, Shown]) -> None:
        self._shown = shown
        self.parts: list[Markup] = []

    def line(self, blocks: Sequence[_Block], centre: float, top: float) -> None:
        for index, block in enumerate(blocks):
            if index:
                self._edge(centre, top - GAP, centre, top)
            self._block(block, centre, top)
            top += _measure_block(block).height + GAP

    def _block(self, block: _Block, centre: float, top: float) -> None:
        self._box(block.name, centre, top)
        if not block.branches:
            return
        sizes = [_measure(branch.line) for branch in block.branches]
        left = centre - (sum(size.width for size in sizes) + GAP * (len(sizes) - 1)) / 2
        below = top + HEIGHT + GAP
        joined = below + max(size.height for size in sizes) + JOIN
        middles: list[float] = []
        for branch, size in zip(block.branches, sizes, strict=True):
            middle = left + size.width / 2
            middles.append(middle)
            self._edge(centre, top + HEIGHT, middle, below)
            if branch.label:
                self._text("label", middle + 6, below - 6, branch.label)
            self.line(branch.line, middle, below)
            self._edge(middle, below + size.height, middle, joined)
            left += size.width + GAP
        self._edge(min([*middles, centre]), joined, max([*middles, centre]), joined)

    def _box(self, name: str, centre: float, top: float) -> None:
        shown = self._shown[name]
        words = Markup(
            '<rect x="{:.0f}" y="{:.0f}" width="{}" height="{}" rx="7"/>'
            '<text class="sign" x="{:.0f}" y="{:.0f}">{}</text>'
        ).format(centre - WIDTH / 2, top, WIDTH, HEIGHT, centre - WIDTH / 2 + 8, top + 26, SIGNS[shown.state])
        for index, part in enumerate(_wrapped(shown.title)):
            lines = len(_wrapped(shown.title))
            height = top + (26 if lines == 1 else 18 + 15 * index)
            words += Markup('<text x="{:.0f}" y="{:.0f}">{}</text>').format(
                centre - WIDTH / 2 + 26, height, part
            )
        told = f"{shown.title}: {shown.state_word}" if shown.state_word else shown.title
        box = Markup('<g class="box box-{}"><title>{}</title>{}</g>').format(
            shown.state or "none", told, words
        )
        self.parts.append(box)

    def _edge(self, x1: float, y1: float, x2: float, y2: float) -> None:
        half = (y1 + y2) / 2
        way = f"M{x1:.0f} {y1:.0f}V{half:.0f}H{x2:.0f}V{y2:.0f}"
        self.parts.append(Markup('<path class="edge" d="{}"/>').format(way))

    def _text(self, kind: str, x: float, y: float, text: str) -> None:
        self.parts.append(
            Markup('<text class="{}" x="{:.0f}" y="{:.0f}">{}</text>').format(kind, x, y, escape(text[:12]))
        )


def _wrapped(title: str) -> list[str]:
    """A title on at most two lines; a wide character counts twice."""
    lines, width = [""], 0
    for char in title:
        units = 2 if ord(char) > 0x2E7F else 1
        if width + units > _LINE_UNITS:
            if len(lines) == 2:
                lines[-1] = lines[-1][:-1] + "…"
                break
            lines.append("")
            width = 0
        lines[-1] += char
        width += units
    return [line.strip() for line in lines]
