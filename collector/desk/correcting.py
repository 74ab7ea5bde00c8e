"""What a person says is otherwise: facts and times of an incident, each typed as the laws read it.

By a person's word alone a level may fall and a clock get later or end; so every value is checked before
anything is written, all mistakes are told at once, and who and why stand in the journal.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import fields
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.vocabulary import Name

from ..errors import PermanentError
from ..regimes import Facts, StandardFacts, Times
from ..regimes.case import IncidentKind
from ..store.board import unit_of_incident
from .problem import ProblemError
from .rights import Principal, allow_on
from .world import Desk

FACTS: Mapping[str, Any] = {
    **{field.name: field.type for form in (Facts, StandardFacts) for field in fields(form)},
    "crime_suspected": bool | None,
    "kind": IncidentKind | None,
}
"""What can be said of an incident, by name: the type of the value; None takes it away."""
TIMES: tuple[str, ...] = tuple(field.name for field in fields(Times))
NAMES: Mapping[str, Name] = {
    "believed": Name("有合理理由相信", "reasonable belief"),
    "received": Name("收到报告", "report received"),
    "reported": Name("报告", "reported"),
    "paid": Name("支付赎金", "ransom paid"),
    "patch_available": Name("补丁可用", "patch available"),
    "cii_whole_down_since": Name(
        "关键信息基础设施整体中断，自", "critical infrastructure down as a whole since"
    ),
    "cii_whole_down_minutes": Name(
        "关键信息基础设施整体中断(分钟)", "critical infrastructure down as a whole (minutes)"
    ),
    "cii_main_down_since": Name("关键信息基础设施主要功能中断，自", "its main function down since"),
    "cii_main_down_minutes": Name("关键信息基础设施主要功能中断(分钟)", "its main function down (minutes)"),
    "reposts": Name("社交平台转发次数", "reposts on social platforms"),
    "views": Name("浏览、点击次数", "views or clicks"),
    "province_population_share": Name(
        "占省级行政区人口比例(0 至 1)", "share of a province's people (0 to 1)"
    ),
    "prefecture_population_share": Name(
        "占地市级行政区人口比例(0 至 1)", "share of a prefecture's people (0 to 1)"
    ),
    "ransom_demanded": Name("索要赎金", "ransom demanded"),
    "significant": Name("重大影响", "significant"),
    "relevant": Name("相关影响", "relevant"),
    "major": Name("重大事件", "major"),
    "core_function_disrupted": Name("核心功能受影响", "core function disrupted"),
    "personal_data": Name("涉及个人数据", "personal data concerned"),
    "intermediate_requested": Name("要求中期报告", "intermediate report requested"),
}
"""What people read for facts and times that no agent reports."""
_NEVER_AWAY = "aware"


async def correct_incident(
    desk: Desk,
    principal: Principal,
    incident: str,
    *,
    facts: Mapping[str, Any],
    times: Mapping[str, Any],
    reason: str,
    now: datetime,
) -> None:
    """Replace facts and times of an incident in the principal's name; None takes one away.

    Raises:
        ProblemError: not-found, forbidden, malformed with every mistake, or conflict where nobody signed in.
    """
    mistakes = [*_wrong_facts(facts), *_wrong_times(times, now)]
    if not (facts or times):
        mistakes.append("facts: found neither facts nor times, expected one of them at least")
    if not reason.strip():
        mistakes.append("reason: found nothing, expected why it is otherwise")
    if mistakes:
        raise ProblemError("malformed", "; ".join(mistakes))
    told = {name: msgspec.to_builtins(msgspec.convert(value, FACTS[name])) for name, value in facts.items()}
    moments = {name: msgspec.convert(value, datetime | None) for name, value in times.items()}

    async def work(conn: AsyncConnection) -> None:
        unit = await unit_of_incident(conn, incident)
        if unit is None:
            raise ProblemError("not-found", f"there is no incident {incident!r}")
        allow_on(principal, "act", unit, desk.registry(), f"incident {incident!r}")
        try:
            await desk.correct(
                conn, incident, now, actor=principal.actor, reason=reason.strip(), facts=told, times=moments
            )
        except PermanentError as error:
            raise ProblemError("conflict", str(error)) from error

    await desk.store.run(work)


def said(name: str, text: str) -> Any:  # noqa: ANN401 - what the fact is
    """Return a value as it stands in a form: an empty one takes the fact away.

    >>> said("reposts", "12"), said("major", "true"), said("loss_yuan", "")
    (12, True, None)
    """
    if not text.strip():
        return None
    try:
        return msgspec.to_builtins(msgspec.convert(text.strip(), FACTS[name], strict=False))
    except (KeyError, msgspec.ValidationError):
        return text


def _wrong_facts(facts: Mapping[str, Any]) -> Iterator[str]:
    for name, value in facts.items():
        if name not in FACTS:
            yield f"facts.{name[:64]}: found an unknown fact, expected one of {', '.join(sorted(FACTS))}"
            continue
        try:
            read = msgspec.convert(value, FACTS[name])
        except msgspec.ValidationError as error:
            yield f"facts.{name}: {error}"
        else:
            if isinstance(read, datetime) and read.tzinfo is None:
                yield f"facts.{name}: found a time without offset, expected one with it"


def _wrong_times(times: Mapping[str, Any], now: datetime) -> Iterator[str]:
    for name, value in times.items():
        if name not in TIMES:
            yield f"times.{name[:64]}: found an unknown time, expected one of {', '.join(TIMES)}"
            continue
        try:
            at = msgspec.convert(value, datetime | None)
        except msgspec.ValidationError as error:
            yield f"times.{name}: {error}"
            continue
        if at is None and name == _NEVER_AWAY:
            yield f"times.{name}: found nothing, expected a time: every clock runs from it"
        elif at is not None and (at.tzinfo is None or at > now):
            yield f"times.{name}: found {value}, expected a time with offset until {now.isoformat()}"
