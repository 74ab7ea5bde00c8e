"""What differs between two short texts, in a few lines a duty officer can read."""

_DIFF_LINES, _DIFF_COLUMNS = 12, 160


def decoded(text: bytes) -> str:
    """Return a page's text, whatever it is written in."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        # Many sites of the target group are still in GBK, of which GB 18030 is the superset.
        return text.decode("gb18030", "replace")


def _lines(text: bytes) -> list[str]:
    return decoded(text).splitlines()


def difference(old: bytes | None, new: bytes | None) -> str | None:
    r"""Return the lines between the common head and the common tail, old ones with `-`, new ones with `+`.

    None where either side is no short text. Long runs and long lines are cut, and say so.

    >>> print(difference(b"<h1>News</h1>\n<p>a</p>\n", b"<h1>News</h1>\n<p>b</p>\n"))
    @@ line 2
    -<p>a</p>
    +<p>b</p>
    """
    if old is None or new is None:
        return None
    before, after = _lines(old), _lines(new)
    shortest = min(len(before), len(after))
    head = next((i for i in range(shortest) if before[i] != after[i]), shortest)
    tail = next((i for i in range(shortest - head) if before[-1 - i] != after[-1 - i]), shortest - head)
    gone, come = before[head : len(before) - tail], after[head : len(after) - tail]
    column = _first_difference(gone, come)
    return "\n".join([f"@@ line {head + 1}", *_some("-", gone, column), *_some("+", come, column)])


def _first_difference(gone: list[str], come: list[str]) -> int:
    """Return where to begin to show long lines: minified pages are one line."""
    if not gone or not come:
        return 0
    same = next((i for i, (a, b) in enumerate(zip(gone[0], come[0], strict=False)) if a != b), 0)
    return max(0, same - _DIFF_COLUMNS // 4)


def _some(mark: str, lines: list[str], column: int) -> list[str]:
    shown = []
    for line in lines[:_DIFF_LINES]:
        start = column if len(line) > _DIFF_COLUMNS else 0
        piece = line[start : start + _DIFF_COLUMNS]
        shown.append(f"{mark}{'…' if start else ''}{piece}{'…' if start + len(piece) < len(line) else ''}")
    if len(lines) > _DIFF_LINES:
        shown.append(f"{mark}… {len(lines) - _DIFF_LINES} more lines")
    return shown
