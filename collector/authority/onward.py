"""What a receiving body owes onward: a grave report from below begins a clock of its own (pure).

    report of level I or II ──> receipt, and in the same transaction an incident of the receiving body
                                        └─> `onward`: 30 minutes or an hour from its receipt, to those above

Only the bodies that the law names as receiving owe it. Of one incident below there is one here, however many
of its reports come; a graver one makes it graver. A person there may correct its level like any other's.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from wire.messages import Filing
from wire.vocabulary import Level, rank

from ..incident import Finding
from ..regimes.case import RECEIVING_BODIES
from ..registry import Unit

FROM: Level = "II"
OTHER = "OTH"
SOURCE = "received"
_CODE = re.compile(r"[A-Z]{2,16}")
_LONGEST = 200


def onward_finding(filing: Filing, receiver: Unit | None, now: datetime) -> Finding | None:
    """Return what a report from below is to its receiver; None where the receiver owes nothing onward.

    Args:
        filing: The report.
        receiver: This collector's own unit.
        now: When it was received.
    """
    if receiver is None or receiver.kind not in RECEIVING_BODIES:
        return None
    if filing.level is None or rank(filing.level) < rank(FROM):
        return None
    told = filing.incident
    klass = _text(told, "class")
    return Finding(
        fingerprint=f"{SOURCE}/{filing.unit}/{filing.incident_id}",
        klass=klass if _CODE.fullmatch(klass) else OTHER,
        unit=receiver.id,
        facts={"declared_level": filing.level},
        times={"received": now, "detected": now},
        first_seen=now,
        last_seen=now,
        title=f"须向上报告：{_text(told, 'title') or filing.unit}",
        title_en=f"to be reported onward: {_text(told, 'title_en') or filing.unit}",
        evidence=(
            {
                "source": SOURCE,
                "unit": filing.unit,
                "key": filing.key,
                "level": filing.level,
                "received_at": now.isoformat(),
            },
        ),
        source=f"unit:{filing.unit}",
        drill=filing.drill is not None,
    )


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return "".join(one for one in value if one.isprintable())[:_LONGEST] if isinstance(value, str) else ""
