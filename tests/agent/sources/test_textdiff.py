import doctest

from hypothesis import given
from hypothesis import strategies as st

from agent.sources import textdiff
from agent.sources.textdiff import difference


def test_only_the_lines_between_the_common_head_and_tail_are_shown() -> None:
    told = difference(b"<html>\n<h1>a</h1>\n</html>\n", b"<html>\n<h1>b</h1>\n<p>c</p>\n</html>\n")

    assert told == "@@ line 2\n-<h1>a</h1>\n+<h1>b</h1>\n+<p>c</p>"


def test_a_minified_page_is_shown_where_it_differs() -> None:
    line = "a" * 5000
    told = difference(f"{line}GOOD{line}".encode(), f"{line}EVIL{line}".encode())

    assert told is not None
    assert "GOOD" in told
    assert "EVIL" in told
    assert len(told) < 500


def test_a_page_in_gbk_is_read_as_chinese() -> None:
    told = difference("政府公告".encode("gbk"), "赌博广告".encode("gbk"))

    assert told is not None
    assert "-政府公告" in told
    assert "+赌博广告" in told


def test_what_is_no_text_has_no_lines() -> None:
    assert difference(None, b"x") is None
    assert difference(b"x", None) is None


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_any_two_contents_are_told_in_few_characters(old: bytes, new: bytes) -> None:
    told = difference(old, new)

    assert told is not None
    assert len(told) < 6000


def test_the_examples_of_the_file_are_true() -> None:
    assert doctest.testmod(textdiff).failed == 0
