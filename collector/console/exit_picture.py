r"""The exit register's history as a picture: SVG made here, of days and two counts (pure).

    nodes
      3 |‾‾‾\____            hosts outside the registered exit
      1 |........\___        unsanctioned ways out
        +------------- days

The same numbers stand in the table below it, which is what a screen reader reads; colours come from the
style sheet and the two lines differ by their dashes too.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from markupsafe import Markup, escape

from ..store.views import ExitDayRow

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 200, 36, 12, 12, 24
Line = list[tuple[date, int]]


def totals(days: Iterable[ExitDayRow], count: str) -> Line:
    """Return the sum over all units by day; a unit without a row that day keeps its last value."""
    by_day: dict[str, dict[str, int]] = defaultdict(dict)
    for row in days:
        by_day[row.day][row.unit] = getattr(row, count)
    last: dict[str, int] = {}
    line: Line = []
    for day in sorted(by_day):
        last |= by_day[day]
        line.append((date.fromisoformat(day), sum(last.values())))
    return line


def draw(lines: dict[str, Line], *, title: str) -> Markup:
    """Return the picture; `lines` are told apart by their names, which are classes of the style sheet."""
    points = [point for line in lines.values() for point in line]
    if not points:
        return Markup()
    first, last = min(at for at, _ in points), max(at for at, _ in points)
    top = max(1, *(value for _, value in points))
    drawn = Markup().join(_line(name, line, first, last, top) for name, line in lines.items())
    return Markup(
        '<svg class="picture trend" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">'
        '<path class="edge" d="M{left} {head}V{foot}H{end}"/>'
        '<text class="label" x="{left}" y="{under}">{first}</text>'
        '<text class="label" x="{end}" y="{under}" text-anchor="end">{last}</text>'
        '<text class="label" x="{beside}" y="{high}" text-anchor="end">{top}</text>'
        '<text class="label" x="{beside}" y="{foot}" text-anchor="end">0</text>{drawn}</svg>'
    ).format(
        width=WIDTH,
        height=HEIGHT,
        title=title,
        left=LEFT,
        head=TOP,
        foot=HEIGHT - BOTTOM,
        end=WIDTH - RIGHT,
        under=HEIGHT - 8,
        beside=LEFT - 6,
        high=TOP + 8,
        first=first,
        last=last,
        top=top,
        drawn=drawn,
    )


def _line(name: str, line: Line, first: date, last: date, top: int) -> Markup:
    """Return one line as steps: a count holds until the day on which it changes."""
    span = max(1, (last - first).days)
    path: list[str] = []
    for at, value in line:
        x = LEFT + (at - first).days * (WIDTH - RIGHT - LEFT) / span
        y = HEIGHT - BOTTOM - value * (HEIGHT - BOTTOM - TOP) / top
        path.append(f"H{x:.1f}V{y:.1f}" if path else f"M{x:.1f} {y:.1f}")
    return Markup('<path class="line {name}" d="{path}H{end}"/>').format(
        name=escape(name), path=" ".join(path), end=WIDTH - RIGHT
    )
