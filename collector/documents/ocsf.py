"""The incident as an OCSF Incident Finding (class 2005, schema 1.8.0), for a SIEM (pure)."""

from datetime import datetime
from typing import Any

from ..drills import marked
from ..statement import Statement
from .material import Material, instant, reports
from .phrases import level_name

SCHEMA = "1.8.0"
_CLASS, _CATEGORY = 2005, 2
_STATES = {
    "open": (1, "New"),
    "acknowledged": (2, "In Progress"),
    "contained": (2, "In Progress"),
    "handled": (4, "Resolved"),
    "closed": (5, "Closed"),
}
_SEVERITIES = {
    None: (0, "Unknown"),
    "IV": (2, "Low"),
    "III": (3, "Medium"),
    "II": (4, "High"),
    "I": (5, "Critical"),
}
_ACTIVITIES = {1: "Create", 2: "Update", 3: "Close"}


def ocsf(material: Material, said: Statement, language: str) -> dict[str, Any]:
    """Return the event.

    Args:
        material: The incident.
        said: What the report says.
        language: Of title and description.
    """
    row = material.incident
    activity = 3 if row.state == "closed" else 1 if row.state == "open" and row.version <= 1 else 2
    status, status_name = _STATES[row.state]
    severity, severity_name = _SEVERITIES[row.level]
    title = (row.title if language == "zh" else row.title_en) or row.title or row.title_en
    title = marked(title, language, drill=row.drill)
    offset = row.updated_at.astimezone(material.zone).utcoffset()
    finding: dict[str, Any] = {
        "uid": row.id,
        "title": title,
        "types": [row.klass],
        "created_time": _millis(row.opened_at),
        "modified_time": _millis(row.updated_at),
        "first_seen_time": _millis(row.first_seen),
        "last_seen_time": _millis(row.last_seen),
        "desc": material.kind.in_language(language),
        "related_events_count": row.count,
    }
    if kept := [source.report for source in reports(row) if source.report]:
        finding["related_events"] = [{"uid": report} for report in kept]
    return {
        "activity_id": activity,
        "activity_name": _ACTIVITIES[activity],
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Incident Finding",
        "type_uid": _CLASS * 100 + activity,
        "type_name": f"Incident Finding: {_ACTIVITIES[activity]}",
        "time": _millis(row.updated_at),
        "timezone_offset": int(offset.total_seconds() // 60) if offset else 0,
        "start_time": _millis(instant(row.times.get("occurred")) or row.first_seen),
        "severity_id": severity,
        "severity": severity_name,
        "status_id": status,
        "status": status_name,
        "count": row.count,
        "message": title,
        "desc": "\n".join(filter(None, (item.text(language) for item in said.items))),
        "assignee_group": {"uid": row.unit, "name": material.unit.name if material.unit else row.unit},
        "metadata": {
            "version": SCHEMA,
            "uid": row.id,
            **({"labels": ["drill"]} if row.drill else {}),
            "product": {"name": "Fengsui", "vendor_name": "Fengsui", "lang": language},
        },
        "finding_info_list": [finding],
        "unmapped": {"fengsui": _extension(material, said)},
    }


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _extension(material: Material, said: Statement) -> dict[str, Any]:
    row = material.incident
    return {
        "class": row.klass,
        "drill": row.drill,
        "level": row.level,
        "level_name": level_name(row.level).en,
        "level_by": row.level_by,
        "reasons": row.reasons,
        "unit": row.unit,
        "asset": row.asset,
        "obligation": said.obligation,
        "obligations": [
            {
                "id": clock.obligation,
                "recipient": clock.recipient,
                "state": clock.state,
                "due_at": clock.due_at.isoformat() if clock.due_at else None,
                "met_at": clock.met_at.isoformat() if clock.met_at else None,
            }
            for clock in material.clocks
        ],
        "sources": [
            {"item": item.number, "of": source.of, "report": source.report, "journal": source.journal}
            for item in said.items
            for source in item.sources
        ],
    }
