"""What is wrong with a plan of good form: its names, its graph, its people. Every finding has its place."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Literal

from msgspec import Struct

from wire.orders import PARAMS, ParamsError, read_params

from ..yaml_marks import Mistake, Node
from .conditions import ROOTS, STIX, places_of, syntax_error, variables_of
from .model import (
    BRANCHING,
    BUILT_IN_ROLES,
    CONTINUE,
    LEVELS,
    Approve,
    End,
    FileReport,
    HttpRequest,
    If,
    Manual,
    Notify,
    OrderAgent,
    Plan,
    PlaybookAction,
    Regrade,
    Role,
    Start,
    Step,
    StepId,
    Switch,
    VariableName,
    Wait,
    While,
    branches_of,
    followers_of,
    obligations_of,
)

_OUTPUTS: Mapping[type, frozenset[str]] = {
    Notify: frozenset({"notices", "people"}),
    Approve: frozenset({"decision", "by", "comments"}),
    HttpRequest: frozenset({"notice", "status"}),
    OrderAgent: frozenset({"order", "state", "detail"}),
    FileReport: frozenset({"filing"}),
    Wait: frozenset({"receipt_at"}),
}
# What `collect_evidence` names; no names: those of the node's own settings.
_NAMES: Mapping[str, tuple[str, ...]] = {"items": ("sockets", "processes", "routes"), "logs": ()}


class Finding(Struct, frozen=True):
    """One thing found in a plan; a warning does not keep it from running."""

    severity: Literal["error", "warning"]
    mistake: Mistake

    def __str__(self) -> str:
        return f"{self.mistake} ({self.severity})" if self.severity == "warning" else str(self.mistake)


def check(
    plan: Plan,
    tree: Node,
    *,
    plans: Iterable[str] | None = None,
    owed: Mapping[str, frozenset[str]] | None = None,
    role_sizes: Mapping[str, int] | None = None,
    broken: frozenset[str] = frozenset(),
) -> list[Finding]:
    """Find everything that is wrong with a plan.

    Args:
        plan: The plan, as `read_plan` returned it.
        tree: Its marked graph, from the same call.
        plans: Ids of the plans it may call; None where they are not known.
        owed: Obligations by class of incident, where the regimes are at hand.
        role_sizes: How many people bear a role, where a register is at hand.
        broken: Steps that stand in the file but could not be read.

    Returns:
        Findings in the order of the file, errors and warnings mixed.
    """
    known = frozenset(plans) if plans is not None else None
    linter = _Linter(plan, tree, known, role_sizes or {}, broken)
    linter.everything()
    linter.owed(owed or {})
    return sorted(set(linter.findings), key=lambda finding: (finding.mistake, finding.severity))


class _Linter:
    def __init__(
        self,
        plan: Plan,
        tree: Node,
        plans: frozenset[str] | None,
        role_sizes: Mapping[str, int],
        broken: frozenset[str],
    ) -> None:
        self.plan = plan
        self.tree = tree
        self.plans = plans
        self.role_sizes = role_sizes
        self.broken = broken
        self.findings: list[Finding] = []

    def error(self, path: str, found: str, expected: str) -> None:
        self.findings.append(Finding("error", self.tree.mistake(path, found, expected)))

    def warn(self, path: str, found: str, expected: str) -> None:
        self.findings.append(Finding("warning", self.tree.mistake(path, found, expected)))

    def everything(self) -> None:
        self._head()
        if not self.broken:
            self._starts()
        self._keys()
        for name, step in self.plan.steps.items():
            self._names(f"steps.{name}", name, step)
            self._people(f"steps.{name}", step)
            self._values(f"steps.{name}", step)
        if not self.broken and all(finding.severity == "warning" for finding in self.findings):
            self._shape()  # a graph whose names lead nowhere has none to judge
        self._written()

    def owed(self, owed: Mapping[str, frozenset[str]]) -> None:
        filed = obligations_of(self.plan)
        for code in self.plan.classes:
            for obligation in sorted(owed.get(code, frozenset()) - filed):
                self.warn("classes", f"{code} owes {obligation}", "a step that files it")

    def _head(self) -> None:
        plan = self.plan
        if self.broken:
            return
        if not any(isinstance(step, Start) for step in plan.steps.values()):
            self.error("steps", "no start", "a step of kind start")
        if not any(isinstance(step, End) for step in plan.steps.values()):
            self.error("steps", "no end", "a step of kind end")
        if plan.first not in plan.steps:
            self.error("first", f"the step {plan.first!r}, which is not there", _near(plan.first, plan.steps))
        elif not isinstance(plan.steps[plan.first], Start):
            self.error("first", f"a step of kind {plan.steps[plan.first].kind}", "a step of kind start")

    def _starts(self) -> None:
        """Who starts it, what starts it, and what a changed level adds to it."""
        plan = self.plan
        for level, role in plan.may_start.items():
            if level not in LEVELS:
                self.error(f"may_start.{level}", f"the level {level!r}", f"one of {', '.join(LEVELS)}")
            self._role(f"may_start.{level}", role)
        for field in ("raised", "lowered"):
            if (target := getattr(plan, field)) is not None:
                self._target(field, target)
        if plan.warnings and not plan.classes:
            self.error("warnings", "no classes", "the classes of the warnings that start it")

    def _keys(self) -> None:
        """Hold what stands as a name of a mapping against the pattern of its kind."""
        plan = self.plan
        named: list[tuple[str, Mapping[str, Any], Any]] = [
            ("steps", plan.steps, StepId),
            ("roles", plan.roles, Role),
        ]
        named.append(("variables", plan.variables, VariableName))
        for name, step in plan.steps.items():
            if isinstance(step, Manual):
                named.append((f"steps.{name}.form", step.form, VariableName))
        for path, mapping, kind in named:
            pattern = str(kind.__metadata__[0].pattern)
            for key in mapping:
                if not re.fullmatch(pattern, key):
                    self.error(f"{path}.{key}", f"the name {key!r}", f"a name like {pattern}")

    def _names(self, path: str, name: str, step: Step) -> None:
        for field in ("next", "on_failure", "undo"):
            target = getattr(step, field)
            if target is not None and not (field == "on_failure" and target == CONTINUE):
                self._target(f"{path}.{field}", target)
        for place, target in _branch_places(step):
            self._target(f"{path}.{place}", target)
        if name == CONTINUE:
            self.error(path, f"the id {CONTINUE!r}", "an id that on_failure does not already use")
        if isinstance(step, End) and followers_of(step):
            self.error(path, "an end that something follows", "nothing behind an end")
        if isinstance(step, PlaybookAction) and self.plans is not None and step.plan not in self.plans:
            self.error(f"{path}.plan", f"the plan {step.plan!r}", _near(step.plan, self.plans))

    def _target(self, path: str, target: str) -> None:
        if target not in self.plan.steps and target not in self.broken:
            self.error(path, f"the step {target!r}, which is not there", _near(target, self.plan.steps))

    def _people(self, path: str, step: Step) -> None:
        needs_owner = not isinstance(step, (Start, End, *BRANCHING))
        decides = isinstance(step, If | While | Switch | Regrade)
        if step.owner is None and (needs_owner or decides):
            why = "a role that decides what cannot be decided by itself" if decides else "an owner role"
            self.error(f"{path}.owner", "nothing", why)
        for field in ("owner", "to", "deputy"):
            role = getattr(step, field, None)
            if role is not None:
                self._role(f"{path}.{field}", role)
        if isinstance(step, Approve):
            people = [self.role_sizes.get(role) for role in (step.owner, step.deputy) if role is not None]
            if all(size is not None for size in people) and step.quorum > sum(size or 0 for size in people):
                found = f"{step.quorum} of {sum(size or 0 for size in people)} people"
                self.error(f"{path}.quorum", found, "no more people than bear the role")

    def _role(self, path: str, role: str) -> None:
        known = (*BUILT_IN_ROLES, *self.plan.roles)
        if role not in known:
            self.error(path, f"the role {role!r}", _near(role, known))

    def _values(self, path: str, step: Step) -> None:
        for field in ("condition", "value"):
            expression = getattr(step, field, None)
            if expression is None or not isinstance(step, If | While | Switch):
                continue
            if wrong := syntax_error(expression):
                names = f"CEL over {', '.join(ROOTS)}, or {STIX} and a STIX comparison"
                self.warn(f"{path}.{field}", wrong, f"{names}; as it stands a person decides")
            for variable in sorted(variables_of(expression)):
                self._variable(f"{path}.{field}", variable)
        for field, place in _text_places(step):
            root, _, rest = place.partition(".")
            if root == "vars":
                self._variable(f"{path}.{field}", rest)
        if isinstance(step, Manual | Approve) and step.timeout is None and step.due is None:
            self.warn(f"{path}.timeout", "nothing", "a time by which it is to be done")
        if isinstance(step, OrderAgent):
            self._order(path, step)

    def _order(self, path: str, step: OrderAgent) -> None:
        if step.timeout is None:
            self.error(f"{path}.timeout", "nothing", "the order's deadline")
        fields = PARAMS[step.order].__struct_fields__
        for name in step.params:
            if name not in fields:
                self.error(
                    f"{path}.params.{name}",
                    f"the parameter {name!r}",
                    _near(name, fields) if fields else "no parameter",
                )
        if step.order == "collect_evidence":
            self._evidence(path, step)
        elif set(step.params) <= set(fields):
            try:
                read_params(step.order, step.params)
            except ParamsError as error:
                self.error(f"{path}.params", str(error), "what the order takes (docs/wire.md)")

    def _evidence(self, path: str, step: OrderAgent) -> None:
        for name in _NAMES.keys() & step.params.keys():
            value, known = step.params[name], _NAMES[name]
            if not isinstance(value, list):
                self.error(f"{path}.params.{name}", "no list", "a list of names")
            elif strange := [each for each in value if known and each not in known]:
                self.error(f"{path}.params.{name}", f"the name {strange[0]!r}", _near(str(strange[0]), known))

    def _variable(self, path: str, name: str) -> None:
        if name not in self.plan.variables:
            self.error(
                path, f"the variable {name!r}, which is not declared", _near(name, self.plan.variables)
            )

    def _written(self) -> None:
        written: set[str] = set()
        for name, step in self.plan.steps.items():
            for variable, output in step.out.items():
                path = f"steps.{name}.out.{variable}"
                self._variable(path, variable)
                if variable in self.plan.variables and self.plan.variables[variable].constant:
                    self.error(path, f"the constant {variable!r}", "a variable that may be written")
                outputs = frozenset(step.form) if isinstance(step, Manual) else _OUTPUTS.get(type(step))
                if outputs is None or output not in outputs:
                    self.error(path, f"the result {output!r}", _near(output, outputs or ()))
                written.add(variable)
        for name, declared in self.plan.variables.items():
            if name not in written and declared.value is None and not self.broken:
                self.warn(f"variables.{name}", "neither a value nor a step that writes it", "one of the two")

    def _shape(self) -> None:
        aside = [each for each in (self.plan.raised, self.plan.lowered) if each is not None]
        reached = set().union(*(_reachable(self.plan, first) for first in (self.plan.first, *aside)))
        for name in self.plan.steps:
            if name not in reached:
                self.error(f"steps.{name}", "a step that no run reaches", "a step that something leads to")
        for name in _circles(self.plan):
            found = "a circle that nothing leaves"
            self.error(f"steps.{name}", found, "a while-condition, or a way out of the circle")
        homes: dict[str, str] = {}
        for name, step in self.plan.steps.items():
            for branch in branches_of(step):
                for inner in _level(self.plan, branch):
                    if homes.setdefault(inner, name) != name and not isinstance(self.plan.steps[inner], End):
                        found = f"a step inside both {homes[inner]!r} and {name!r}"
                        self.warn(f"steps.{inner}", found, "a step of one branching step")
        for inner in _level(self.plan, self.plan.first):
            if inner in homes and not isinstance(self.plan.steps[inner], End):
                found = f"a step of the main line inside a branch of {homes[inner]!r}"
                self.error(f"steps.{inner}", found, "a branch that ends before the main line goes on")


def _branch_places(step: Step) -> Iterator[tuple[str, str]]:
    if isinstance(step, If):
        yield "then", step.then
        if step.otherwise is not None:
            yield "else", step.otherwise
    elif isinstance(step, While):
        yield "do", step.do
    elif isinstance(step, Regrade):
        yield from ((name, to) for name in ("raised", "lowered") if (to := getattr(step, name)) is not None)
    elif isinstance(step, Switch):
        yield from ((f"cases.{case}", target) for case, target in step.cases.items())
        if step.default is not None:
            yield "default", step.default
    else:
        yield from ((f"branches[{index}]", target) for index, target in enumerate(branches_of(step)))


def _text_places(step: Step) -> Iterator[tuple[str, str]]:
    """Where a step's texts, address, body and content name what is to be filled in, and what."""
    for field in ("title", "text"):
        text = getattr(step, field)
        for each in (text.zh, text.en) if text is not None else ():
            yield from ((field, place) for place in places_of(each))
    for field in ("url", "body", "content", "command"):
        for each in _texts(getattr(step, field, None)):
            yield from ((field, place) for place in places_of(each))


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - a body is any JSON
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _near(name: str, known: Iterable[str]) -> str:
    choices = sorted(known)
    close = get_close_matches(name, choices, n=1)
    listed = f"one of {', '.join(choices[:20])}{', …' if len(choices) > 20 else ''}" if choices else "none"
    return listed + (f" (did you mean {close[0]!r}?)" if close else "")


def _reachable(plan: Plan, first: str) -> set[str]:
    return _walk(
        first,
        lambda name: (*followers_of(plan.steps[name]), *branches_of(plan.steps[name]), *_undo(plan, name)),
    )


def _undo(plan: Plan, name: str) -> tuple[str, ...]:
    undo = plan.steps[name].undo
    return () if undo is None else (undo,)


def _level(plan: Plan, first: str) -> set[str]:
    """The steps of one branch at its own level, without those of branches inside it."""
    return _walk(first, lambda name: followers_of(plan.steps[name]))


def _walk(first: str, onward: Callable[[str], Iterable[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = [first]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead.extend(onward(name))
    return reached


def _circles(plan: Plan) -> list[str]:
    """Steps of circles that, at their own level, no way leads out of."""
    leaves = {name for name, step in plan.steps.items() if isinstance(step, End) or step.next is None}
    before: dict[str, list[str]] = {name: [] for name in plan.steps}
    for name, step in plan.steps.items():
        for follower in followers_of(step):
            before[follower].append(name)
    for name in list(leaves):
        leaves |= _walk(name, lambda each: before[each])
    caught = [name for name in plan.steps if name not in leaves]
    return [
        name
        for name in caught
        if any(name in _level(plan, after) for after in followers_of(plan.steps[name]))
    ]
