"""Who plays drills here: the director over the writers of this collector."""

from collections.abc import Callable
from datetime import datetime

from ..casework import Casework
from ..duty.director import Director
from ..escalation import Directory
from ..runs.drill import end_drill_run
from ..store.engine import Store


def make_director(
    store: Store,
    casework: Casework,
    directory: Callable[[], Directory],
    language: str,
    now: Callable[[], datetime],
) -> Director:
    """Return a director that opens, changes and ends incidents by this casework."""
    return Director(
        store,
        open_incident=casework.open,
        regrade=casework.regrade,
        end_incident=casework.end_drill,
        give_up=end_drill_run,
        directory=directory,
        language=language,
        now=now,
    )
