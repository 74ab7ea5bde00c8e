"""What the heartbeats of a collector below tell of it: two matters, each with an incident of its own (pure).

collector-silent     the heartbeat is older than 90 s, or its auditor or its duty clock stands still;
                     when it is back the incident is told, and ending it is for a person
duty-unreachable     nobody there has been reached for five minutes though somebody should have been;
                     handled by itself once one is: then those whom it concerns know
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from ..incident import Finding
from ..store.nodes import Below

SILENT = timedelta(seconds=90)
STANDS_STILL = {"auditor": timedelta(minutes=2), "clock": timedelta(minutes=1)}
UNREACHED = timedelta(minutes=5)  # a limit of half an hour leaves the others time to telephone
KLASS = "DETECH"
SOURCE = "collector"
BACK = "back"
_MOST_SECONDS = 10 * 366 * 86400
_WORDS = {
    "silent": ("下级采集端失联", "collector silent"),
    "auditor": ("下级采集端自查停止", "collector's auditor stands still"),
    "clock": ("下级采集端时限钟停止", "collector's duty clock stands still"),
    "unreached": ("值班不可达", "duty unreachable"),
}


class Trouble(Struct, frozen=True):
    """What is wrong with a collector below: a key of the words, and since when."""

    why: str
    since: datetime


class Unknown(Struct, frozen=True):
    """Nothing that was heard says how it stands, so what was said before stays."""


class Matter(Struct, frozen=True, kw_only=True):
    """Something to be watched of every collector below.

    Fields:
        name: Part of the incident's fingerprint.
        judge: What is wrong, by the last heartbeat, the time since when this process looks, and now.
        ends: Why an incident of it is handled once nothing is wrong; empty: a person ends it.
    """

    name: str
    judge: Callable[[Below, datetime, datetime], Trouble | Unknown | None]
    ends: str = ""

    def fingerprint(self, node: Below) -> str:
        """Return what stands for the matter of one collector."""
        return f"{node.id}/{self.name}"


def trouble_of(node: Below, watching_since: datetime, now: datetime) -> Trouble | None:
    """Return what is wrong with a collector below, gravest first; None: nothing.

    A time that a heartbeat does not tell, as those of older collectors, is no trouble.
    """
    heard = node.heard_at or node.enrolled_at
    if now - max(heard, watching_since) > SILENT:
        return Trouble("silent", heard)
    for flow, limit in sorted(STANDS_STILL.items(), reverse=True):
        age = _age((node.said or {}).get(f"{flow}_age_seconds"))
        if age is not None and age > limit:
            return Trouble(flow, heard - age)
    return None


def unreached_of(node: Below, _watching_since: datetime, now: datetime) -> Trouble | Unknown | None:
    """Return since when nobody could be reached at a collector below.

    One that is silent, or whose database did not answer it, has not said. An older one tells the age of its
    oldest unsent notice alone.
    """
    said = node.said
    if said is None or node.heard_at is None or now - node.heard_at > SILENT:
        return Unknown()
    if "clocks_overdue" in said and said["clocks_overdue"] is None:
        return Unknown()
    age = _age(said.get("unreached_seconds", said.get("oldest_notice_seconds")))
    return Trouble("unreached", node.heard_at - age) if age is not None and age > UNREACHED else None


MATTERS = (
    Matter(name="collector-silent", judge=trouble_of),
    Matter(name="duty-unreachable", judge=unreached_of, ends="people are reached again"),
)


def finding_of(
    node: Below, matter: Matter, trouble: Trouble, names: tuple[str, str] | None, now: datetime
) -> Finding:
    """Return what is said of a collector below in trouble; `names` of its unit in zh and en."""
    zh, en = _WORDS[trouble.why]
    name_zh, name_en = names or (node.unit, node.unit)
    return Finding(
        fingerprint=matter.fingerprint(node),
        klass=KLASS,
        unit=node.unit,
        node=node.id,
        times={"occurred": trouble.since, "detected": now},
        first_seen=trouble.since,
        last_seen=now,
        title=f"{zh}：{name_zh}（{node.host_name}）",
        title_en=f"{en}: {name_en} ({node.host_name})",
        evidence=(evidence_of(node, trouble.why, now) | {"since": trouble.since.isoformat()},),
        source=SOURCE,
    )


def evidence_of(node: Below, why: str, now: datetime) -> dict[str, Any]:
    """Return how a collector stood when something was told of it."""
    return {
        "source": SOURCE,
        "collector": node.id,
        "unit": node.unit,
        "why": why,
        "received_at": now.isoformat(),
        "heard_at": node.heard_at.isoformat() if node.heard_at else None,
        "heartbeat": node.said,
    }


def lines_of(said: Mapping[str, Any] | None, trouble: Trouble) -> str:
    """Return what people are told besides the title: since when, and what may be missed meanwhile."""
    since = trouble.since.isoformat(" ", "seconds")
    overdue = (said or {}).get("clocks_overdue")
    if trouble.why != "unreached" or not isinstance(overdue, int) or isinstance(overdue, bool):
        return since
    return (
        f"{since}\n该单位无人能收到通知，请电话联系；已逾期时限 {overdue} 项。 "
        f"Nobody there gets notices: telephone. Clocks past due there: {overdue}."
    )


def _age(seconds: object) -> timedelta | None:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    return timedelta(seconds=min(seconds, _MOST_SECONDS))
