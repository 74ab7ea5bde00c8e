"""A plan's text to everything that can be said of it at once: mistakes of form and of meaning together."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from .. import yaml_marks
from ..yaml_marks import Mapping as MappingNode
from ..yaml_marks import Mistake, Mistakes, Node
from ..yaml_marks import Scalar as ScalarNode
from .calls import circles
from .lint import Finding, check
from .load import STAND_IN, decode_plan, unfold
from .model import Plan

_HEADS = frozenset({"summary", "version", "classes", "levels", "asset_roles", "may_start", "warnings"})


class Examined(Struct, frozen=True):
    """What came of a text: the plan if it may run, and all findings in the order of the file."""

    plan: Plan | None
    findings: list[Finding]

    @property
    def errors(self) -> list[Mistake]:
        """The findings that keep the plan from running."""
        return [finding.mistake for finding in self.findings if finding.severity == "error"]


def examine(
    text: str,
    file: str,
    *,
    plans: Iterable[str] | None = None,
    owed: Mapping[str, frozenset[str]] | None = None,
    role_sizes: Mapping[str, int] | None = None,
    bodies: Mapping[str, Plan] | None = None,
) -> Examined:
    """Read and check a plan; steps that cannot be read do not hide what is wrong with the others.

    Args:
        text: The YAML.
        file: Its name, as mistakes shall name it.
        plans: Ids of the plans it may call; None where they are not known.
        owed: Obligations by class of incident, where the regimes are at hand.
        role_sizes: How many people bear a role, where a register is at hand.
        bodies: The plans it may call, where they are at hand; then circles of calls are found.
    """
    try:
        tree, mistakes = unfold(yaml_marks.read(text, file))
    except Mistakes as error:
        return Examined(None, [Finding("error", mistake) for mistake in error.mistakes])
    plan: Plan | None = None
    broken: set[str] = set()
    try:
        plan = decode_plan(tree)
    except Mistakes as error:
        mistakes = [*mistakes, *error.mistakes]
        tree, broken = _without_broken(tree, error.mistakes)
        plan = _decodable(tree)
    findings = {Finding("error", mistake) for mistake in mistakes}
    if plan is not None:
        hidden = frozenset(broken | {STAND_IN}) if mistakes else frozenset()
        findings |= set(check(plan, tree, plans=plans, owed=owed, role_sizes=role_sizes, broken=hidden))
        findings |= set(_circles(plan, tree, bodies or {}))
    ordered = sorted(findings, key=lambda finding: (finding.mistake, finding.severity))
    return Examined(plan if not any(each.severity == "error" for each in ordered) else None, ordered)


def _circles(plan: Plan, tree: Node, bodies: Mapping[str, Plan]) -> Iterator[Finding]:
    for step, way in circles(plan, bodies):
        found = f"plans that call each other in a circle ({' -> '.join(way)})"
        yield Finding(
            "error", tree.mistake(f"steps.{step}.plan", found, "a plan that does not call this one")
        )


def _without_broken(tree: Node, mistakes: Sequence[Mistake]) -> tuple[Node, set[str]]:
    """Take out what cannot be read and what others can be judged without."""
    broken = {mistake.path.split(".")[1] for mistake in mistakes if mistake.path.startswith("steps.")}
    steps = tree.get("steps") if isinstance(tree, MappingNode) else None
    if not isinstance(tree, MappingNode) or not isinstance(steps, MappingNode):
        return tree, broken
    left = MappingNode(steps.mark, tuple(entry for entry in steps.entries if entry[0].text not in broken))
    heads = {re.split(r"[.\[]", mistake.path)[0] for mistake in mistakes} & _HEADS
    entries = [(key, value) for key, value in tree.entries if key.text not in {"steps", *heads}]
    return MappingNode(tree.mark, (*entries, (ScalarNode(steps.mark, "steps"), left))), broken


def _decodable(tree: Node) -> Plan | None:
    try:
        return decode_plan(tree)
    except Mistakes:
        return None
