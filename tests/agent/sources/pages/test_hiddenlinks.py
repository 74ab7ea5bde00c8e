import doctest
from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sources.pages import hiddenlinks
from agent.sources.pages.hiddenlinks import MAX_LINKS, PAGES, hidden_links

LINK = '<a href="http://bet.example/">x</a>'


def test_the_example_runs() -> None:
    assert doctest.testmod(hiddenlinks).failed == 0


@pytest.mark.parametrize(
    "page",
    [
        f'<div style="display:none">{LINK}</div>',
        f'<div style="position:absolute;top:-99em">{LINK}</div>',
        f'<div style="position:fixed;left:-200vw">{LINK}</div>',
        f'<div style="left:50%;margin-left:-9999px">{LINK}</div>',
        f'<span style="font:0/0 a">{LINK}</span>',
        f'<span style="font-size:1px;line-height:1px">{LINK}</span>',
        f'<span style="opacity:.0">{LINK}</span>',
        f'<div style="transform:scale(0)">{LINK}</div>',
        f'<div style="clip-path:inset(100%)">{LINK}</div>',
        f'<div style="dis\\play:/**/none">{LINK}</div>',
        f"<marquee height=5 width=4 scrollAmount=3000>{LINK}</marquee>",
        f'<style>.q7{{position:absolute;left:-9999px}}</style><div class="a q7">{LINK}</div>',
        f'<div id="q7">{LINK}</div><script>document.getElementById("q7").style.display="none";</script>',
        f"<script>document.write('<div hidden>');</script>{LINK}<script>document.write('</div>')</script>",
        f"<script>document.writeln('<div hidden>{LINK}</div>')</script>".replace('"', '\\"'),
        "<script>document.write(atob('"
        + b64encode(f"<div hidden>{LINK}</div>".encode()).decode()
        + "'))</script>",
        '<script>document.write(unescape("' + quote(f"<div hidden>{LINK}</div>") + '"));</script>',
        "<script>eval(atob('"
        + b64encode(b"if(/sogou/.test(navigator.userAgent))location.href='http://bet.example/'").decode()
        + "'))</script>",
        f'<div style="POSITION: absolute; TOP: -2000px">{LINK}</div>',
        f'<div style="height:1px;overflow:hidden"><p>{LINK}</p></div>',
        f'<span style="font-size:0">{LINK}</span>',
        f'<div style="text-indent:-9999em">{LINK}</div>',
        f"<div hidden><ul><li>{LINK}</li></ul></div>",
        f'<marquee height="1" width="1" scrollamount="3000">{LINK}</marquee>',
        '<a style="opacity:0" href="http://bet.example/">x</a>',
        '<iframe src="http://bet.example/" width=0 height=0></iframe>',
        "<p><a href='http://bet.example/'>澳门新葡京 真人娱乐</a></p>",
        "<script>document.write('<div style=\"display:none\"><a href=http://bet.example/>x</a></div>');</script>",
        "if(/baiduspider/i.test(navigator.userAgent)){location.href='http:\\/\\/bet.example\\/'}",
        "<?php if(preg_match('/Baiduspider/i',$_SERVER['HTTP_USER_AGENT'])){echo file_get_contents('http://bet.example/');}",
    ],
)
def test_a_hidden_link_to_elsewhere_is_found(page: str) -> None:
    assert [link.url.rstrip("/") for link in hidden_links(page)] == ["http://bet.example"]


@pytest.mark.parametrize(
    "page",
    [
        '<ul style="display:none"><li><a href="/news/">新闻</a></li><li><a href="#top">x</a></li></ul>',
        f"<footer>{LINK}</footer>",
        f'<span style="font-size:0.9em">{LINK}</span>',
        f'<span style="font:1em/1.5 serif">{LINK}</span>',
        f'<div style="position:absolute;left:50%;margin-left:-480px">{LINK}</div>',
        f"<style>.menu{{display:none}} .far{{left:-999px}}</style><ul class=menu><li>{LINK}</li></ul>",
        f"<script>document.write('<div hidden>');document.write('</div>');</script>{LINK}",
        "<script>document.write(unescape(\"%3Cscript src='https://static.example/x.js'%3E%3C/script%3E\"));</script>",
        f'<div style="display:none"><p>folded</p></div>{LINK}',
        f'<div style="display:none"><img src="x"><br></div>{LINK}',
        '<div style="display:none"><a href="https://www.example.gov.cn/x">自己</a></div>',
        "<p>公安机关打击网络赌博、博彩网站</p>",
        "if(/Mobile/.test(navigator.userAgent)){location.href='https://m.example.gov.cn/'}",
        "document.write('<script src=\"https://static.example/x.js\"></script>');",
        "User-agent: Baiduspider\nDisallow: /\nSitemap: https://www.example.gov.cn/sitemap.xml\n",
        '<div style="margin-left:-15px;line-height:1"><a href="https://www.gov.cn/">中国政府网</a></div>',
    ],
)
def test_what_a_site_does_for_its_readers_is_no_hidden_link(page: str) -> None:
    assert hidden_links(page, frozenset({"www.example.gov.cn"})) == []


def test_links_are_told_once_with_their_line_and_bounded() -> None:
    page = "<html>\n<div style='display:none'>\n" + f"{LINK}\n" * 3
    assert [(link.url, link.line) for link in hidden_links(page)] == [("http://bet.example/", 3)]
    many = "<div hidden>" + "".join(f'<a href="http://{n}.example/">x</a>' for n in range(500))

    assert len(hidden_links(many)) == MAX_LINKS


def test_a_deep_page_takes_no_longer_for_it() -> None:
    assert hidden_links("<div hidden>" * 5000 + LINK)[0].why == "hidden by style"


def test_pages_are_told_by_their_names() -> None:
    names = ["index.html", "a.SHTML", "x.php", "x.jsp", "app.js", "logo.png", "data.json", "html"]

    assert [bool(PAGES.search(name)) for name in names] == [True] * 5 + [False] * 3


@given(st.text(max_size=400) | st.text(alphabet='<>/"= adivstylehref:none;\n', max_size=400))
def test_any_text_is_looked_at(text: str) -> None:
    hidden_links(text)
