"""Hidden links (暗链) in a page: links to elsewhere that people do not see and search engines do. Pure.

    hidden by style     display:none, far outside, no size, no opacity: of a <div>, <marquee>, <iframe>
    by the page's own   a style sheet that puts an id or class far outside, a script that hides an id
    written by script   document.write of such a style, or a branch for spiders, or for who comes from one;
                        plain or encoded (`scripted`)
    by their words      casinos, lotteries, pornography as the text of a link to another host

A link counts when it leads to another host. A menu folded away by its site's own style sheet leads to the
site itself, and does not.

>>> page = '<h1>News</h1><div style="position:absolute;left:-9999px"><a href="http://bet.example/">x</a></div>'
>>> hidden_links(page)
[Link(url='http://bet.example/', why='hidden by style', line=1)]
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from .scripted import as_written, encoded, writes

MAX_LINKS = 20
_MAX_DEPTH = 500
_MAX_URL = 300
_MAX_SHEETS = 20
PAGES = re.compile(r"\.(?:s?html?|php\d?|jspx?|aspx?|js|tpl|inc|vue|ftl)$", re.IGNORECASE)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_FAR = r"-\s*(?:\d{3,}(?:\.\d+)?|\d{2,}(?:\.\d+)?(?:r?em|vw|vh))"
_NONE = r"(?:0(?:\.0+)?(?:px|pt|em|rem|%)?|1p[xt])\s*(?:[;/!]|$)"
_OUTSIDE = (
    rf"(?:left|top|right|bottom|text-indent)\s*:\s*{_FAR}"
    # Half the width of a centred page is no way to hide it.
    r"|margin(?:-\w+)?\s*:\s*-\s*(?:9\d\d|\d{4,})"
    rf"|opacity\s*:\s*(?:0|0?\.0+)\s*(?:;|$|!)|font(?:-size)?\s*:\s*(?:[^;:]*\s)?{_NONE}"
    r"|(?:max-)?(?:height|width)\s*:\s*[01](?:px)?\s*(?:;|$|!)"
    r"|clip\s*:\s*rect\(\s*[01]|clip-path\s*:\s*inset\(\s*(?:[5-9]\d|100)%|transform\s*:\s*scale[XY]?\(\s*0\s*[,)]"
)
_HIDING = re.compile(
    rf"(?<![\w-])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|{_OUTSIDE})", re.IGNORECASE
)
_FAR_OUTSIDE = re.compile(rf"(?<![\w-])(?:{_OUTSIDE})", re.IGNORECASE)
_NO_STYLE = re.compile(r"/\*.*?\*/|\\(?=[g-zG-Z])", re.DOTALL)
_SHEET = re.compile(r"<style\b[^>]{0,300}>([^<]{0,65536})", re.IGNORECASE)
_RULE = re.compile(r"([#.][\w-]{1,80})\s*\{([^{}]{1,500})\}")
_HIDES_ID = re.compile(
    r"""getElementById\s*\(\s*["']([\w-]{1,80})["']\s*\)\s*\.\s*style\s*\.\s*(?:display\s*=\s*["']none|visibility\s*=\s*["']hidden)"""
)
_WORDS = re.compile(
    "博彩|赌博|赌场|百家乐|六合彩|时时彩|北京赛车|真人娱乐|棋牌游戏|老虎机|澳门新葡京|威尼斯人|太阳城|皇冠体育|成人视频|黄色网站|裸聊"
    "|代开发票|办假证|casino|baccarat|porn",
    re.IGNORECASE,
)
_SPIDER = re.compile(r"baiduspider|googlebot|sogou|360spider|bytespider|bingbot", re.IGNORECASE)
_CLOAKS = re.compile(
    r"navigator\s*\.\s*userAgent|HTTP_USER_AGENT|User-Agent|document\s*\.\s*referrer|HTTP_REFERER"
)
_URL = re.compile(r"""https?:\\?/\\?/[^\s"'<>\\)]{4,300}""", re.IGNORECASE)
_REDIRECTS = re.compile(r"location(?:\.href|\.replace)?\s*[=(]|header\s*\(\s*['\"]location", re.IGNORECASE)


class Link(Struct, frozen=True):
    """A hidden link, why it counts and where it stands."""

    url: str
    why: str
    line: int


def hidden_links(text: str, own: frozenset[str] = frozenset()) -> list[Link]:
    """Return the hidden links of a page, each once.

    Args:
        text: The page, or a script.
        own: Hosts that are the site itself.
    """
    found: dict[str, Link] = {}
    for link in (*_in(text), *_in_encoded(text)):
        host = (urlsplit_host(link.url) or "").lower()
        if host and host not in own and len(found) < MAX_LINKS:
            found.setdefault(link.url, link)
    return list(found.values())


def _in(text: str) -> Iterator[Link]:
    yield from _in_markup(text)
    yield from _in_scripts(text)


def _in_encoded(text: str) -> Iterator[Link]:
    for place, plain in encoded(text):
        line = text.count("\n", 0, place) + 1
        yield from (replace(link, line=line) for link in _in(plain))


def urlsplit_host(url: str) -> str | None:
    """Return the host of a URL, None where it names none."""
    try:
        return urlsplit(url if not url.startswith("//") else f"http:{url}").hostname
    except ValueError:
        return None


def _in_markup(text: str) -> Iterator[Link]:
    if "<" not in text:
        return
    parser = _Parser(_hidden_by_the_page(text))
    # Markup of attackers breaks rules; whatever the parser makes of it counts.
    try:
        parser.feed(_as_browsers_see_it(as_written(text)))
        parser.close()
    except (AssertionError, ValueError):
        pass
    yield from parser.found


def _hidden_by_the_page(text: str) -> frozenset[str]:
    """Return the ids (`#x`) and classes (`.x`) that the page's own style sheets or scripts hide.

    What a sheet of the page only folds away (`display: none`) is a menu: a script unfolds it.
    """
    sheets = "".join(_SHEET.findall(text)[:_MAX_SHEETS])
    ruled = (name for name, rule in _RULE.findall(sheets) if _FAR_OUTSIDE.search(_NO_STYLE.sub("", rule)))
    return frozenset({*ruled, *(f"#{name}" for name in _HIDES_ID.findall(text))})


def _as_browsers_see_it(text: str) -> str:
    """Return a page without what no browser shows, and the parser gives up at or takes ever longer for.

    A comment without an end takes in all that follows it, a tag without an end is none; the parser looks for
    either end again and again. A section (`<![x[`) is a comment; at one it does not know the parser stops.
    """
    begin = text.find("<!--", max(0, text.rfind("-->")))
    shown = text if begin < 0 else text[:begin]
    return shown[: shown.rfind(">") + 1].replace("<![", "<!")


class _Parser(HTMLParser):
    """Follows which elements are open and which of them hide what is in them."""

    def __init__(self, hidden: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self._by_the_page = hidden
        self.found: list[Link] = []
        self._open: list[tuple[str, bool]] = []
        self._hidden = 0
        self._link: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that opens."""
        given = {name: value or "" for name, value in attrs}
        hides = self._hides(tag, given)
        if tag == "a" and (url := given.get("href", "").strip()):
            if self._hidden or hides:
                self._add(url, "hidden by style")
            self._link = (url, self.getpos()[0])
        if tag == "iframe" and hides and given.get("src"):
            self._add(given["src"], "hidden frame")
        if tag not in _VOID and len(self._open) < _MAX_DEPTH:
            self._open.append((tag, hides))
            self._hidden += hides

    def _hides(self, tag: str, given: dict[str, str]) -> bool:
        names = {f"#{given.get('id', '')}", *(f".{name}" for name in given.get("class", "").split())}
        return (
            bool(_HIDING.search(_NO_STYLE.sub("", given.get("style", ""))))
            or "hidden" in given
            or _is_flat(tag, given)
            or not self._by_the_page.isdisjoint(names)
        )

    def handle_endtag(self, tag: str) -> None:
        """Close the newest element of that name, and what was left open in it."""
        if tag == "a":
            self._link = None
        places = [place for place, (name, _) in enumerate(self._open) if name == tag]
        if places:
            for _, hides in self._open[places[-1] :]:
                self._hidden -= hides
            del self._open[places[-1] :]

    def handle_data(self, data: str) -> None:
        """Look at a link's words."""
        if self._link and _WORDS.search(data):
            self._add(self._link[0], "by its words", self._link[1])

    def _add(self, url: str, why: str, line: int = 0) -> None:
        if len(self.found) < MAX_LINKS * 2:
            self.found.append(Link(url[:_MAX_URL], why, line or self.getpos()[0]))


def _is_flat(tag: str, given: dict[str, str]) -> bool:
    """Say whether an element is given no room by its attributes."""
    sides = [given.get(side, "").strip().removesuffix("px") for side in ("width", "height")]
    if tag == "marquee":
        return any(side.isdecimal() and len(side) == 1 for side in sides)
    return tag in {"iframe", "div", "table"} and not {"0", "1"}.isdisjoint(sides)


def _in_scripts(text: str) -> Iterator[Link]:
    for place, written in writes(text):
        if _HIDING.search(written):
            yield from _urls(text, place, written, "written hidden by script")
    if _CLOAKS.search(text) and _SPIDER.search(text):
        for spider in _SPIDER.finditer(text):
            near = text[max(0, spider.start() - 500) : spider.end() + 1000]
            if _CLOAKS.search(near) and (_REDIRECTS.search(near) or "write" in near or "echo" in near):
                yield from _urls(text, spider.start(), near, "shown to spiders only")


def _urls(text: str, start: int, part: str, why: str) -> Iterator[Link]:
    line = text.count("\n", 0, start) + 1
    for url in _URL.findall(part)[:MAX_LINKS]:
        yield Link(url.replace("\\/", "/")[:_MAX_URL], why, line)
