"""Who plays drills here, and who reports of them: over the writers and the documents of this collector."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from ..casework import Casework
from ..documents import MEDIA, Renderer
from ..documents.after_action import after_action, drill_paper
from ..drills import Sheet
from ..duty.director import Director
from ..errors import PermanentError
from ..escalation import Directory
from ..registry import Registry
from ..runs.drill import end_drill_run
from ..store.drill_course import sheet_of
from ..store.drill_story import story_of
from ..store.drills import get_drill
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


class DrillReports:
    """Makes after-action reports.

    Args:
        store: The state.
        renderer: Prints them.
        registry: Names of units; asked at every call.
    """

    def __init__(self, store: Store, renderer: Renderer, registry: Callable[[], Registry]) -> None:
        self._store = store
        self._renderer = renderer
        self._registry = registry

    async def make(self, key: str, kind: str, language: str, now: datetime) -> tuple[str, str, bytes]:
        """Return the name, media type and bytes of a drill's report as `docx`, `pdf` or `json`.

        Raises:
            PermanentError: No such drill or kind, or it cannot be rendered.
        """
        async with self._store.read() as conn:
            drill = await get_drill(conn, key)
            if drill is None:
                raise PermanentError(f"drill {key!r}: there is none; `drill list` shows those that are")
            kept = msgspec.convert(drill.sheet, Sheet) if drill.sheet is not None else None
            sheet = kept or await sheet_of(conn, drill, now)
            report = after_action(drill, sheet, await story_of(conn, drill), self._registry(), now)
        if kind == "json":
            body = msgspec.json.format(msgspec.json.encode(report))
            return f"drill-{key}.json", "application/json", body
        if kind not in {"docx", "pdf"}:
            raise PermanentError(f"{kind!r}: found no such kind of report, expected docx, pdf or json")
        body = await self._renderer.print_paper(kind, drill_paper(report, language))
        return f"drill-{key}.{kind}", MEDIA[kind], body
