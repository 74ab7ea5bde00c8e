"""What argparse says of wrong words, in the language of who wrote them."""

import re
from collections.abc import Sequence

import pytest

from wire.phrases import Phrasebook
from wire.usage import CHINESE, Parser, asked, speak

BOOK = Phrasebook(CHINESE, {"what it does": "作用", "how many": "数量"})


def parser(language: str) -> Parser:
    made = Parser(prog="beacon", description="what it does", allow_abbrev=True)
    made.add_argument("--count", type=int, help="how many")
    made.add_argument("--counter")
    one = made.add_mutually_exclusive_group(required=True)
    one.add_argument("--day", action="store_true")
    one.add_argument("--night", action="store_true")
    made.add_argument("--pair", nargs=2)
    made.add_argument("--some", nargs="+")
    parts = made.add_subparsers(metavar="COMMAND")
    parts.add_parser("light", help="what it does").add_argument("tower", choices=["north", "south"])
    speak(made, "zh" if language == "zh" else "en", BOOK.in_language)
    return made


def told(language: str, words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        parser(language).parse_args(words)
    assert ended.value.code == 2
    out, error = capsys.readouterr()
    assert out == ""
    return error


WRONG = [
    [],
    ["--day", "--night"],
    ["--day", "--count", "much"],
    ["--day", "--count"],
    ["--day", "--pair", "1"],
    ["--day", "--some"],
    ["--day", "--coun", "1"],
    ["--day=yes"],
    ["--day", "darken"],
    ["--day", "light"],
    ["--day", "light", "west"],
    ["--day", "light", "north", "--fast"],
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_every_mistake_is_told_in_both_languages(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    chinese, english = told("zh", words, capsys), told("en", words, capsys)
    kept = re.compile(
        r"'[^']*'|--[a-z]+|beacon( light)?|north|south|tower|COMMAND|\[-h\]|COUNT(ER)?|PAIR|SOME|int"
    )

    assert chinese.startswith("用法：beacon")
    assert "错误：" in chinese
    assert re.findall("[A-Za-z]{3,}", kept.sub("", chinese.splitlines()[-1])) == []
    assert english.startswith("usage: beacon")
    assert ": error: " in english
    assert not re.search("[\u4e00-\u9fff]", english)


def test_help_is_in_the_language_too() -> None:
    text = parser("zh").format_help()

    assert all(word in text for word in ("用法：", "位置参数", "选项", "作用", "数量", "显示此帮助后退出"))
    assert "light" in text
    assert "usage: beacon" in parser("en").format_help()


def test_without_a_language_it_is_argparse(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        Parser(prog="p").parse_args(["x"])

    assert capsys.readouterr().err == "usage: p [-h]\np: error: unrecognized arguments: x\n"


@pytest.mark.parametrize(
    ("words", "language"),
    [
        (["x", "--lang", "zh"], "zh"),
        (["--lang=en", "x"], "en"),
        (["--lang"], None),
        (["x"], None),
        ([], None),
    ],
)
def test_the_language_is_known_before_the_words_are_read(words: list[str], language: str | None) -> None:
    assert asked(words) == language
