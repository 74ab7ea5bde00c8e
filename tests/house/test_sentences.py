"""Whatever an agent says in words has its Chinese in wire/sentences/; the agent's sources are read.

Nobody marks a sentence: a literal of two words, or of one beside a value, is one, unless its place says that
no collector ever gets it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.phrasebook import TOLD
from wire import sentences as said
from wire.phrases import Phrasebook

ROOT = Path(__file__).parents[2]
# Told in both languages there, or for a machine (`metrics`) or whoever starts the agent.
ELSEWHERE = ("agent/texts.py", "agent/phrasebook.py", "agent/metrics/listener.py", "agent/cli/")
HEARD_IN_CLI = {"agent/cli/recorded.py", "agent/cli/replay.py"}
# Two words, and no sentence for people.
NO_SENTENCES = {
    "anolis|alinux|alibaba cloud linux|龙蜥": "a pattern",
    "rhel|red hat|centos|rocky|alma|fedora": "a pattern",
    "%Y %b %d %H:%M:%S": "a form of times",
    "seq, id, kind, source, observed_at, boot_id, monotonic, body": "columns",
    "_Look | dict[str, Place]": "a type",
    "tuple[str, ...] | list[str]": "a type",
    "WhoWrote | None": "a type",
    "order %s failed": "for the log of the process",
    "program: it is used, and not kept over a restart: %s": "for the log of the process",
    "; did you mean {}?": "the end of a sentence that the table has whole",
    "stats {}": "a name of something to count",
    "special: {}": "a fingerprint, never told",
    "{} (deleted)": "what the kernel calls such a program",
    "@@ line {}": "a place in a diff",
    "{}found {}, expected {}": "the frame of a mistake; the table has it with and without its place",
}
_LOGS = {"_log", "log"}
_OF_A_MACHINE = re.compile(r"\\[a-zA-Z]|\(\?|[A-Z]{4,} |\n")  # patterns, SQL, what has lines
_WORD = re.compile(r"(?<![\w\\/.<>-])[A-Za-z']+(?![\w\\/])")


def sources() -> list[Path]:
    paths = [path.relative_to(ROOT) for path in sorted((ROOT / "agent").rglob("*.py"))]
    return [path for path in paths if str(path) in HEARD_IN_CLI or not str(path).startswith(ELSEWHERE)]


def is_sentence(text: str) -> bool:
    """Two words, or one beside a value."""
    words = _WORD.findall(text)
    spoken = len(words) >= 2 or ("{}" in text and any(len(word) >= 4 for word in words))
    return " " in text.strip() and spoken and not _OF_A_MACHINE.search(text)


def is_told_elsewhere(node: ast.AST) -> bool:
    """A docstring, a name in both languages, what goes to the log of the process, a help."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.keyword):
        return node.arg == "help"
    if isinstance(node, ast.Call):
        owner = getattr(getattr(node.func, "value", None), "id", "")
        return owner in _LOGS or getattr(node.func, "id", "") == "Name"
    return False


def literals(node: ast.AST) -> Iterator[str]:
    if is_told_elsewhere(node):
        return
    if isinstance(node, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
        yield "".join(parts).replace("{}{}", "{}")
        below: list[ast.AST] = [part for part in node.values if not isinstance(part, ast.Constant)]
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
        return
    else:
        below = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.Dict):
            below = [part for part in below if part not in node.keys]
    for part in below:
        yield from literals(part)


def sentences(source: str) -> set[str]:
    return {one for one in literals(ast.parse(source)) if is_sentence(one)} - set(NO_SENTENCES)


@pytest.mark.parametrize("path", sources(), ids=str)
def test_what_an_agent_says_has_its_chinese(path: Path) -> None:
    missing = sentences((ROOT / path).read_text("utf-8")) - said.BOOK.skeletons()

    assert missing == set(), "add each to its table in wire/sentences/"


@pytest.mark.parametrize("room", ["actions", "runs", "channels", "notices"])
def test_why_a_step_or_a_notice_came_to_nothing_has_its_chinese(room: str) -> None:
    outcomes: list[str] = []
    for path in (ROOT / "collector" / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Failed", "Skipped"}:
                why = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "why")]
                outcomes += [one for part in why for one in literals(part) if " " in one and one != "; "]

    assert set(outcomes) - TOLD.skeletons() == set(), "add each to collector/phrasebook/told.py"


def test_a_new_sentence_is_found_wherever_it_stands() -> None:
    source = '''
def look(path, gone):
    """A docstring is no sentence."""
    if gone:
        raise OSError(f"{path} went away in {gone:.0f} s")
    _log.info("said to the log only")
    return {"why": "seen before and now" if path else ""}
'''
    assert sentences(source) == {"{} went away in {} s", "seen before and now"}


def test_the_sources_are_really_read() -> None:
    every = {one for path in sources() for one in sentences((ROOT / path).read_text("utf-8"))}

    assert len(every) > 250
    assert {
        "runs from memory, no file ever held it",
        "table changed during {} dumps of type {}",
        "its deadline had passed before its turn came",
        "overdrawn: {} {} of {}; rests {} s",
    } <= every


def filled(english: str) -> str:
    """A sentence of a table with something in its places."""
    return re.sub(r"\{[a-z]+:said\}", "no such file", re.sub(r"\{[a-z]+(:maybe)?\}", "X1", english))


@pytest.mark.parametrize("table", said.BOOK.tables, ids=lambda table: next(iter(table))[:20])
def test_every_sentence_reads_chinese_with_values_in_its_places(table: dict[str, str]) -> None:
    read = {english: said.in_language(filled(english), "zh") for english in table}

    assert [english for english, chinese in read.items() if chinese == filled(english)] == []


def test_no_sentence_stands_in_two_tables() -> None:
    every = [english for table in said.BOOK.tables for english in table]

    assert sorted(every) == sorted(set(every))


def test_a_sentence_is_met_by_few_of_the_book() -> None:
    """Each stands under a word of its own: no shown line is held against the whole book."""
    book = said.BOOK
    tried = [len(list(book._met(one))) for table in book.tables for one in table]

    assert max(tried) < 40 < len(tried)


def test_only_the_book_is_asked_not_the_length_of_a_value() -> None:
    assert isinstance(said.BOOK, Phrasebook)
    assert said.in_language("x" * 10_000 + " could not be compared: y", "zh").endswith(
        "could not be compared: y"
    )
