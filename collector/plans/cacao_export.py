"""Our plans as CACAO 2.0 playbooks; what CACAO has no word for stands in our extension (see `cacao`)."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from .cacao import (
    EXTENSION,
    GRAPH,
    MADE_UP_END,
    SPEC,
    TYPES,
    builtins_of,
    condition_out,
    identifier,
    is_identifier,
    original_of,
)
from .model import (
    CONTINUE,
    End,
    HttpRequest,
    If,
    Manual,
    Parallel,
    Plan,
    PlaybookAction,
    Start,
    Step,
    Switch,
    Variable,
    While,
)
from .openc2 import media_of
from .stix import variable_of

_ROLES = {"duty": "值班员", "leader": "值班领导", "superior": "上级单位"}
_VARIABLE_TYPES = {"bool": "bool", "number": "float"}


def export_plan(plan: Plan, *, created_by: str, created: datetime, modified: datetime) -> dict[str, Any]:
    """Return a plan as a CACAO 2.0 playbook.

    Args:
        plan: The plan, not pinned.
        created_by: CACAO identifier (`identity--…`) of the unit that exports it.
        created: UTC.
        modified: UTC.
    """
    header = original_of(plan.unknown)
    return _Exporter(plan, header).document(created_by, stamp(created), stamp(modified))


def original_playbook(plan: Plan) -> dict[str, Any] | None:
    """Return the playbook that a plan was imported from; None where it was written here."""
    header = original_of(plan.unknown)
    if not header:
        return None
    parts = {step: original_of(each.unknown) for step, each in plan.steps.items()}
    order = header.pop(_ORDER, {})
    keys = order.get("workflow", [])
    steps = {step if step in keys else cacao_step_id(plan, step): part for step, part in parts.items()}
    workflow = {name: steps[name] for name in keys if steps.get(name)}
    whole = {**header, "workflow": workflow}
    return {name: whole[name] for name in order.get("playbook", whole) if name in whole}


_ORDER = "x-order"


def header_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a playbook is kept beside its steps, with the order of both."""
    order = {"playbook": list(document), "workflow": list(document.get("workflow", {}))}
    return {name: value for name, value in document.items() if name != "workflow"} | {_ORDER: order}


def stamp(time: datetime) -> str:
    """Return a time as CACAO writes it."""
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def cacao_step_id(plan: Plan, step: str) -> str:
    """Return the identifier under which a step is exported."""
    kind = TYPES.get(plan.steps[step].kind, "action")
    return step if is_identifier(step) else identifier(kind, f"{plan.id}/{step}")


class _Exporter:
    def __init__(self, plan: Plan, header: dict[str, Any]) -> None:
        self.plan = plan
        # What was signed is not what goes out: a signature of the old content would only be a bad one.
        self.header = {name: value for name, value in header.items() if name not in {_ORDER, "signatures"}}
        self.workflow: dict[str, Any] = {}
        self.agents: dict[str, Any] = {}
        self.targets: dict[str, Any] = {}

    def document(self, created_by: str, created: str, modified: str) -> dict[str, Any]:
        plan = self.plan
        for name, step in plan.steps.items():
            self.workflow[cacao_step_id(plan, name)] = self._step(name, step)
        extension = {"id": plan.id, **_without(builtins_of(plan), ("steps", "first", "unknown", "id"))}
        document: dict[str, Any] = {
            "type": "playbook",
            "spec_version": SPEC,
            "id": plan.id if is_identifier(plan.id) else identifier("playbook", plan.id),
            "name": plan.name.zh,
            **({"description": plan.summary.zh} if plan.summary else {}),
            "playbook_types": ["mitigation"],
            "created_by": created_by,
            "created": created,
            "modified": modified,
            **({"labels": list(plan.classes)} if plan.classes else {}),
            "playbook_variables": {f"__{name}__": _variable(each) for name, each in plan.variables.items()},
            "workflow_start": cacao_step_id(plan, plan.first),
            "workflow": self.workflow,
            "agent_definitions": self.agents,
            "target_definitions": self.targets,
            "playbook_extensions": {EXTENSION: extension},
            "extension_definitions": {EXTENSION: _definition(created_by)},
        }
        document = {name: value for name, value in document.items() if value not in ({}, [])}
        return _merged(self.header, document)

    def _step(self, name: str, step: Step) -> dict[str, Any]:
        kind = TYPES.get(step.kind, "action")
        exported: dict[str, Any] = {"type": kind, "name": step.title.zh}
        if step.text is not None:
            exported["description"] = step.text.zh
        if step.timeout is not None and step.on_timeout == "fail":
            exported["timeout"] = int(step.timeout / timedelta(milliseconds=1))
        exported |= self._links(name, step) | self._branches(step)
        if kind == "action":
            exported |= self._action(name, step)
        exported["step_extensions"] = {EXTENSION: {"id": name, **_kept(step)}}
        return _merged(original_of(step.unknown), exported)

    def _links(self, name: str, step: Step) -> dict[str, Any]:
        if isinstance(step, End):
            return {}
        after = self._id(step.next) if step.next is not None else self._made_up_end(name)
        if step.on_failure is None or isinstance(step, Start):
            return {"on_completion": after}
        failed = after if step.on_failure == CONTINUE else self._id(step.on_failure)
        return {"on_success": after, "on_failure": failed}

    def _branches(self, step: Step) -> dict[str, Any]:
        if isinstance(step, Parallel):
            branches = [self._id(each) for each in step.branches]
            # CACAO wants two; the second of a lonely branch is over at once.
            return {
                "next_steps": branches if len(branches) > 1 else [*branches, self._made_up_end(branches[0])]
            }
        if isinstance(step, If):
            otherwise = {"on_false": self._id(step.otherwise)} if step.otherwise else {}
            return {"condition": condition_out(step.condition), "on_true": self._id(step.then), **otherwise}
        if isinstance(step, While):
            return {"condition": condition_out(step.condition), "on_true": self._id(step.do)}
        if isinstance(step, Switch):
            default = {"default": self._id(step.default)} if step.default else {}
            cases = {case: self._id(each) for case, each in step.cases.items()} | default
            return {"switch": switch_out(step.value), "cases": cases}
        if isinstance(step, PlaybookAction):
            called = step.plan if is_identifier(step.plan) else identifier("playbook", step.plan)
            return {"playbook_id": called}
        return {}

    def _action(self, name: str, step: Step) -> dict[str, Any]:
        action: dict[str, Any] = {"agent": self._agent(step.owner or "duty")}
        if isinstance(step, HttpRequest):
            action["targets"] = [self._target(name, step.url)]
            url = urlsplit(step.url)
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            command = _request(f"POST {path} HTTP/1.1", step.body)
        else:
            text = step.command if isinstance(step, Manual) and step.command else None
            command = {"type": "manual", "command": text or (step.text or step.title).zh}
        action["commands"] = [command]
        if step.out:
            action["out_args"] = [f"__{variable}__" for variable in step.out]
        return action

    def _agent(self, role: str) -> str:
        name = identifier("group", role)
        title = self.plan.roles[role].zh if role in self.plan.roles else _ROLES.get(role, role)
        self.agents[name] = {"type": "group", "name": title}
        return name

    def _target(self, step: str, url: str) -> str:
        name = identifier("http-api", f"{self.plan.id}/{step}")
        split = urlsplit(url)
        self.targets[name] = {
            "type": "http-api",
            "name": split.netloc or url,
            "address": {"dname": [split.netloc.rpartition("@")[2].partition(":")[0] or url]},
            "port": split.netloc.rpartition(":")[2] if ":" in split.netloc else _port(split.scheme),
        }
        return name

    def _id(self, step: str) -> str:
        return cacao_step_id(self.plan, step)

    def _made_up_end(self, name: str) -> str:
        end = identifier("end", f"{self.plan.id}/{name}/end")
        self.workflow[end] = {"type": "end", "step_extensions": {EXTENSION: {MADE_UP_END: True}}}
        return end


def _request(line: str, body: Mapping[str, Any]) -> dict[str, Any]:
    content = json.dumps(body, ensure_ascii=False)
    if (media := media_of(body)) is not None:
        encoded = b64encode(content.encode()).decode()
        headers = {"Content-Type": [media]}
        return {"type": "openc2-http", "command": line, "headers": headers, "content_b64": encoded}
    headers = {"Content-Type": ["application/json"]}
    return {"type": "http-api", "command": line, "headers": headers, "content": content}


def switch_out(value: str) -> str:
    """Return a switch's value as CACAO writes it: a variable by its name, all else as it is."""
    name = value.removeprefix("vars.")
    return f"__{name}__:value" if name != value and variable_of(f"__{name}__") == name else value


def _kept(step: Step) -> dict[str, Any]:
    kept = _without(builtins_of(step), GRAPH)
    if step.on_timeout == "fail":
        kept.pop("timeout", None)
    if isinstance(step, PlaybookAction):
        kept["plan_id"] = step.plan
    return kept


def _variable(variable: Variable) -> dict[str, Any]:
    value = variable.value
    written = str(value).lower() if isinstance(value, bool) else None if value is None else str(value)
    return {
        "type": _VARIABLE_TYPES.get(variable.type, "string"),
        **({"value": written} if written is not None else {}),
        "constant": variable.constant,
    }


def _definition(created_by: str) -> dict[str, Any]:
    return {
        "type": "extension-definition",
        "name": "Fengsui emergency plans",
        "description": "Deadlines of the law, owner roles, quorum, undo steps, levels, two languages.",
        "created_by": created_by,
        "schema": "docs/plans.md",
        "version": "1",
    }


def _port(scheme: str) -> str:
    return "80" if scheme == "http" else "443"


def _without(mapping: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}


def _merged(original: Mapping[str, Any], exported: Mapping[str, Any]) -> dict[str, Any]:
    """Put what is exported over what came in; objects by object, links as a whole."""
    links = {"on_completion", "on_success", "on_failure", "timeout", "on_false"}
    merged = {name: value for name, value in original.items() if name not in links}
    for name, value in exported.items():
        before = merged.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping) and name != "workflow"
        merged[name] = {**before, **value} if both else value  # type: ignore[dict-item]
    return merged
