"""A plan's YAML to the graph that a run walks, and the pinned form that a run keeps.

For people the steps stand as a list: a step goes on to the one below it, and a branch is a list inside its
step. `unfold` turns the marked tree of such a file into the graph (every step under its id, with `next`)
before anything is decoded, so that each mistake is told at its own line::

    steps:                                steps:
      - id: hold                            start: {kind: start, next: hold}
        kind: parallel                      hold: {kind: parallel, branches: [a, c], next: end}
        branches:                   ->      a: {..., next: b}
          - [{id: a, ...}, {id: b, ...}]    b: {...}
          - [{id: c, ...}]                  c: {...}
                                            end: {kind: end}

A file may as well give the graph itself, as a mapping of ids.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from math import isfinite, nan
from typing import Any

import msgspec
import rfc8785
from msgspec.structs import replace

from .. import yaml_marks
from ..yaml_marks import Mapping as MappingNode
from ..yaml_marks import Mistake, Mistakes, Node
from ..yaml_marks import Scalar as ScalarNode
from ..yaml_marks import Sequence as SequenceNode
from .model import (
    CONTINUE,
    REGRADE,
    FieldType,
    If,
    Parallel,
    Plan,
    PlaybookAction,
    Regrade,
    Step,
    Switch,
    Text,
    Variable,
    While,
)

MAX_PINNED_STEPS = 5_000
STAND_IN = "unreadable"
_BRANCH = ("then", "else", "do", "default", "undo", "raised", "lowered")
_REGRADE_TEXT = Text(zh="调整响应级别", en="Adjust the response level")
_START_TEXT = {"zh": "启动预案", "en": "Start the plan"}
_END_TEXT = {"zh": "处置结束", "en": "End of the plan"}


def read_plan(text: str, file: str) -> tuple[Plan, Node]:
    """Read a plan; also returns its marked graph, so that `check` can name places.

    Raises:
        Mistakes: every mistake of form; what a plan of good form gets wrong is told by `check`.
    """
    tree, mistakes = unfold(yaml_marks.read(text, file))
    try:
        plan = decode_plan(tree)
    except Mistakes as error:
        raise Mistakes([*mistakes, *error.mistakes]) from None
    if mistakes:
        raise Mistakes(mistakes)
    return plan, tree


def decode_plan(tree: Node) -> Plan:
    """Decode a marked graph.

    Raises:
        Mistakes: every mistake of form.
    """
    plan = yaml_marks.decode(tree, Plan)
    values, mistakes = {}, []
    for name, variable in plan.variables.items():
        try:
            values[name] = replace(variable, value=typed(variable.value, variable.type))
        except ValueError as error:
            mistakes.append(tree.mistake(f"variables.{name}.value", repr(variable.value), str(error)))
    if mistakes:
        raise Mistakes(mistakes)
    return replace(plan, variables=values)


def unfold(tree: Node) -> tuple[Node, list[Mistake]]:
    """Turn the list form of a plan's steps into the graph; anything else is returned as it is.

    Also returns what it found wrong: steps without an id, ids that stand twice, empty branches.
    """
    steps = tree.get("steps") if isinstance(tree, MappingNode) else None
    if not isinstance(tree, MappingNode) or not isinstance(steps, SequenceNode):
        return tree, []
    unfolder = _Unfolder()
    first = unfolder.chain(steps, "steps", main=True)
    entries = [(key, unfolder.aside(key.text, value)) for key, value in tree.entries]
    graph = MappingNode(steps.mark, tuple(unfolder.steps.values()))
    entries = [(key, graph if key.text == "steps" else value) for key, value in entries]
    if first is not None and tree.get("first") is None:
        entries.append((ScalarNode(steps.mark, "first"), first))
    return MappingNode(tree.mark, tuple(entries)), unfolder.mistakes


class _Unfolder:
    def __init__(self) -> None:
        self.steps: dict[str, tuple[ScalarNode, Node]] = {}
        self.mistakes: list[Mistake] = []

    def chain(self, items: Node, path: str, *, main: bool = False) -> ScalarNode | None:
        """Unfold one list of steps; returns the id of its first."""
        if not isinstance(items, SequenceNode) or not items.items:
            self.mistakes.append(Mistake(*items.mark, path, "no list of steps", "at least one step"))
            return None
        named = [(self._id(item, f"{path}[{index}]"), item) for index, item in enumerate(items.items)]
        if main:
            named = self._framed(items, named)
        ids = [step for step, _ in named]
        for (step, item), following in zip(named, [*ids[1:], None], strict=True):
            if step is not None and isinstance(item, MappingNode) and self._is_new(step, path):
                self.steps[step.text] = (step, item)  # its place in the file's order, before its branches
                self.steps[step.text] = (step, self._linked(item, following, path))
        return ids[0]

    def aside(self, name: str, value: Node) -> Node:
        """Unfold what stands beside the main line: what a changed level asks for."""
        lists = name in {"raised", "lowered"} and isinstance(value, SequenceNode)
        return self._branch(value, name) if lists else value

    def _framed(
        self, items: SequenceNode, named: list[tuple[ScalarNode | None, Node]]
    ) -> list[tuple[ScalarNode | None, Node]]:
        """Put a start before and an end behind the main line where the file does not."""

        def frame(kind: str, title: dict[str, str]) -> tuple[ScalarNode, Node]:
            mark = items.mark
            words = tuple((ScalarNode(mark, key), ScalarNode(mark, value)) for key, value in title.items())
            entries = (
                (ScalarNode(mark, "kind"), ScalarNode(mark, kind)),
                (ScalarNode(mark, "title"), MappingNode(mark, words)),
            )
            return ScalarNode(mark, kind), MappingNode(mark, entries)

        if _kind(named[0][1]) != "start":
            named = [frame("start", _START_TEXT), *named]
        if _kind(named[-1][1]) != "end":
            named = [*named, frame("end", _END_TEXT)]
        return named

    def _id(self, item: Node, path: str) -> ScalarNode | None:
        step = item.get("id") if isinstance(item, MappingNode) else None
        if isinstance(step, ScalarNode) and not step.empty:
            return step
        found = "no step" if not isinstance(item, MappingNode) else "a step without id"
        self.mistakes.append(Mistake(*item.mark, path, found, "a step with an id"))
        return None

    def _is_new(self, step: ScalarNode, path: str) -> bool:
        if step.text not in self.steps:
            return True
        found = f"the id {step.text!r} again (first in line {self.steps[step.text][0].mark.line})"
        self.mistakes.append(Mistake(*step.mark, f"{path}.id", found, "every id once"))
        return False

    def _linked(self, item: MappingNode, following: ScalarNode | None, path: str) -> MappingNode:
        entries: list[tuple[ScalarNode, Node]] = []
        for key, value in item.entries:
            if key.text != "id":
                entries.append((key, self._branches(key.text, value, f"{path}.{key.text}")))
        if following is not None and item.get("next") is None and _kind(item) != "end":
            entries.append((ScalarNode(following.mark, "next"), following))
        return MappingNode(item.mark, tuple(entries))

    def _branches(self, name: str, value: Node, path: str) -> Node:
        if name in _BRANCH and isinstance(value, SequenceNode):
            return self._branch(value, path)
        if name == "branches" and isinstance(value, SequenceNode):
            return SequenceNode(value.mark, tuple(self._branch(item, path) for item in value.items))
        if name == "cases" and isinstance(value, MappingNode):
            return MappingNode(
                value.mark, tuple((key, self._branch(item, path)) for key, item in value.entries)
            )
        return value

    def _branch(self, item: Node, path: str) -> Node:
        if isinstance(item, ScalarNode):
            return item
        # What is wrong below is told already; the stand-in keeps it from being told twice.
        return self.chain(item, path) or ScalarNode(item.mark, STAND_IN)


def _kind(item: Node) -> str:
    kind = item.get("kind") if isinstance(item, MappingNode) else None
    return kind.text if isinstance(kind, ScalarNode) else ""


def typed(value: Any, kind: FieldType) -> Any:  # noqa: ANN401 - a variable's value is any
    """Return a value as its type; text is read as a file or a form gives it, and None stays None.

    Raises:
        ValueError: saying what was expected.
    """
    if value is None:
        return None
    if kind == "bool":
        if str(value).lower() not in {"true", "false"}:
            raise ValueError("true or false")
        return str(value).lower() == "true"
    if kind == "number":
        return _number(value)
    if not isinstance(value, str):
        raise ValueError("a time with offset" if kind == "time" else "text")  # noqa: TRY004 - a person's mistake
    return yaml_marks.parse_time(value).isoformat() if kind == "time" else value


def _number(value: Any) -> int | float:  # noqa: ANN401 - what a file or a form gives
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        number = float(value) if isinstance(value, str) and len(value) <= 40 else nan
    except ValueError:
        number = nan
    if not isfinite(number):
        raise ValueError("a number")
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def pin(plan: Plan, plans: Mapping[str, Plan]) -> tuple[dict[str, Any], str]:
    """Return the content a run keeps, with every called plan put in, and its SHA-256 (RFC 8785 form).

    Raises:
        ValueError: A called plan is not there, plans call each other in a circle, or it grows too large.
    """
    whole = _watching(_embedded(plan, plans, (plan.id,)))
    body: dict[str, Any] = msgspec.to_builtins(whole)
    return body, fingerprint(body)


def unpin(body: Mapping[str, Any]) -> Plan:
    """Return the plan of a pinned content."""
    return msgspec.convert(body, Plan)


def joined(plan: Plan, other: Plan) -> Plan:
    """Return a pinned plan with another one, pinned too, put in as a step aside of its id.

    Raises:
        ValueError: A step of that id is there already, or the two together grow too large.
    """
    if other.id in plan.steps:
        raise ValueError(f"a plan without a step called {other.id!r}")
    call = PlaybookAction(title=other.name, plan=other.id, first=f"{other.id}/{other.first}")
    own = {name: step for name, step in other.steps.items() if name != REGRADE}
    moved = {f"{other.id}/{name}": _moved(step, other.id) for name, step in own.items()}
    if len(plan.steps) + len(moved) > MAX_PINNED_STEPS:
        raise ValueError(f"at most {MAX_PINNED_STEPS} steps in one run")
    variables, roles = other.variables | plan.variables, other.roles | plan.roles
    return replace(plan, steps={**plan.steps, other.id: call, **moved}, variables=variables, roles=roles)


def fingerprint(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a pinned content in RFC 8785 form."""
    return sha256(rfc8785.dumps(body)).hexdigest()


def _watching(plan: Plan) -> Plan:
    """Put in the step aside that follows the incident's level, where the plan has none of its own."""
    if REGRADE in plan.steps:
        return plan
    step = Regrade(title=_REGRADE_TEXT, owner="leader", raised=plan.raised, lowered=plan.lowered)
    return replace(plan, steps={**plan.steps, REGRADE: step})


def _embedded(plan: Plan, plans: Mapping[str, Plan], callers: tuple[str, ...]) -> Plan:
    steps: dict[str, Step] = {}
    variables: dict[str, Variable] = dict(plan.variables)
    for name, step in plan.steps.items():
        if not isinstance(step, PlaybookAction) or step.first is not None:
            steps[name] = step
            continue
        if step.plan in callers:
            raise ValueError(f"plans that do not call each other in a circle ({' -> '.join(callers)})")
        if step.plan not in plans:
            raise ValueError(f"one of the plans {', '.join(sorted(plans))}, not {step.plan!r}")
        called = _embedded(plans[step.plan], plans, (*callers, step.plan))
        steps[name] = replace(step, first=f"{name}/{called.first}")
        steps |= {f"{name}/{inner}": _moved(each, name) for inner, each in called.steps.items()}
        # One scope a run: the called plan's variables join it; what stands there already is shared.
        variables = called.variables | variables
        if len(steps) > MAX_PINNED_STEPS:
            raise ValueError(f"at most {MAX_PINNED_STEPS} steps, with those of the plans it calls")
    return replace(plan, steps=steps, variables=variables)


def _moved(step: Step, under: str) -> Step:
    """Put a called plan's step under the calling step's id."""

    def at(name: str | None) -> str | None:
        return name if name is None or name == CONTINUE else f"{under}/{name}"

    def all_at(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(f"{under}/{name}" for name in names)

    links: dict[str, Any] = {"next": at(step.next), "on_failure": at(step.on_failure), "undo": at(step.undo)}
    if isinstance(step, Parallel):
        links["branches"] = all_at(step.branches)
    elif isinstance(step, If):
        links |= {"then": at(step.then), "otherwise": at(step.otherwise)}
    elif isinstance(step, While):
        links["do"] = at(step.do)
    elif isinstance(step, Switch):
        cases = zip(step.cases, all_at(step.cases.values()), strict=True)
        links |= {"cases": dict(cases), "default": at(step.default)}
    elif isinstance(step, Regrade):
        links |= {"raised": at(step.raised), "lowered": at(step.lowered)}
    elif isinstance(step, PlaybookAction):
        links["first"] = at(step.first)
    return replace(step, **links)
