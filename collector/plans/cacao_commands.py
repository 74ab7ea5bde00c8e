"""What the commands of a CACAO action become: a request of ours, else a person's step with their text."""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from .openc2 import media_of

MAX_COMMAND = 4_000
_NAME = re.compile(r"__([A-Za-z_][\w-]*?)__(?::value)?")
_PEOPLE = {"group", "individual", "organization", "sector", "location"}
_PLAIN_HEADERS = {"content-type", "content-length", "host", "accept"}
# What an OpenC2 request carries besides (Specification for Transfer of OpenC2 Messages via HTTPS).
_OPENC2_HEADERS = {*_PLAIN_HEADERS, "date", "x-request-id", "x-correlation-id"}


def variable_name(name: str) -> str:
    """Return our name of a CACAO variable.

    >>> variable_name("__source-ip__"), variable_name("__ip__:value")
    ('source_ip', 'ip')
    """
    found = _NAME.fullmatch(name)
    return (found[1] if found else name).replace("-", "_")[:63]


def filled(text: str) -> str:
    """Return a text with our places for CACAO's variables.

    >>> filled("block __ip__:value")
    'block {vars.ip}'
    """
    return re.sub(r"__([A-Za-z_][\w-]*?)__:value", lambda found: f"{{vars.{variable_name(found[0])}}}", text)


def action_of(
    step: Mapping[str, Any], document: Mapping[str, Any], declare: Callable[[str], str]
) -> dict[str, Any]:
    """Return what an action's commands become, as a plan's YAML says it.

    Args:
        step: The action.
        document: Its playbook, for agents and targets.
        declare: Returns a variable's type, and declares one that is not.
    """
    commands = [each for each in _list(step.get("commands")) if isinstance(each, dict)]
    if len(commands) == 1 and not step.get("out_args"):
        request = _request(commands[0], step, document)
        if request is not None:
            return request
    told = "\n\n".join(_told(each) for each in commands) or "(no command)"
    involved = _involved(step, document)
    manual: dict[str, Any] = {"kind": "manual"}
    if len(commands) == 1 and commands[0].get("type") == "manual":
        words = [str(step.get("description") or ""), _body(commands[0]), involved]
        manual["text"] = _both(_cut("\n\n".join(word for word in words if word)))
    else:
        manual["command"] = _cut("\n\n".join(word for word in (told, involved) if word))
    names = [variable_name(str(each)) for each in _list(step.get("out_args"))]
    if names:
        manual["form"] = {name: {"title": _both(name), "type": _field_type(declare(name))} for name in names}
        manual["out"] = {name: name for name in names}
    return manual


def _request(
    command: Mapping[str, Any], step: Mapping[str, Any], document: Mapping[str, Any]
) -> dict[str, Any] | None:
    """A POST of JSON or OpenC2 to one address, without credentials; everything else is for a person."""
    targets = [_defined(document, "target_definitions", each) for each in _list(step.get("targets"))]
    line = re.fullmatch(r"POST\s+(\S+)(?:\s+HTTP/[\d.]+)?", str(command.get("command", "")).strip())
    headers = command.get("headers")
    plain = {"http-api": _PLAIN_HEADERS, "openc2-http": _OPENC2_HEADERS}.get(str(command.get("type")))
    strange = isinstance(headers, dict) and {name.lower() for name in headers} - (plain or set())
    if plain is None or line is None or len(targets) != 1 or strange:
        return None
    target = targets[0]
    address = target.get("address")
    if target.get("type") != "http-api" or target.get("authentication_info") or not isinstance(address, dict):
        return None
    origin = _origin(address, target.get("port"))
    try:
        body = json.loads(_content(command) or "{}")
    except (ValueError, RecursionError):
        return None
    if origin is None or not isinstance(body, dict):
        return None
    if command["type"] == "openc2-http" and media_of(body) is None:
        return None
    path = line[1] if line[1].startswith("/") else f"/{line[1]}"
    return {"kind": "http_request", "url": filled(origin + path), "body": _filled_body(body)}


def _origin(address: Mapping[str, Any], port: object) -> str | None:
    for kind in ("url", "dname", "ipv4"):
        values = _list(address.get(kind))
        if len(values) == 1:
            if kind == "url":
                return str(values[0]).rstrip("/")
            scheme, usual = ("http", "80") if str(port) == "80" else ("https", "443")
            return f"{scheme}://{values[0]}" + (f":{port}" if port and str(port) != usual else "")
    return None


def _filled_body(value: Any) -> Any:  # noqa: ANN401 - foreign JSON
    if isinstance(value, dict):
        return {name: _filled_body(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled_body(item) for item in value]
    return filled(value) if isinstance(value, str) else value


def _told(command: Mapping[str, Any]) -> str:
    return f"[{command.get('type', '?')}] {_body(command)}"


def _body(command: Mapping[str, Any]) -> str:
    """All that a command says, its base64 made readable."""
    words = [str(command["command"])] if command.get("command") else []
    words += [text for field in ("command_b64", "content_b64") if (text := _decoded(command.get(field)))]
    if isinstance(command.get("content"), str):
        words.append(str(command["content"]))
    rest = {
        name: value
        for name, value in command.items()
        if name not in {"type", "command", "command_b64", "content", "content_b64"}
    }
    if rest:
        words.append(json.dumps(rest, ensure_ascii=False))
    return filled("\n".join(words)) or "(no text)"


def _content(command: Mapping[str, Any]) -> str:
    return str(command.get("content") or _decoded(command.get("content_b64")))


def _decoded(encoded: object) -> str:
    if not isinstance(encoded, str) or not encoded:
        return ""
    try:
        return b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return encoded


def _involved(step: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """Who acts, and on what; a person must know both."""
    agents = [_title(document, "agent_definitions", each) for each in _list(step.get("agent"))]
    targets = [_title(document, "target_definitions", each) for each in _list(step.get("targets"))]
    lines = [f"执行 agent: {name}" for name in agents] + [f"对象 target: {name}" for name in targets]
    return filled("\n".join(lines))


def _title(document: Mapping[str, Any], field: str, name: object) -> str:
    defined = _defined(document, field, name)
    address = defined.get("address")
    where = f" {json.dumps(address, ensure_ascii=False)}" if address else ""
    return (
        f"{defined.get('name', name)}{where}"
        if str(defined.get("type")) not in _PEOPLE
        else str(defined.get("name", name))
    )


def _defined(document: Mapping[str, Any], field: str, name: object) -> Mapping[str, Any]:
    definitions = document.get(field)
    found = definitions.get(name) if isinstance(definitions, dict) and isinstance(name, str) else None
    return found if isinstance(found, dict) else {}


def _field_type(kind: str) -> str:
    return kind if kind in {"text", "number", "bool", "time"} else "text"


def _both(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def _cut(text: str) -> str:
    return text if len(text) <= MAX_COMMAND else f"{text[: MAX_COMMAND - 60]}… ({len(text)} characters)"


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
