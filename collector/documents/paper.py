"""What is printed: a report in one language as plain values that a template sets out (pure)."""

import re
from typing import Any

from ..drills import MARK, marked
from ..regimes.words import RECIPIENTS, cited
from ..statement import Item, Statement, Words
from ..store.clocks import Clock
from .material import Material, instant
from .phrases import level_name, stamp

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\uffff]"
)
_LABELS: dict[str, Words] = {
    "title": Words("网络安全事件报告", "Cybersecurity incident report"),
    "unit": Words("报告单位", "Reporting unit"),
    "recipient": Words("受理机关", "To"),
    "stage": Words("报告类型", "Kind of report"),
    "law": Words("报告依据", "Under"),
    "level": Words("事件级别", "Level"),
    "kind": Words("事件类型", "Type"),
    "aware": Words("知悉时间", "Aware"),
    "due": Words("报告时限", "Due"),
    "filed": Words("报送时间", "Filed"),
    "number": Words("受理编号", "Receipt number"),
    "contact": Words("联系人", "Contact"),
    "incident": Words("事件编号", "Incident"),
    "as_of": Words("数据截至", "As of"),
    "open": Words("待补：", "Open: "),
    "sources": Words("数据来源", "Sources"),
    "signature": Words("负责人签字：            （单位盖章）", "Signature:            (seal)"),
}


def paper(material: Material, clock: Clock, said: Statement, language: str) -> dict[str, Any]:
    """Return what a template sets out: `title`, `mark`, `rows`, `items_`, `sources`, `signature`.

    `mark` is empty but for a drill; then every page bears it.

    Every value is text that the template must not read as markup.
    """
    page = _page(material, clock, said, language)
    return {name: _plain(value) for name, value in page.items()}


def _page(material: Material, clock: Clock, said: Statement, language: str) -> dict[str, Any]:
    rows = [(label.in_language(language), value) for label, value in _rows(material, clock, said, language)]
    return {
        "language": language,
        "tag": "zh" if language == "zh" else "en",
        "mark": MARK.in_language(language).strip() if material.incident.drill else "",
        "title": marked(_LABELS["title"].in_language(language), language, drill=material.incident.drill),
        "rows": [{"label": label, "value": value} for label, value in rows if value],
        "items_": [_item(item, language) for item in said.items],
        "sources_title": _LABELS["sources"].in_language(language),
        "sources": [
            f"{item.number}: {source.of} · {source.by}"
            + (f" · report {source.report}" if source.report else "")
            + (f" · journal {source.journal}" if source.journal else "")
            for item in said.items
            for source in item.sources
        ],
        "signature": _LABELS["signature"].in_language(language),
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - text in lists and mappings
    """Return it with what no paper can show, or what would turn its text around, written out as escapes."""
    if isinstance(value, str):
        return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return {name: _plain(each) for name, each in value.items()} if isinstance(value, dict) else value


def _rows(material: Material, clock: Clock, said: Statement, language: str) -> list[tuple[Words, str]]:
    row, unit = material.incident, material.unit
    filing = next((one for one in material.filings if one.clock == clock.id), None)
    aware = instant(row.times.get("aware"))
    to = RECIPIENTS.get(clock.recipient)
    name = Words(unit.name, unit.name_en or unit.name) if unit else Words(row.unit, row.unit)
    number = (filing.receipt or {}).get("number") if filing else None
    found = {
        "unit": name.in_language(language),
        "recipient": to.in_language(language) if to else clock.recipient,
        "stage": said.name.in_language(language),
        "law": f"{said.law.in_language(language)} {cited(said.source, language)}",
        "level": level_name(said.level).in_language(language),
        "kind": f"{material.kind.in_language(language)} ({row.klass})",
        "aware": stamp(aware, material.zone).in_language(language) if aware else "",
        "due": stamp(clock.due_at, material.zone).in_language(language) if clock.due_at else "",
        "filed": (
            stamp(filing.filed_at, material.zone).in_language(language) if filing and filing.filed_at else ""
        ),
        "number": str(number or ""),
        "contact": material.contact.name if material.contact else "",
        "incident": row.id,
        "as_of": stamp(row.updated_at, material.zone).in_language(language),
    }
    return [(_LABELS[key], value) for key, value in found.items()]


def _item(item: Item, language: str) -> dict[str, Any]:
    missing = (
        ("、" if language == "zh" else ", ").join(words.in_language(language) for words in item.open)
        if item.is_open
        else ""
    )
    return {
        "heading": item.heading.in_language(language),
        "lines": [line for line in item.text(language).split("\n") if line.strip()],
        "open": f"{_LABELS['open'].in_language(language)}{missing}" if missing else "",
    }
