"""What the collector knows for each topic that a law's item may be about, and what is open (pure)."""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from wire.vocabulary import GRADES, ZONES

from ..regimes.model import Topic
from ..regimes.words import cited
from ..registry import Asset
from ..statement import Ransom, Source, Words
from .material import DEEDS, Material, ended, instant, reports
from .phrases import harm, level_name, stamp

_MOVED: Mapping[str, Words] = {
    "acknowledged": Words("已确认", "acknowledged"),
    "contained": Words("已控制", "contained"),
    "handled": Words("处置完毕", "handled"),
    "closed": Words("已关闭", "closed"),
}
_TIMES: Mapping[str, Words] = {
    "occurred": Words("发生时间", "Occurred"),
    "detected": Words("发现时间", "Detected"),
    "aware": Words("知悉时间", "Aware"),
}
_LEADS: Mapping[str, Words] = {
    "source_address": Words("来源地址", "source address"),
    "target_address": Words("目标地址", "target address"),
    "exit": Words("网络出口", "way out"),
    "process": Words("进程", "process"),
    "user": Words("账户", "account"),
}
_ROLES: Mapping[str, Words] = {
    "portal": Words("门户网站", "portal"),
    "news_site": Words("新闻网站", "news site"),
    "platform": Words("网络平台", "platform"),
    "business_system": Words("业务系统", "business system"),
    "network": Words("网络", "network"),
    "data": Words("数据资源", "data"),
    "product": Words("产品", "product"),
}
_KEPT = 20
_OVER = frozenset({"handled", "closed"})


class Known(Struct, frozen=True, kw_only=True):
    """What a topic has to say."""

    lines: tuple[Words, ...] = ()
    open: tuple[Words, ...] = ()
    sources: tuple[Source, ...] = ()


def known(topic: Topic, material: Material, ransom: Ransom | None) -> Known:
    """Return what is known of a topic."""
    return _TOPICS[topic](material, ransom)


def _unit(material: Material, _: Ransom | None) -> Known:
    unit, incident = material.unit, material.incident
    name = Words(unit.name, unit.name_en or unit.name) if unit else Words(incident.unit, incident.unit)
    lines = [Words(f"单位：{name.zh}", f"Unit: {name.en}")]
    sources = [material.registered(f"unit.{incident.unit}")]
    if material.asset is None:
        missing = (Words("涉事系统未在登记册中", "the system concerned is not in the register"),)
        return Known(lines=tuple(lines), open=missing, sources=tuple(sources))
    lines += _system(material.asset)
    if material.operator:
        lines.append(Words(f"运行单位：{material.operator.name}", f"Run by: {material.operator.name}"))
    return Known(lines=tuple(lines), sources=(*sources, material.registered(f"asset.{material.asset.id}")))


def _system(asset: Asset) -> Iterator[Words]:
    role = _ROLES.get(asset.role or "", Words("", ""))
    zh, en = (f"（{role.zh}）", f" ({role.en})") if role.zh else ("", "")
    yield Words(f"系统：{asset.name}{zh}", f"System: {asset.name}{en}")
    grade = GRADES.get(asset.mlps_grade or 0)
    number_zh, number_en = asset.filing_number or "未登记", asset.filing_number or "not registered"
    if grade:
        yield Words(
            f"网络安全等级保护：{grade.zh}，备案编号：{number_zh}",
            f"Protection grade: {grade.en}; filing number: {number_en}",
        )
    zone = ZONES.get(asset.zone) if asset.zone else None
    if zone:
        yield Words(f"网络区域：{zone.zh}", f"Network: {zone.en}")
    cii = Words("是", "yes") if asset.cii else Words("否", "no")
    yield Words(f"关键信息基础设施：{cii.zh}", f"Critical information infrastructure: {cii.en}")


def _event(material: Material, _: Ransom | None) -> Known:
    incident = material.incident
    lines = [
        Words(
            f"事件：{incident.title or incident.title_en}", f"Incident: {incident.title_en or incident.title}"
        )
    ]
    lines += _when(material)
    sources = [material.source("times", name) for name in _TIMES if incident.times.get(name)]
    lines += _where(material)
    lines.append(
        Words(
            f"类型：{material.kind.zh}（GB/T 20986—2023 {incident.klass}）",
            f"Type: {material.kind.en} (GB/T 20986-2023 {incident.klass})",
        )
    )
    level = level_name(incident.level)
    lines.append(Words(f"级别：{level.zh}", f"Level: {level.en}"))
    lines += _reasons(material)
    lines.append(
        Words(f"相关报告：{incident.count} 次", f"Reports of it: {incident.count}"),
    )
    graded = next((row for row in reversed(material.journal) if row.action == "incident.graded"), None)
    if graded:
        sources.append(Source(of="level", by=graded.actor, journal=graded.id, at=graded.at))
    missing = [] if incident.times.get("occurred") else [Words("发生时间", "when it occurred")]
    missing += [] if incident.level else [Words("事件定级", "the level")]
    return Known(lines=tuple(lines), open=tuple(missing), sources=(*sources, *reports(incident)))


def _when(material: Material) -> Iterator[Words]:
    for name, words in _TIMES.items():
        said = _time(material.incident.times.get(name), material)
        if said:
            yield Words(f"{words.zh}：{said.zh}", f"{words.en}: {said.en}")


def _time(value: object, material: Material) -> Words | None:
    at = instant(value)
    return stamp(at, material.zone) if at else None


def _where(material: Material) -> Iterator[Words]:
    if material.unit is None and material.host is None:
        return
    region = material.unit.region if material.unit else ""
    host = f"，主机 {material.host}" if material.host else ""
    host_en = f", host {material.host}" if material.host else ""
    name = material.unit.name if material.unit else material.incident.unit
    name_en = material.unit.name_en or name if material.unit else name
    yield Words(f"地点：{name}（{region}）{host}", f"Place: {name_en} ({region}){host_en}")


def _reasons(material: Material) -> Iterator[Words]:
    for reason in material.incident.reasons:
        checked = reason.get("verified")
        zh = "已核对原文" if checked else "依据未核对原文，待确认"
        en = "read in the official text" if checked else "not read in the official text"
        said = str(reason.get("text") or reason.get("criterion"))
        text = material.criteria.get(str(reason.get("criterion")), Words(said, said))
        source = str(reason.get("source", ""))
        yield Words(
            f"定级依据：{text.zh}（{cited(source, 'zh')}；{zh}）", f"Because: {text.en} ({source}; {en})"
        )


def _effect(material: Material, _: Ransom | None) -> Known:
    lines: list[Words] = []
    sources: list[Source] = []
    for name, value in material.incident.facts.items():
        said = harm(name, value, material.zone)
        if said:
            lines.append(said)
            sources.append(material.source("facts", name))
    missing = () if lines else (Words("已造成的影响和危害", "effect and harm so far"),)
    return Known(lines=tuple(lines), open=missing, sources=tuple(sources))


def _measures(material: Material, _: Ransom | None) -> Known:
    lines: list[Words] = []
    sources: list[Source] = []
    for one in ended(material.measures):
        assert one.ended_at is not None  # noqa: S101 - `ended` returns no other
        at = stamp(one.ended_at, material.zone)
        lines.append(Words(f"{at.zh} {one.title.zh}", f"{at.en} {one.title.en}"))
        sources.append(Source(of=f"step.{one.run}/{one.step}", by=one.actor or "system", at=one.ended_at))
    for row in material.journal:
        to = row.detail.get("to")
        if row.action == "incident.moved" and isinstance(to, str) and to in _MOVED:
            at, words = stamp(row.at, material.zone), _MOVED[to]
            lines.append(Words(f"{at.zh} 事件状态：{words.zh}", f"{at.en} incident {words.en}"))
            sources.append(Source(of=f"state.{to}", by=row.actor, journal=row.id, at=row.at))
    missing = () if lines else (Words("已采取的措施及效果", "measures taken and their effect"),)
    return Known(lines=tuple(lines), open=missing, sources=tuple(sources))


def _ransom(material: Material, ransom: Ransom | None) -> Known:
    if not material.ransomware:
        return Known()
    said = ransom or Ransom()
    asked = (
        (said.amount, Words("赎金金额", "amount of the ransom")),
        (said.means, Words("赎金支付方式", "means of payment of the ransom")),
        (said.demanded, Words("要求支付赎金的日期", "date of the ransom")),
    )
    return Known(
        lines=tuple(Words(f"{words.zh}：{text}", f"{words.en}: {text}") for text, words in asked if text),
        open=tuple(words for text, words in asked if not text),
    )


def _trend(material: Material, _: Ransom | None) -> Known:
    rise = material.incident.next_level
    lines: tuple[Words, ...] = ()
    if material.incident.state in _OVER:
        return Known(
            lines=(Words("事件已处置完毕，不再发展。", "The incident is handled and goes no further."),)
        )
    if rise:
        at, level = _time(rise.get("at"), material), level_name(rise.get("level"))
        if at:
            zh = f"如不消除，{at.zh} 将达到 {level.zh}（{rise.get('criterion')}）"
            en = f"Unless it ends it becomes {level.en} at {at.en} ({rise.get('criterion')})"
            lines = (Words(zh, en),)
    judged = Words("发展趋势和可能的进一步危害的研判", "a judgement of the trend and of further harm")
    return Known(lines=lines, open=(judged,))


def _cause(material: Material, _: Ransom | None) -> Known:
    del material
    return Known(open=(Words("原因初步分析意见", "a first view of the cause"),))


def _leads(material: Material, _: Ransom | None) -> Known:
    found: dict[str, Words] = {}
    for item in material.incident.evidence:
        inner = item.get("items")
        details = [
            item,
            *(one for one in (inner if isinstance(inner, list) else []) if isinstance(one, dict)),
        ]
        for detail in details:
            for name, words in _LEADS.items():
                if isinstance(value := detail.get(name), str | int) and value != "":
                    found[f"{name}={value}"] = Words(f"{words.zh}：{value}", f"{words.en}: {value}")
    lines = tuple(found.values())[:_KEPT]
    missing = () if lines else (Words("溯源线索", "leads for tracing"),)
    return Known(lines=lines, open=missing, sources=reports(material.incident) if lines else ())


def _plans(material: Material, _: Ransom | None) -> Known:
    waiting = [one for one in material.measures if one.state in {"ready", "waiting"} and one.kind in DEEDS]
    lines = [Words(f"正在进行：{one.title.zh}", f"In hand: {one.title.en}") for one in waiting]
    sources = tuple(Source(of=f"step.{one.run}/{one.step}", by="system") for one in waiting)
    if not lines and material.incident.state not in _OVER:
        return Known(open=(Words("拟进一步采取的措施和请求支援事项", "measures planned and help requested"),))
    lines.append(Words("请求支援：截至报送时未提出", "Help requested: none at the time of this report"))
    return Known(lines=tuple(lines), sources=sources)


def _scene(material: Material, _: Ransom | None) -> Known:
    kept = reports(material.incident)
    if not kept:
        return Known(open=(Words("现场保护和记录保存情况", "how scene and records are preserved"),))
    last = material.journal[-1] if material.journal else None
    lines = [
        Words(
            f"采集端保存原始报告 {len(kept)} 份：{'、'.join(one.report or '' for one in kept)}",
            f"{len(kept)} original reports kept: {', '.join(one.report or '' for one in kept)}",
        )
    ]
    if last:
        lines.append(
            Words(
                f"处置时间线 {len(material.journal)} 条，哈希链末条 SHA-256 {last.hash}",
                f"timeline of {len(material.journal)} entries, SHA-256 of the last link {last.hash}",
            )
        )
        return Known(
            lines=tuple(lines),
            sources=(*kept, Source(of="journal", by="system", journal=last.id, at=last.at)),
        )
    return Known(lines=tuple(lines), sources=kept)


def _rest(material: Material, _: Ransom | None) -> Known:
    del material
    return Known(lines=(Words("截至报送时无其他情况。", "Nothing else at the time of this report."),))


_TOPICS: Mapping[Topic, Callable[[Material, Ransom | None], Known]] = {
    "unit": _unit,
    "event": _event,
    "effect": _effect,
    "measures": _measures,
    "ransom": _ransom,
    "trend": _trend,
    "cause": _cause,
    "leads": _leads,
    "plans": _plans,
    "scene": _scene,
    "rest": _rest,
}
