"""The incident as JSON IODEF (RFC 8727; names and values of RFC 7970), for an authority's machine (pure).

Held against the RFC's own schema (appendix B) in tests/collector/documents/iodef-schema.json.
"""

from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from ..statement import Statement, Words
from .material import Material, instant
from .phrases import level_name

_STATUS = {
    "open": "new",
    "acknowledged": "in-progress",
    "contained": "in-progress",
    "handled": "resolved",
    "closed": "resolved",
}
_SEVERITY = {"IV": "low", "III": "medium", "II": "high", "I": "high"}
_DRILL = Words(
    "【演练】本报告仅用于应急演练，不是真实事件。",
    "[DRILL] This report is of a drill and of no real incident.",
)
_TAGS = {"zh": "zh-CN", "en": "en"}


def iodef(material: Material, said: Statement, language: str) -> dict[str, Any]:
    """Return the document.

    Args:
        material: The incident.
        said: What the report says; each item is a description of its own.
        language: `zh` or `en`.
    """
    row, tag = material.incident, _TAGS.get(language, "en")
    times = {
        "DetectTime": instant(row.times.get("detected")),
        "StartTime": instant(row.times.get("occurred")),
        "EndTime": instant(row.times.get("contained")),
        "RecoveryTime": instant(row.times.get("handled")),
        "ReportTime": instant(row.times.get("aware")),
    }
    incident: dict[str, Any] = {
        **({"purpose": "ext-value", "ext-purpose": "drill"} if row.drill else {"purpose": "reporting"}),
        "status": _STATUS[row.state],
        "lang": tag,
        "restriction": "private",
        "IncidentID": {"id": row.id, "name": row.unit},
        **{name: _time(at, material) for name, at in times.items() if at},
        "GenerationTime": _time(row.updated_at, material),
        "Description": [
            *([_DRILL.in_language(language)] if row.drill else []),
            *(text for item in said.items if (text := _description(item, language))),
        ],
        "Assessment": [_assessment(material, language)],
        "Contact": [_contact(material, language)],
    }
    event: dict[str, Any] = {}
    if material.asset:  # a System needs an address or a domain, which not every asset has
        event["Description"] = [material.asset.name]
    if systems := list(_systems(material)):
        event["System"] = systems
    if event:
        incident["EventData"] = [event]
    if history := list(_history(material)):
        incident["History"] = {"HistoryItem": history}
    incident["AdditionalData"] = list(_extensions(material, said))
    return {"version": "2.0", "lang": tag, "Incident": [incident]}


def _time(at: datetime, material: Material) -> str:
    return at.astimezone(material.zone).isoformat(timespec="seconds")


def _description(item: Any, language: str) -> str:  # noqa: ANN401 - an Item of any statement
    text = item.text(language)
    return f"{item.heading.in_language(language)}\n{text}" if text else ""


def _assessment(material: Material, language: str) -> dict[str, Any]:
    row, level = material.incident, level_name(material.incident.level)
    name = f"{row.klass} {material.kind.in_language(language)}"
    impact: dict[str, Any] = {
        "type": "ext-value",
        "ext-type": row.klass,
        "Description": [level.in_language(language)],
    }
    if row.level:
        impact["severity"] = _SEVERITY[row.level]
    impacts: list[dict[str, Any]] = [{"SystemImpact": impact}]
    loss = row.facts.get("loss_yuan")
    if isinstance(loss, int) and not isinstance(loss, bool) and loss > 0:
        impacts.append({"MonetaryImpact": {"value": float(loss), "currency": "CNY"}})
    return {"occurrence": "actual", "IncidentCategory": [name], "Impact": impacts}


def _contact(material: Material, language: str) -> dict[str, Any]:
    unit = material.unit
    name = Words(unit.name, unit.name_en or unit.name) if unit else Words(material.incident.unit, "")
    contact: dict[str, Any] = {
        "role": "reporter",
        "type": "organization",
        "ContactName": [name.in_language(language) or name.zh],
    }
    if material.contact:
        contact["Contact"] = [
            {"role": "irt", "type": "person", "ContactName": [material.contact.name]},
        ]
    return contact


def _systems(material: Material) -> Iterator[dict[str, Any]]:
    seen: set[tuple[str, str]] = set()
    for item in material.incident.evidence:
        for category, name in (("source", "source_address"), ("target", "target_address")):
            address = item.get(name)
            if not isinstance(address, str) or (category, address) in seen:
                continue
            try:
                version = ip_address(address.partition("%")[0]).version
            except ValueError:
                continue
            seen.add((category, address))
            node = {"Address": [{"value": address, "category": f"ipv{version}-addr"}]}
            yield {"category": category, "Node": node}


def _history(material: Material) -> Iterator[dict[str, Any]]:
    for row in material.journal:
        if row.action.startswith(("incident.", "filing.", "run.")):
            action = "status-triage" if row.action == "incident.graded" else "status-new-info"
            text = f"{row.action} ({row.actor})"
            yield {"action": action, "DateTime": _time(row.at, material), "Description": [text]}


def _extensions(material: Material, said: Statement) -> Iterator[dict[str, str]]:
    row = material.incident
    told = {
        "level": row.level or "",
        "level_by": row.level_by or "",
        "obligation": said.obligation,
        "class": row.klass,
        "drill": "true" if row.drill else "",
        "sources": "\n".join(
            f"{item.number} {source.of} {source.by} {source.report or '-'} {source.journal or '-'}"
            for item in said.items
            for source in item.sources
        ),
    }
    for name, value in told.items():
        if value:
            yield {"name": f"fengsui.{name}", "dtype": "string", "value": value}
