"""CACAO 2.0 playbooks and our plans: what the two share, and where each keeps what the other lacks.

::

    CACAO JSON                        our plan
    workflow["action--…"]    <->      steps: one step; its kind by the command, or by our extension
    on_completion, on_success         next                 (nothing for a branch's last step: a made-up end)
    on_failure                        on_failure           (equal to on_success: continue)
    timeout (milliseconds)            timeout              (with on_timeout: fail; else in the extension)
    playbook_variables __x__          variables x
    conditions                        `stix:` conditions   (prose stays, and a person decides)
    step_extensions[EXTENSION]        owner, due, on_timeout, form, quorum, both languages, …
    all else                          unknown.cacao: the object as it came, as JSON text

An imported playbook that nobody changed is exported as it came, field by field. What no command of ours does
is a manual step with its text shown; nothing of a playbook is ever run by a shell.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

import msgspec
import yaml
from msgspec.structs import replace

from .. import yaml_marks
from .model import Plan

SPEC = "cacao-2.0"
_NAMESPACE = UUID("0e6d7b52-0d0c-5c0e-9a35-4d8a3b1a7f10")
EXTENSION = f"extension-definition--{uuid5(_NAMESPACE, 'fengsui-plan')}"
ORIGINAL = "cacao"
MADE_UP_END = "end_of_branch"
GRAPH = (
    "next",
    "on_failure",
    "branches",
    "then",
    "else",
    "do",
    "cases",
    "default",
    "first",
    "plan",
    "unknown",
)
TYPES = {
    "start": "start",
    "end": "end",
    "parallel": "parallel",
    "if-condition": "if-condition",
    "while-condition": "while-condition",
    "switch-condition": "switch-condition",
    "playbook-action": "playbook-action",
}
_IDENTIFIER = re.compile(
    r"[a-z][a-z0-9-]+[a-z0-9]--[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}"
    r"-[0-9a-fA-F]{12}"
)


def identifier(kind: str, name: str) -> str:
    """Return a CACAO identifier that is always the same for a name.

    >>> identifier("group", "duty") == identifier("group", "duty")
    True
    """
    return f"{kind}--{uuid5(_NAMESPACE, f'{kind}/{name}')}"


def is_identifier(text: str) -> bool:
    """Return whether a text is a CACAO identifier already."""
    return _IDENTIFIER.fullmatch(text) is not None


def builtins_of(value: Any) -> Any:  # noqa: ANN401 - any part of a plan
    """Return a part of a plan as YAML and JSON write it, without what is left at its default."""
    if isinstance(value, msgspec.Struct):
        kept: dict[str, Any] = {}
        tag = value.__struct_config__.tag
        if tag is not None:
            kept[str(value.__struct_config__.tag_field)] = tag
        for field in msgspec.structs.fields(value):
            content = getattr(value, field.name)
            default = field.default_factory() if callable(field.default_factory) else field.default
            if content != default or field.required:
                kept[field.encode_name] = builtins_of(content)
        return kept
    if isinstance(value, timedelta):
        return yaml_marks.format_duration(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: builtins_of(item) for key, item in value.items()}
    return [builtins_of(item) for item in value] if isinstance(value, list | tuple) else value


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - the library's signature
        return True


def to_yaml(plan: Mapping[str, Any]) -> str:
    """Return a plan's YAML, in the graph form."""
    return yaml.dump(dict(plan), Dumper=_Plain, allow_unicode=True, sort_keys=False, width=110)


_SIMPLE = re.compile(
    r"(?P<root>vars|incident)\.(?P<name>[A-Za-z_]\w*)\s*(?:(?P<sign>==|!=|<=|>=|<|>)\s*(?P<constant>'[^'\\]*'|-?\d+"
    r"(?:\.\d+)?|true|false))?"
)


@lru_cache(maxsize=1024)
def condition_out(condition: str) -> str:
    """Return a condition as CACAO writes it; CEL that STIX cannot say stays as it is.

    >>> condition_out("vars.finding == 'private'")
    "__finding__:value = 'private'"
    >>> condition_out("stix: __n__:value > 3")
    '__n__:value > 3'
    """
    if condition.startswith("stix:"):
        return condition.removeprefix("stix:").strip()
    found = _SIMPLE.fullmatch(condition.strip())
    if found is None:
        return condition
    name = f"__{found['name']}__:value" if found["root"] == "vars" else f"incident:{found['name']}"
    sign = {"==": "=", None: "="}.get(found["sign"], found["sign"])
    return f"{name} {sign} {found['constant'] or 'true'}"


def original_of(unknown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the CACAO object that a part of a plan came from; empty where it came from none."""
    text = unknown.get(ORIGINAL)
    if not isinstance(text, str):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def without_originals(plan: Plan) -> Plan:
    """Return a plan without what is kept of the playbook it came from."""
    steps = {name: replace(step, unknown={}) for name, step in plan.steps.items()}
    return replace(plan, unknown={}, steps=steps)
