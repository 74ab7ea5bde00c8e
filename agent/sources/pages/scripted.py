r"""What the scripts of a page write into it, as far as it stands there: literals, plain or encoded. Pure.

    document.write('<div style="display:none">')      what follows in the page is hidden, up to the next one
    document.write("\x3cdiv\x3e")                     so is it by escapes, or by
                                                      unescape("%3Cdiv"), atob("PGRpdj4="), fromCharCode(60)
    eval(atob("..."))                                 a script of its own

Nothing is evaluated: a value that is no literal is left out.

>>> as_written("<script>document.write('<p hidden>' + x);</script><a href='//bet.example/'>x</a>")
"<p hidden><a href='//bet.example/'>x</a>"
>>> list(encoded('eval(atob("bG9jYXRpb249Ii8vYmV0LmV4YW1wbGUi"))'))
[(5, 'location="//bet.example"')]
"""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote

_MOST = 200
_MAX_TEXT = 256 * 1024
_MAX_CALL = 16 * 1024
_LITERAL = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)"""
_WRITES = re.compile(r"""document\s*(?:\.\s*write(?:ln)?|\[\s*["']write(?:ln)?["']\s*\])\s*\(""")
_PART = re.compile(
    rf"(?P<call>(?:window\s*\.\s*)?(?:atob|unescape|decodeURI(?:Component)?)\s*\(\s*)?(?P<literal>{_LITERAL})"
    r"|String\s*\.\s*fromCharCode\s*\((?P<codes>[\d\s,]*)\)"
    r"|(?P<end>\)\s*(?:;|$|\n|\}}|<))|(?P<other>[\w$]+|.)",
    re.DOTALL,
)
_CALL = re.compile(
    rf"(?P<call>(?:atob|unescape|decodeURI(?:Component)?)\s*\(\s*)(?P<literal>{_LITERAL})"
    r"|String\s*\.\s*fromCharCode\s*\((?P<codes>[\d\s,]+)\)",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_QUOTES = frozenset("\"'`")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r"}
_WIDE = re.compile(r"%u([0-9a-fA-F]{4})")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{8,}={0,2}\s*")
_PAGE = re.compile(r"data:text/html[^,\"'>]{0,80};base64,([A-Za-z0-9+/=]{8,})", re.IGNORECASE)


def as_written(page: str) -> str:
    """Return a page with what its scripts write in the place of the scripts; lines keep their numbers."""
    low = page.lower()
    parts: list[str] = []
    place = 0
    for _ in range(_MOST):
        begin = low.find("<script", place)
        end = low.find("</script", begin) if begin >= 0 else -1
        if end < 0:
            break
        after = page.find(">", end) + 1 or len(page)
        written = "".join(text for _, text in writes(page[page.find(">", begin) + 1 : end]))
        lines = page.count("\n", begin, after) - written.count("\n")
        parts += (page[place:begin], written, "\n" * max(0, lines))
        place = after
    return "".join([*parts, page[place:]])


def writes(script: str) -> Iterator[tuple[int, str]]:
    """Yield what a script writes, call by call, with its place."""
    for found in islice(_WRITES.finditer(script), _MOST):
        text = script[found.end() : found.end() + _MAX_CALL]
        said = []
        for part in islice(_PART.finditer(text), _MOST * 10):
            if part["end"] is not None:
                break
            if part["literal"] is not None:
                said.append(_literal(part["literal"], part["call"] or ""))
            elif part["codes"] is not None:
                said.append(_characters(part["codes"]))
            elif part["other"] in _QUOTES:
                break  # a literal without an end: no script that runs
        yield found.start(), "".join(said)


def encoded(text: str) -> Iterator[tuple[int, str]]:
    """Yield every text that stands encoded in a page or a script, with its place; bounded."""
    left = _MAX_TEXT
    for found in islice(_CALL.finditer(text), _MOST):
        plain = _literal(found["literal"], found["call"]) if found["literal"] else _characters(found["codes"])
        left -= len(plain)
        if left < 0:
            return
        if plain:
            yield found.start(), plain
    for found in islice(_PAGE.finditer(text), _MOST):
        if plain := _of_base64(found[1])[:_MAX_TEXT]:
            yield found.start(), plain


def _literal(literal: str, call: str) -> str:
    """Return a literal's text, decoded where it is given to a function that does."""
    text = _ESCAPE.sub(_unescaped, literal[1:-1])
    if "atob" in call:
        return _of_base64(text)
    return (
        unquote(_WIDE.sub(lambda one: _character(int(one[1], 16)), text), errors="replace") if call else text
    )


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return _character(int(code, 16)) if code else _LETTERS.get(found[3], found[3])


def _characters(codes: str) -> str:
    numbers = (int(one) for one in codes.split(",")[:_MAX_CALL] if one.strip().isdigit() and len(one) < 9)
    return "".join(map(_character, numbers))


def _character(number: int) -> str:
    """Return a character; halves of one, and what is none, as the sign that stands for such."""
    return chr(number) if number < 0xD800 or 0xDFFF < number < 0x10000 else "\ufffd"


def _of_base64(text: str) -> str:
    if not _BASE64.fullmatch(text):
        return ""
    try:
        return b64decode("".join(text.split())).decode("utf-8", "replace")
    except (Error, ValueError):
        return ""
