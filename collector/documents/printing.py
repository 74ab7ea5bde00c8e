"""From an incident's id to a document about it: the report it is about is chosen, read and rendered."""

from collections.abc import Sequence
from datetime import datetime

from ..errors import PermanentError
from ..statement import Statement, read_statement
from ..store.clocks import Clock
from ..store.engine import Store
from .gathering import Documents
from .material import Material
from .rendering import MEDIA, Renderer

_ENDINGS = {"docx": "docx", "pdf": "pdf", "iodef": "iodef.json", "ocsf": "ocsf.json"}


class NoDocumentError(PermanentError):
    """There is nothing such a document could be about."""


class Printer:
    """Makes documents.

    Args:
        store: The state.
        documents: Knows what reports say.
        renderer: Turns it into files.
    """

    def __init__(self, store: Store, documents: Documents, renderer: Renderer) -> None:
        self._store = store
        self._documents = documents
        self._renderer = renderer

    async def make(
        self, incident: str, kind: str, *, clock: str | None, language: str, now: datetime
    ) -> tuple[str, str, bytes]:
        """Return the name, media type and bytes of a document; the same as long as the incident is.

        Args:
            incident: Its id.
            kind: One of `MEDIA`.
            clock: Which report; None: the one that is due first.
            language: zh or en.
            now: The time.

        Raises:
            NoDocumentError: No such kind, incident or report.
            RenderingError: It cannot be rendered.
        """
        if kind not in MEDIA:
            raise NoDocumentError(
                f"{kind!r}: found no such kind of document, expected one of {', '.join(MEDIA)}"
            )
        async with self._store.read() as conn:
            material = await self._documents.material(conn, incident, now)
            if material is None:
                raise NoDocumentError(f"incident {incident!r}: there is none")
            about = choose(material.clocks, clock)
            said = filed(material, about) or await self._documents.statement(conn, about, now)
        body = await self._renderer.render(kind, material, about, said, language)
        stage = about.obligation.replace("/", "-")
        return f"{incident}-{stage}.{_ENDINGS[kind]}", MEDIA[kind], body


def choose(clocks: Sequence[Clock], key: str | None) -> Clock:
    """Return the clock of the report a document is about.

    Raises:
        NoDocumentError: No such report is owed.
    """
    owed = [clock for clock in clocks if clock.state != "withdrawn" and key in {None, clock.id}]
    if not owed:
        raise NoDocumentError("the incident owes no such report, so there is no document of it")
    return min(
        owed,
        key=lambda clock: (
            clock.due_at is None,
            (clock.due_at or clock.target_at or clock.opened_at).timestamp(),
            clock.obligation,
        ),
    )


def filed(material: Material, clock: Clock) -> Statement | None:
    """Return what was filed for a clock; None where nothing was, or it was no statement."""
    found = next((filing for filing in material.filings if filing.clock == clock.id), None)
    return read_statement(found.payload.get("content", {})) if found else None
