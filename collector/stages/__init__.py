"""What becomes of a report, step by step, in the order of the tuple that `stages` returns."""

from collections.abc import Callable

from ..classes import Classes
from ..registry import Registry
from .clones import Clones
from .correlate import Correlate, Note
from .custody import Custody
from .dedup import Dedup
from .enrich import Enrich
from .port import Item, Open, Stage
from .register import Register
from .upkeep import Upkeep
from .verdict import Verdict

__all__ = ["Item", "Stage", "stages"]


def stages(
    registry: Callable[[], Registry], classes: Callable[[], Classes], open_incident: Open, note_end: Note
) -> tuple[Stage, ...]:
    """Return the stages in the order in which they act."""
    return (
        Enrich(registry),
        Upkeep(),
        Clones(open_incident),
        Verdict(registry),
        Register(registry),
        Dedup(),
        Custody(),
        Correlate(open_incident, note_end, classes),
    )
