"""openapi.json, made from the route table and the structs themselves, so that it cannot say another thing."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from ..desk.problem import STATUS, TITLES, Kind
from .endpoint import Endpoint, File
from .problem import MEDIA_TYPE, Problem

_REFERENCE = "#/components/schemas/{name}"
_GENERIC = re.compile(r"Listed_(\w+?)(?:Row)?_\b")
_BYTES: dict[str, Any] = {}
"""Schema of a file: no JSON at all (OpenAPI 3.1, 4.8.14.4)."""
_EVERYWHERE: tuple[Kind, ...] = ("malformed", "busy")
_GUARDED: tuple[Kind, ...] = ("unauthenticated", "forbidden")


def describe(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these routes."""
    types = [endpoint.answer for endpoint in endpoints if endpoint.answer is not File]
    types += [endpoint.body for endpoint in endpoints if endpoint.body]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=_REFERENCE)
    answers = dict(zip(map(str, types), schemas, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.template, {})[endpoint.method.lower()] = _operation(endpoint, answers)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Fengsui collector",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Lists are paged by `cursor`; problems are RFC 9457 documents; times are UTC.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": [], "csrf": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "fengsui_session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    }
    return _plainly_named(document)


def _operation(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint.query)],
        "responses": {
            "200": {
                "description": endpoint.summary,
                "content": {endpoint.media: {"schema": schemas.get(str(endpoint.answer), _BYTES)}},
            },
            **dict(_problems(endpoint)),
        },
    }
    if endpoint.deed is None:
        operation["security"] = []
    if endpoint.upload:
        file = {"application/octet-stream": {"schema": {"maxLength": endpoint.upload}}}
        operation["requestBody"] = {"required": True, "content": file}
    if endpoint.body is not None:
        content = {"application/json": {"schema": schemas[str(endpoint.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    for name in endpoint.parameters:
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 200}}


def _query_parameters(query: type[Struct]) -> Iterator[dict[str, Any]]:
    schema = msgspec.json.schema(query)["$defs"][query.__name__]
    for name, kind in schema["properties"].items():
        yield {"name": name, "in": "query", "required": False, "schema": kind}


def _problems(endpoint: Endpoint) -> Iterator[tuple[str, dict[str, Any]]]:
    kinds = (*_EVERYWHERE, *(_GUARDED if endpoint.deed else ()), *endpoint.problems)
    if endpoint.body is not None or endpoint.upload:
        kinds = (*kinds, "too-large")
    for kind in dict.fromkeys(kinds):
        schema = {"$ref": _REFERENCE.format(name="Problem")}
        yield (
            str(STATUS[kind]),
            {
                "description": TITLES[kind],
                "content": {MEDIA_TYPE: {"schema": schema}},
            },
        )


def _plainly_named(document: dict[str, Any]) -> dict[str, Any]:
    text = msgspec.json.encode(document).decode()
    text = _GENERIC.sub(r"\1List", text)
    renamed: dict[str, Any] = msgspec.json.decode(re.sub(r"\b(\w+)Row\b", r"\1", text))
    return renamed
