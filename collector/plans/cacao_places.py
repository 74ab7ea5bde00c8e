"""Where in a playbook's JSON something is wrong, and what of a plan came from where in it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .. import yaml_marks
from ..yaml_marks import Mistake, Node
from .cacao_json import json_path
from .lint import Finding

_LINKS = {"then": "on_true", "do": "on_true", "else": "on_false", "branches": "next_steps", "value": "switch"}


class Places:
    """Notes mistakes and warnings at their places.

    Attributes:
        sources: Of each step of the plan: its key in the playbook's workflow.
        mistakes, warnings: What was noted.
    """

    def __init__(self, marks: Node | None) -> None:
        self._marks = marks
        self.mistakes: list[Mistake] = []
        self.warnings: list[Finding] = []
        self.sources: dict[str, str] = {}

    def warn_instead(self) -> None:
        """Let the mistake noted last be a warning."""
        self.warnings.append(Finding("warning", self.mistakes.pop()))

    def placed(self, finding: Finding) -> Finding:
        """Tell a finding of the plan at the playbook's own place."""
        mistake = finding.mistake
        parts = _parts(mistake.path, self.sources)
        line, column = self._mark(parts)
        return Finding(finding.severity, mistake._replace(line=line, column=column, path=json_path(parts)))

    def mistake(self, parts: Sequence[str], found: str, expected: str) -> None:
        """Note a mistake at a place of the JSON."""
        line, column = self._mark(parts)
        file = self._marks.mark.file if self._marks is not None else ""
        self.mistakes.append(Mistake(file, line, column, json_path(parts), found, expected))

    def _mark(self, parts: Sequence[str]) -> tuple[int, int]:
        node = self._marks
        for part in parts:
            inner = node.get(part) if isinstance(node, yaml_marks.Mapping) else None
            if inner is None:
                break
            node = inner
        return (node.mark.line, node.mark.column) if node is not None else (1, 1)

    def expect(self, name: str, found: Any, expected: str) -> None:  # noqa: ANN401 - foreign JSON
        """Note what a field of the playbook should be and is not."""
        if found != expected:
            self.mistake((name,), repr(found) if found is not None else "nothing", repr(expected))

    def mapping(self, value: Any, parts: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401 - foreign JSON
        """Return an object; anything else is a mistake and empty, so that what follows is told too."""
        if isinstance(value, dict):
            return value
        self.mistake(parts, _kind_of(value), "an object")
        return {}


def _parts(path: str, sources: Mapping[str, str]) -> list[str]:
    """Return where in the playbook a path of the plan came from."""
    head, _, rest = path.partition(".")
    if head == "variables":
        return ["playbook_variables", f"__{rest.partition('.')[0]}__"]
    if head != "steps":
        return [{"first": "workflow_start", "steps": "workflow"}.get(head, head)] if head else []
    name, _, field = rest.partition(".")
    field = re.split(r"[.\[]", field)[0]
    field = _LINKS.get(field, field)
    return ["workflow", *([sources.get(name, name)] if name else []), *([field] if field else [])]


def _kind_of(value: Any) -> str:  # noqa: ANN401 - foreign JSON
    return "nothing" if value is None else f"a {type(value).__name__}"
