"""Composes what a report says from the incident, item by item (pure).

The items are the law's: `configs/regimes/*.yaml` words each, says which may follow and what it is about. For
the first report of `cn-cac-2025` they are the eight items of Art. 7; `cn-informatization` asks for four.

    law's item ──about──> topics ──> lines known, each with its source; what is open
                                     + a person's words, which close the item
"""

from collections.abc import Mapping, Sequence

from ..regimes import Item as LawItem
from ..regimes import Regime
from ..statement import Item, Ransom, Statement, Words, Written
from ..store.clocks import Clock
from .material import Material
from .topics import Known, known

_TO_WRITE = Words("须由人员填写", "to be written by a person")


def compose(
    material: Material,
    clock: Clock,
    regimes: Sequence[Regime],
    *,
    written: Mapping[int, Written] | None = None,
    ransom: Ransom | None = None,
) -> Statement:
    """Return the content of the report a clock asks for, as far as it is known.

    Args:
        material: The incident.
        clock: The obligation.
        regimes: In force; the clock's own words count where its regime has left them.
        written: What persons wrote, by number of item.
        ransom: What is known of a ransom.
    """
    regime = next((one for one in regimes if one.id == clock.regime), None)
    stage = regime.stage(clock.stage) if regime else None
    items = (
        stage.content.items if stage else tuple(LawItem(zh=text, en=text) for text in clock.content or ["-"])
    )
    said = (ransom or Ransom()) if material.ransomware else None
    return Statement(
        obligation=clock.obligation,
        name=Words(stage.name.zh, stage.name.en) if stage else Words(clock.stage, clock.stage),
        law=Words(regime.name.zh, regime.name.en) if regime else Words(clock.regime, clock.regime),
        source=stage.content.source if stage else clock.source,
        verified=stage.content.verified if stage else False,
        level=material.incident.level,
        items=tuple(
            _item(number, item, material, said, (written or {}).get(number))
            for number, item in enumerate(items, start=1)
        ),
        ransom=said,
    )


def _item(
    number: int, law: LawItem, material: Material, ransom: Ransom | None, written: Written | None
) -> Item:
    parts = [known(topic, material, ransom) for topic in law.about] or [Known(open=(_TO_WRITE,))]
    return Item(
        number=number,
        heading=Words(law.zh, law.en),
        may_follow=law.may_follow,
        lines=tuple(line for part in parts for line in part.lines),
        open=tuple(line for part in parts for line in part.open),
        sources=tuple(dict.fromkeys(source for part in parts for source in part.sources)),
        written=written,
    )
