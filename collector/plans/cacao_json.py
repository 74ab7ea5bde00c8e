"""A playbook's JSON, with the places of what stands in it."""

import json
import re
from collections.abc import Sequence
from typing import Any

from .. import yaml_marks
from ..yaml_marks import Mistake, Mistakes, Node


def read_json(text: str, file: str) -> tuple[dict[str, Any], Node | None]:
    """Return a playbook's object and, where it can be had, its marked tree.

    Raises:
        Mistakes: it is no JSON object, is nested too deeply, or has a name twice.
    """

    def refuse(path: str, found: str, expected: str, line: int = 1, column: int = 1) -> Mistakes:
        return Mistakes([Mistake(file, line, column, path, found, expected)])

    doubled: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        doubled.extend(
            sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
        )
        return dict(pairs)

    def constant(name: str) -> float:
        raise ValueError(f"the number {name}")

    try:
        document = json.loads(text, object_pairs_hook=once, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise refuse("$", f"no JSON ({error.msg})", "a JSON object", error.lineno, error.colno) from None
    except (ValueError, RecursionError) as error:
        found = "JSON nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise refuse("$", found, "a CACAO playbook") from None
    if doubled:
        yaml_marks.read(text, file)  # JSON is YAML: that reader names the place of each of them
        raise refuse("$", f"the name {doubled[0]!r} twice in one object", "every name once")
    if not isinstance(document, dict):
        raise refuse("$", "no JSON object", "a CACAO playbook")
    try:
        return document, yaml_marks.read(text, file)  # only for lines and columns
    except Mistakes:
        return document, None


def json_path(parts: Sequence[str]) -> str:
    """Return a JSON path.

    >>> json_path(["workflow", "action--1", "on_true"])
    "$.workflow['action--1'].on_true"
    """
    return "$" + "".join(_below(part) for part in parts)


def _below(part: str) -> str:
    if part.isdecimal():
        return f"[{part}]"
    return f".{part}" if re.fullmatch(r"\w+", part) else f"[{part!r}]"
