"""What a command says of its own words, in zh and en: usage, headings, helps and what is wrong with them.

argparse speaks English alone. Helps are written in English where an argument is added; a phrasebook has them
in Chinese, and `speak` puts a whole tree of parsers into a language before it reads the command line.
"""

import argparse
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Never

from .language import Language

Said = Callable[[str, str], str]
"""A sentence in a language: `Phrasebook.in_language`."""

CHINESE: dict[str, str] = {
    "positional arguments": "位置参数",
    "options": "选项",
    "show this help message and exit": "显示此帮助后退出",
    "show program's version number and exit": "显示版本号后退出",
    "argument {name}: {what:said}": "参数 {name}：{what}",
    "the following arguments are required: {names}": "缺少必需的参数：{names}",
    "one of the arguments {names} is required": "必须给出以下参数之一：{names}",
    "unrecognized arguments: {words}": "无法识别的参数：{words}",
    "invalid choice: {found} (choose from {names})": "发现 {found}，应为以下之一：{names}",
    "invalid int value: {found}": "发现 {found}，应为整数",
    "invalid {kind} value: {found}": "{found} 不是有效的 {kind}",
    "expected one argument": "应给出一个值",
    "expected at most one argument": "至多给出一个值",
    "expected at least one argument": "至少给出一个值",
    "expected {count} argument": "应给出 {count} 个值",
    "expected {count} arguments": "应给出 {count} 个值",
    "not allowed with argument {name}": "不能与参数 {name} 同时使用",
    "ignored explicit argument {found}": "不接受值 {found}",
    "ambiguous option: {found} could match {names}": "{found} 不明确，可能是：{names}",
    "found {found}, expected {expected:said}": "发现 {found}，应为{expected}",
}


class Parser(argparse.ArgumentParser):
    """A parser that speaks the language `speak` gave it; English before that."""

    language: Language = "en"
    said: Said | None = None

    def error(self, message: str) -> Never:
        """End the command with exit code 2 and say what is wrong with its words."""
        chinese = self.language == "zh"
        told = self.said(message, self.language) if self.said else message
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}：错误：{told}\n" if chinese else f"{self.prog}: error: {told}\n")

    def _get_formatter(self) -> argparse.HelpFormatter:
        return _Formatter(prog=self.prog, usage="用法：" if self.language == "zh" else "usage: ")


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str, usage: str) -> None:
        super().__init__(prog)
        self._usage = usage

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        """Begin it with the word of the language."""
        super().add_usage(usage, actions, groups, self._usage if prefix is None else prefix)


def speak(parser: argparse.ArgumentParser, language: Language, said: Said) -> None:
    """Put a parser and all below it into a language."""
    if isinstance(parser, Parser):
        parser.language, parser.said = language, said
    parser.description = parser.description and said(parser.description, language)
    for group in parser._action_groups:  # noqa: SLF001 - argparse has no other way to see them
        group.title = group.title and said(group.title, language)
    for action in parser._actions:  # noqa: SLF001 - likewise
        _speak_of(action, language, said)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - likewise
            for listed in action._choices_actions:  # noqa: SLF001 - likewise
                _speak_of(listed, language, said)
            for below in action.choices.values():
                speak(below, language, said)


def asked(words: Sequence[str]) -> str | None:
    """Return the language that a command line asks for, before anything else of it is read.

    >>> asked(["duty", "--lang", "zh"]), asked(["--lang=en"]), asked(["--lang"])
    ('zh', 'en', None)
    """
    for word, after in zip(words, [*words[1:], None], strict=False):
        if word == "--lang":
            return after
        if word.startswith("--lang="):
            return word.removeprefix("--lang=")
    return None


def behind(words: Sequence[str], options: Collection[str]) -> list[str]:
    """Bring options that every command takes from before the command to behind it.

    So they may stand at either place; what stands behind wins. Where no command follows, nothing moves.

    >>> behind(["--lang", "zh", "--config=x.yaml", "duty", "explain"], ("--lang", "--config"))
    ['duty', '--lang', 'zh', '--config=x.yaml', 'explain']
    >>> behind(["--lang", "zh", "--help"], ("--lang",)), behind(["--lang"], ("--lang",))
    (['--lang', 'zh', '--help'], ['--lang'])
    """
    place = 0
    while place < len(words) and words[place].partition("=")[0] in options:
        place += 1 if "=" in words[place] else 2
    if place >= len(words) or words[place].startswith("-"):
        return list(words)
    return [words[place], *words[:place], *words[place + 1 :]]


def _speak_of(action: argparse.Action, language: Language, said: Said) -> None:
    if action.help and action.help is not argparse.SUPPRESS:
        action.help = said(action.help, language)
