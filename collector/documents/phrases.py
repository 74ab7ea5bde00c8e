"""Facts and times as sentences of a report, in both languages (pure)."""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from wire.vocabulary import LEVELS

from ..statement import Words
from .material import instant

_GOING_ON: dict[str, Words] = {
    "portal_down": Words("门户网站无法访问", "portal unreachable"),
    "cii_whole_down": Words("关键信息基础设施整体中断", "critical infrastructure interrupted as a whole"),
    "cii_main_down": Words(
        "关键信息基础设施主要功能中断", "main functions of critical infrastructure interrupted"
    ),
    "homepage_tampered": Words("网站首页被篡改", "home page tampered with"),
    "page_tampered": Words("其他页面被篡改", "other pages tampered with"),
}
_COUNTED: dict[str, Words] = {
    "reposts": Words("社交平台转发 {} 次", "{} reposts on social platforms"),
    "views": Words("浏览、点击 {} 次", "{} views or clicks"),
    "people_affected": Words("受影响人数 {} 人", "{} people affected"),
    "personal_records": Words("涉及个人信息 {} 条", "{} records of personal information concerned"),
    "loss_yuan": Words("直接经济损失 {} 元", "direct loss of {} yuan"),
    "province_population_share": Words("占省级行政区人口的 {:.2%}", "{:.2%} of a province's population"),
    "prefecture_population_share": Words(
        "占地市级行政区人口的 {:.2%}", "{:.2%} of a prefecture's population"
    ),
}
_SAID: dict[str, Words] = {
    "ransom_demanded": Words("攻击者索要赎金", "a ransom was demanded"),
    "core_function_disrupted": Words("核心功能受到影响", "a core function is disrupted"),
    "personal_data": Words("涉及个人数据", "personal data is concerned"),
    "crime_suspected": Words("涉嫌违法犯罪", "a crime is suspected"),
    "significant": Words("属重大影响事件", "the incident is significant"),
    "major": Words("属重大事件", "the incident is major"),
}
_THREATS: dict[str, Words] = {
    "none": Words("数据未受威胁", "no threat to data"),
    "fairly_serious": Words("数据安全受到较严重威胁", "fairly serious threat to data"),
    "serious": Words("数据安全受到严重威胁", "serious threat to data"),
    "especially_serious": Words("数据安全受到特别严重威胁", "especially serious threat to data"),
}
_NO_HARM = frozenset({"relevant", "intermediate_requested", "declared_level"})


def harm(name: str, value: Any, zone: tzinfo) -> Words | None:  # noqa: ANN401 - a fact is any JSON
    """Return what a fact says of the harm; None where it says nothing of it.

    >>> from datetime import UTC
    >>> harm("views", 1200, UTC).en
    '1200 views or clicks'
    >>> harm("portal_down_minutes", 30, UTC).zh
    '门户网站无法访问，持续 30 分钟'
    """
    if name in _NO_HARM or value is None or value is False:
        return None
    prefix, _, ending = name.rpartition("_")
    if prefix in _GOING_ON and (lasting := _lasting(_GOING_ON[prefix], ending, value, zone)):
        return lasting
    if name in _COUNTED and isinstance(value, int | float) and not isinstance(value, bool):
        return Words(_COUNTED[name].zh.format(value), _COUNTED[name].en.format(value))
    if name in _SAID and value is True:
        return _SAID[name]
    if name == "data_threat" and isinstance(value, str) and value in _THREATS:
        return _THREATS[value]
    return Words(f"{name}:{value}", f"{name}: {value}")


def _lasting(words: Words, ending: str, value: object, zone: tzinfo) -> Words | None:
    if ending == "minutes":
        return Words(f"{words.zh}，持续 {value} 分钟", f"{words.en}, for {value} minutes")
    at = instant(value) if ending == "since" else None
    if at is None:
        return None
    began = stamp(at, zone)
    return Words(f"{words.zh}，自 {began.zh}起持续", f"{words.en} since {began.en}")


def stamp(at: datetime, zone: tzinfo) -> Words:
    """Return a time to the second in a zone, with its offset.

    >>> from datetime import UTC
    >>> stamp(datetime(2026, 3, 2, 9, 10, tzinfo=UTC), UTC)
    Words(zh='2026年3月2日 09:10:00（UTC+0）', en='2026-03-02 09:10:00 UTC+0')
    """
    local = at.astimezone(zone)
    minutes = int((local.utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    offset = f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
    return Words(
        f"{local.year}年{local.month}月{local.day}日 {local:%H:%M:%S}（{offset}）",
        f"{local:%Y-%m-%d %H:%M:%S} {offset}",
    )


def level_name(level: str | None) -> Words:
    """Return a level as a report names it.

    >>> level_name("II").zh
    '重大（Ⅱ级）'
    """
    for code, name in LEVELS.items():
        if code == level:
            roman = {"I": "Ⅰ", "II": "Ⅱ", "III": "Ⅲ", "IV": "Ⅳ"}[code]
            return Words(f"{name.zh}（{roman}级）", f"level {code}, {name.en}")
    return Words("尚未定级", "not graded")
