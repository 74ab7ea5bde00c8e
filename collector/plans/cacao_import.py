"""CACAO 2.0 playbooks as plans of ours; nothing is dropped, and what is wrong is told by its JSON path.

The playbook becomes a plan in our own YAML, which then is examined like any other; what is found there is
told at the place of the playbook that it came from.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from ..yaml_marks import Mistakes
from .cacao import (
    EXTENSION,
    MADE_UP_END,
    ORIGINAL,
    SPEC,
    TYPES,
    builtins_of,
    condition_out,
    to_yaml,
    without_originals,
)
from .cacao_commands import action_of, variable_name
from .cacao_export import export_plan, header_of, original_playbook, switch_out
from .cacao_json import read_json
from .cacao_places import Places
from .examine import examine
from .jss import SIGNATURES, Verdict, verify
from .lint import Finding
from .model import Plan
from .stix import variable_of

MAX_WORDS = 4_000
_KINDS = {"bool": "bool", "boolean": "bool", "integer": "number", "long": "number", "float": "number"}


class Imported(Struct, frozen=True):
    """What came of a playbook: the plan and its YAML if it may run, and all findings."""

    plan: Plan | None
    yaml: str
    findings: Sequence[Finding]


class _Refused(Exception):  # noqa: N818 - control flow inside this file: the mistake is already noted
    pass


def import_playbook(
    text: str, file: str, *, trusted: Sequence[bytes] = (), now: datetime | None = None
) -> Imported:
    """Read a CACAO 2.0 playbook.

    Args:
        text: The JSON.
        file: Its name, as mistakes shall name it.
        trusted: Keys whose signatures count (`jss.spki`).
        now: UTC; None: signatures are not looked at.
    """
    try:
        document, marks = read_json(text, file)
    except Mistakes as error:
        return Imported(None, "", [Finding("error", mistake) for mistake in error.mistakes])
    places = Places(marks)
    importer = _Importer(document, places)
    for index, verdict in enumerate(verify(document, trusted=trusted, now=now) if now is not None else ()):
        importer.signed(index, verdict)
    try:
        plan = importer.plan()
    except _Refused:
        return Imported(None, "", [Finding("error", mistake) for mistake in places.mistakes])
    written = to_yaml(plan)
    examined = examine(written, file)
    findings = [places.placed(finding) for finding in examined.findings]
    findings += places.warnings
    if examined.plan is None:
        return Imported(None, written, findings)
    bare = without_originals(examined.plan)
    if _extension(document, "playbook_extensions") and _same(bare, document):
        return Imported(bare, to_yaml(builtins_of(bare)), findings)
    return Imported(examined.plan, written, findings)


def playbook_of(plan: Plan, *, created_by: str, now: datetime) -> dict[str, Any]:
    """Return a plan as a playbook: as it came where nobody changed it since, else anew over what came."""
    original = original_playbook(plan)
    if original is not None:
        again = import_playbook(json.dumps(original, ensure_ascii=False), "")
        if again.plan == plan:
            return original
    return export_plan(plan, created_by=created_by, created=now, modified=now)


class _Importer:
    def __init__(self, document: dict[str, Any], places: Places) -> None:
        self.document = document
        self._places = places
        self._mistake = places.mistake
        self._mapping = places.mapping
        self.steps: dict[str, Any] = {}
        self.ids: dict[str, str] = {}
        self.variables: dict[str, Any] = {}

    def plan(self) -> dict[str, Any]:
        document = self.document
        self._places.expect("type", document.get("type"), "playbook")
        self._places.expect("spec_version", document.get("spec_version"), SPEC)
        workflow = self._mapping(document.get("workflow"), ("workflow",))
        raw = {key: self._mapping(step, ("workflow", key)) for key, step in workflow.items()}
        for key, step in raw.items():
            self._name(key, step)
        start = document.get("workflow_start")
        if not isinstance(start, str) or not self.ids.get(start):
            self._mistake(("workflow_start",), f"the step {start!r}", "a step of the workflow")
        for name, variable in self._mapping(
            document.get("playbook_variables", {}), ("playbook_variables",)
        ).items():
            self._variable(name, variable, ("playbook_variables", name))
        if self._places.mistakes:
            raise _Refused
        for key, step in raw.items():
            self._step(key, step)
        self._exception()
        if self._places.mistakes:
            raise _Refused
        return self._whole(str(start))

    def signed(self, index: int, verdict: Verdict) -> None:
        """Take what came of a signature: one that is not good keeps the playbook out."""
        if verdict.state == "good":
            return
        found = f"a signature of {verdict.signee!r} that is {verdict.state} ({verdict.why})"
        self._mistake((SIGNATURES, str(index)), found, "a good signature by a trusted key")
        if not verdict.refused:
            self._places.warn_instead()

    def _name(self, key: str, step: Mapping[str, Any]) -> None:
        extension = _extension(step)
        if extension.get(MADE_UP_END):
            self.ids[key] = ""
            return
        name = str(extension.get("id", key))
        self.ids[key] = name if name not in self._places.sources else key
        self._places.sources[self.ids[key]] = key

    def _variable(self, key: str, variable: Any, parts: Sequence[str]) -> None:  # noqa: ANN401 - foreign JSON
        raw = self._mapping(variable, parts)
        kind = _KINDS.get(str(raw.get("type")), "text")
        value = raw.get("value")
        if value is not None and not isinstance(value, str | int | float):
            value = json.dumps(value, ensure_ascii=False)
        if kind == "number" and not re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", str(value or "0")):
            kind = "text"
        if kind == "bool" and str(value or "true").lower() not in {"true", "false"}:
            kind = "text"
        declared: dict[str, Any] = {"type": kind}
        if value not in {None, ""}:
            declared["value"] = str(value)
        if raw.get("constant") is True:
            declared["constant"] = True
        self.variables.setdefault(variable_name(key), declared)

    def _step(self, key: str, raw: dict[str, Any]) -> None:
        name = self.ids[key]
        if not name:
            return
        kind = raw.get("type")
        if not isinstance(kind, str) or kind not in {*TYPES, "action"}:
            types = ", ".join([*TYPES, "action"])
            self._mistake(("workflow", key, "type"), repr(kind), f"one of {types}")
            return
        for variable, value in self._mapping(
            raw.get("step_variables", {}), ("workflow", key, "step_variables")
        ).items():
            self._variable(variable, value, ("workflow", key, "step_variables", variable))
        extension = _extension(raw)
        title = _text(raw.get("name") or key, extension.get("title"), 200)
        step: dict[str, Any] = {"kind": kind, "title": title}
        if raw.get("description"):
            step["text"] = _text(raw["description"], extension.get("text"), MAX_WORDS)
        if kind == "action":
            step |= extension if "kind" in extension else action_of(raw, self.document, self._declare)
        else:
            step |= extension
        step |= {"title": title} | ({"text": step["text"]} if "text" in step else {})
        for name_of_ours in ("id", "plan_id"):
            step.pop(name_of_ours, None)
        self._timing(key, raw, step)
        step |= self._links(key, raw) | self._branches(key, raw, extension)
        if kind not in {"start", "end", "parallel", "playbook-action"}:
            step.setdefault("owner", "duty")
        step["unknown"] = {ORIGINAL: json.dumps(raw, ensure_ascii=False)}
        self.steps[name] = step
        self._delay(name, raw, step)

    def _declare(self, variable: str) -> str:
        """Return a variable's type; one that nobody declared is a text."""
        return str(self.variables.setdefault(variable, {"type": "text"})["type"])

    def _timing(self, key: str, raw: Mapping[str, Any], step: dict[str, Any]) -> None:
        timeout = raw.get("timeout")
        if timeout is None:
            return
        if not isinstance(timeout, int) or isinstance(timeout, bool) or timeout < 0:
            self._mistake(("workflow", key, "timeout"), repr(timeout), "milliseconds, a whole number")
        elif timeout:
            step["timeout"] = f"{max(1, -(-timeout // 1000))}s"
            step.pop("on_timeout", None)

    def _delay(self, name: str, raw: Mapping[str, Any], step: dict[str, Any]) -> None:
        """A step that waits before it begins, behind the name of the step itself."""
        delay = raw.get("delay")
        if not isinstance(delay, int) or isinstance(delay, bool) or delay <= 0 or step["kind"] == "start":
            return
        title = {"zh": f"等待后开始：{step['title']['zh']}", "en": f"Wait before: {step['title']['en']}"}
        waiting = {
            "kind": "wait",
            "title": title,
            "owner": step.get("owner", "duty"),
            "for": f"{-(-delay // 1000)}s",
        }
        behind = f"{name}/now"
        self._places.sources[behind] = self._places.sources[name]
        unknown = step.pop("unknown")
        self.steps[name] = {**waiting, "next": behind, "unknown": unknown}
        self.steps[behind] = step

    def _target(self, key: str, field: str, target: Any) -> str | None:  # noqa: ANN401 - foreign JSON
        if not isinstance(target, str) or target not in self.ids:
            self._mistake(("workflow", key, field), f"the step {target!r}", "a step of the workflow")
            return None
        return self.ids[target] or None

    def _links(self, key: str, raw: Mapping[str, Any]) -> dict[str, Any]:
        links: dict[str, Any] = {}
        field = "on_completion" if "on_completion" in raw else "on_success"
        if field in raw:
            links["next"] = self._target(key, field, raw[field])
        if "on_failure" in raw:
            same = "on_success" in raw and raw["on_failure"] == raw["on_success"]
            links["on_failure"] = "continue" if same else self._target(key, "on_failure", raw["on_failure"])
        return {name: target for name, target in links.items() if target is not None}

    def _branches(self, key: str, raw: Mapping[str, Any], extension: Mapping[str, Any]) -> dict[str, Any]:
        kind = raw["type"]
        if kind == "parallel":
            targets = raw.get("next_steps")
            found = (
                [self._target(key, "next_steps", each) for each in targets]
                if isinstance(targets, list)
                else []
            )
            return {"branches": [each for each in found if each is not None]}
        if kind in {"if-condition", "while-condition"}:
            then = self._target(key, "on_true", raw.get("on_true"))
            links = {"then" if kind == "if-condition" else "do": then}
            if "on_false" in raw and kind == "if-condition":
                links["else"] = self._target(key, "on_false", raw["on_false"])
            kept = {name: target for name, target in links.items() if target is not None}
            return kept | {"condition": _condition(raw.get("condition"), extension.get("condition"))}
        if kind == "switch-condition":
            cases = self._mapping(raw.get("cases"), ("workflow", key, "cases"))
            taken = {case: self._target(key, f"cases.{case}", target) for case, target in cases.items()}
            default = {"default": taken.pop("default")} if taken.get("default") else {}
            named = {case: target for case, target in taken.items() if target is not None}
            return {"value": _switch(raw.get("switch"), extension.get("value")), "cases": named, **default}
        if kind == "playbook-action":
            called = _extension(raw).get("plan_id") or str(raw.get("playbook_id", "")).lower()
            return {"plan": called}
        return {}

    def _exception(self) -> None:
        """Send what fails on the main line to `workflow_exception`, as CACAO has it."""
        target = self.document.get("workflow_exception")
        if target is None:
            return
        if str(target) not in self.ids:
            # Widespread, and harmless: a run that fails then ends as failed.
            self._mistake(("workflow_exception",), f"the step {target!r}", "a step of the workflow")
            self._places.warn_instead()
            return
        rescue = self._line(self.ids[str(target)])
        for name in self._line(self.ids[str(self.document["workflow_start"])]) - rescue:
            if self.steps[name]["kind"] not in {"start", "end"}:
                self.steps[name].setdefault("on_failure", self.ids[str(target)])

    def _line(self, first: str) -> set[str]:
        line: set[str] = set()
        ahead = [first]
        while ahead:
            name = ahead.pop()
            if name in self.steps and name not in line:
                line.add(name)
                ahead += [self.steps[name].get("next", ""), self.steps[name].get("on_failure", "")]
        return line

    def _whole(self, start: str) -> dict[str, Any]:
        document = self.document
        self._end_loops()
        extension = dict(_extension(document, "playbook_extensions"))
        name = str(extension.pop("id", None) or document.get("id", "")).lower()
        summary = document.get("description")
        plan: dict[str, Any] = {
            "id": name,
            "name": _text(document.get("name") or name, extension.pop("name", None), 200),
            **({"summary": _text(summary, extension.pop("summary", None), MAX_WORDS)} if summary else {}),
        }
        declared = extension.pop("variables", {})
        if isinstance(declared, dict):
            self.variables |= {key: value for key, value in declared.items() if key in self.variables}
        plan |= extension
        if not _extension(document, "playbook_extensions"):
            plan["version"] = str(document.get("modified") or "1")
        plan["variables"] = self.variables
        plan["first"] = self.ids[start]
        plan["steps"] = self.steps
        plan["unknown"] = {ORIGINAL: json.dumps(header_of(document), ensure_ascii=False)}
        return plan

    def _end_loops(self) -> None:
        """A loop's body that is led back to its loop by hand ends there, as a branch does."""
        for name, step in self.steps.items():
            for inner in self._line(step["do"]) if step["kind"] == "while-condition" and "do" in step else ():
                if self.steps[inner].get("next") == name:
                    del self.steps[inner]["next"]


def _extension(part: Mapping[str, Any], field: str = "step_extensions") -> Mapping[str, Any]:
    extensions = part.get(field)
    found = extensions.get(EXTENSION) if isinstance(extensions, dict) else None
    return found if isinstance(found, dict) else {}


def _text(written: Any, known: Any, limit: int) -> dict[str, str]:  # noqa: ANN401 - foreign JSON
    text = str(written)
    if isinstance(known, dict) and known.get("zh") == text:
        return {"zh": text, "en": str(known.get("en", text))}
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return {"zh": cut, "en": cut}


def _condition(written: Any, known: Any) -> str:  # noqa: ANN401 - foreign JSON
    if isinstance(known, str) and condition_out(known) == written:
        return known
    return f"stix: {written}"


def _switch(written: Any, known: Any) -> str:  # noqa: ANN401 - foreign JSON
    if isinstance(known, str) and switch_out(known) == written:
        return known
    variable = variable_of(str(written))
    return f"vars.{variable}" if variable else str(written)


def _same(plan: Plan, document: Mapping[str, Any]) -> bool:
    """Return whether a plan says all that its playbook does."""
    try:
        created, modified = (datetime.fromisoformat(str(document[name])) for name in ("created", "modified"))
        again = export_plan(
            plan,
            created_by=str(document["created_by"]),
            created=created.astimezone(UTC),
            modified=modified.astimezone(UTC),
        )
    except (KeyError, ValueError):
        return False
    return again == document
