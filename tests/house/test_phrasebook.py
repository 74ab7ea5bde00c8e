"""Every sentence of a mistake or a refusal has its Chinese in collector/phrasebook/; the sources are read."""

import argparse
import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.cli import build_parser as agent_parser
from agent.phrasebook import HELPS as AGENT_HELPS
from agent.phrasebook import in_language as agent_book
from collector.cli import build_parser as collector_parser
from collector.phrasebook import in_language as collector_book
from collector.phrasebook import skeletons
from collector.phrasebook.helps import CHINESE as HELPS

ROOT = Path(__file__).parents[2] / "collector"
# Where what a person wrote is read, and the commands that refuse.
ROOMS = ("yaml_marks", "registry", "regimes", "workdays", "plans", "escalation", "backups", "cli")
FILES = (
    "settings.py",
    "places.py",
    "world.py",
    "classes.py",
    "runs/playbooks.py",
    "trust/bundles.py",
    "trust/release_keys.py",
    "trust/releases.py",
    "trust/tokens.py",
)
# Told in another way: by the demo itself, in a journal's own words, or to whoever changes the program.
ELSEWHERE = ("cli/demo/", "cli/audit.py")
FOR_THE_PROGRAMMER = {
    "{} has no reading as YAML; see collector/yaml_marks/__init__.py",
    "answers {}, not true or false",
    "no such overload",  # the reason's first part, put into another sentence
}
TELLING = {
    "mistake",
    "mistaken",
    "Mistake",
    "error",
    "warn",
    "refuse",
    "_mistake",
    "_of_file",
    "_NoDutyError",
}
RAISED = {"ValueError", "PermanentError", "StixError", "ArgumentTypeError", "ReleasesError"}
SAID = {"found", "expected", "why", "yaml_expectation"}


# Whose refusals a page shows, and the classes that they raise.
DESKS = (
    "desk", "console", "authority", "runs", "casework", "duty", "documents", "trust", "incident.py", "drills"
)  # fmt: skip
REFUSED = {
    "ProblemError", "PermanentError", "NoProofError", "AlreadyFiledError", "NoAnswerError",
    "NoSuchClockError", "StepRefusedError", "StartRefusedError", "IllegalMoveError", "NeedsReasonError",
    "NotAPersonError",
    "UnknownIncidentError", "NoDrillError", "DrillRefusedError", "NotInDrillError", "NoDocumentError",
    "RenderingError", "LinkError", "NotPossibleError",
}  # fmt: skip


def desks() -> list[Path]:
    paths = [ROOT / name for name in DESKS]
    return sorted(path for one in paths for path in (one.rglob("*.py") if one.is_dir() else [one]))


def refusals(tree: ast.AST) -> Iterator[str]:
    """The sentences with which somebody is refused; they are raised, and told as the last argument."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in REFUSED:
                yield from (one for one in skeletons_of(node.args[-1]) if re.search("[a-z]", one))


def sources() -> list[Path]:
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    paths += [ROOT / name for name in FILES]
    return [path for path in paths if not str(path.relative_to(ROOT)).startswith(ELSEWHERE)]


def skeletons_of(node: ast.AST) -> Iterator[str]:
    """A literal with `{}` for what is put in; both sides of an `if`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        whole = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        yield whole.replace("{}{}", "{}")
    elif isinstance(node, ast.IfExp):
        sides = (*skeletons_of(node.body), *skeletons_of(node.orelse))
        yield from () if any(re.search("[\u4e00-\u9fff]", side) for side in sides) else sides  # told in both
    elif isinstance(node, ast.Tuple):
        for part in node.elts:
            yield from skeletons_of(part)


def sentences(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            parts = node.args[-2:] if name in TELLING else node.args[:1] if name in RAISED else []
        elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 3:
            parts = node.value.elts[-2:]
        elif isinstance(node, ast.Assign):
            names = {
                part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)
            }
            parts = [node.value] if names & SAID else []
        else:
            continue
        for part in parts:
            yield from (each for each in skeletons_of(part) if re.search("[a-z]", each.replace("{}", "")))


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_said_in_english_stands_in_the_phrasebook(path: Path) -> None:
    said = set(sentences(ast.parse(path.read_text("utf-8"))))

    missing = said - skeletons() - FOR_THE_PROGRAMMER

    assert missing == set(), "add each to its table in collector/phrasebook/"


@pytest.mark.parametrize("path", desks(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_somebody_is_refused_with_stands_in_the_phrasebook(path: Path) -> None:
    said = set(refusals(ast.parse(path.read_text("utf-8"))))

    assert said - skeletons() == set(), "add each to its table in collector/phrasebook/"


def test_the_desks_are_really_read() -> None:
    said = {one for path in desks() for one in refusals(ast.parse(path.read_text("utf-8")))}

    assert len(said) > 100
    assert "the page's token ({}) is missing or old; load it again" in said


def test_the_sources_are_really_read() -> None:
    said = [one for path in sources() for one in sentences(ast.parse(path.read_text("utf-8")))]

    assert len(set(said)) > 150
    assert {"the stage {}", "every id once", "no start", "the gateways, not every address"} <= set(said)


def helps_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Every text of a tree of parsers that its help shows."""
    yield parser.description or "options"
    for action in parser._actions:
        yield action.help or "options"
        if isinstance(action, argparse._SubParsersAction):
            yield from (listed.help or "options" for listed in action._choices_actions)
            for below in action.choices.values():
                yield from helps_of(below)


@pytest.mark.parametrize(
    ("parser", "in_language"),
    [(collector_parser, collector_book), (agent_parser, agent_book)],
    ids=["collector", "agent"],
)
def test_every_help_is_english_and_has_its_chinese(
    parser: Callable[..., argparse.ArgumentParser], in_language: Callable[[str, str], str]
) -> None:
    helps = set(helps_of(parser())) - {argparse.SUPPRESS}

    assert len(helps) > 20
    assert {text for text in helps if re.search("[\u4e00-\u9fff]", text)} == set()
    assert {text for text in helps if not re.search("[\u4e00-\u9fff]", in_language(text, "zh"))} == set()
    shown = set(helps_of(parser(None, "zh"))) - {argparse.SUPPRESS, "options"}
    assert {text for text in shown if not re.search("[\u4e00-\u9fff]", text)} == set()


def test_no_help_is_left_over() -> None:
    assert set(HELPS) - set(helps_of(collector_parser())) == set()
    assert set(AGENT_HELPS) - set(helps_of(agent_parser())) == set()
