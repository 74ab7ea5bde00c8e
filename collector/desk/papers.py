"""The forms in which persons see and file reports, and what does it for them."""

from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ..statement import Ransom, Statement
from .answers import Answer

Medium = Literal["phone", "web", "fax", "mail", "letter", "in_person"]
Line = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Report(Struct, frozen=True, kw_only=True):
    """A report that an incident owes, as it stands.

    Fields:
        clock: Its obligation's clock.
        upstream: Whether it may go to the collector above.
        mail: The authority's address, where it may go by mail; else empty.
        mailed: Whether it goes or went by mail, so that an answer may come.
        filing, filing_state: Once it is filed or on its way.
        receipt_at: Once its receipt or proof is here.
        version: Of what persons wrote; 0: nothing yet.
        statement: What it says: what was filed, else what would be filed now.
    """

    clock: str
    obligation: str
    regime: str
    stage: str
    recipient: str
    state: str
    due_at: datetime | None
    target_at: datetime | None
    upstream: bool
    mail: str
    mailed: bool = False
    filing: str | None
    filing_state: str | None
    receipt_at: datetime | None
    version: int
    complete: bool
    drill: bool = False
    statement: Statement


class Handed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a report was filed.

    Fields:
        way: `upstream`: the collector above shall have it; `person`: a person has filed it already; `answer`:
            it was mailed, and the attachment is the mail that says whether it arrived.
        filed_at: When they did; now where it is absent.
        medium: By which of the authority's channels.
        number: What the authority gave as its number.
        attachment: Id of the proof handed in, or of the answer.
    """

    way: Literal["upstream", "person", "answer"] = "person"
    filed_at: datetime | None = None
    medium: Medium = "phone"
    number: Line = ""
    attachment: Line = ""


class Filings(Protocol):
    """What `authority` does for persons (`authority.ByHand`)."""

    async def reports(self, conn: AsyncConnection, incident: str, now: datetime) -> list[Report]:
        """Return what an incident owes."""
        ...

    async def save(
        self,
        conn: AsyncConnection,
        incident: str,
        clock: str,
        *,
        texts: Mapping[int, str],
        ransom: Ransom | None,
        actor: str,
        now: datetime,
    ) -> None:
        """Keep what a person wrote."""
        ...

    async def submit(
        self, conn: AsyncConnection, incident: str, clock: str, handed: Handed, *, actor: str, now: datetime
    ) -> str:
        """File a report, once; return the filing's id."""
        ...

    async def answer(self, conn: AsyncConnection, incident: str, clock: str, attachment: str) -> Answer:
        """Return what a mail that was handed in says of the report's own."""
        ...


class Make(Protocol):
    """Makes a document about an incident (`documents.Printer.make`)."""

    def __call__(
        self, incident: str, kind: str, *, clock: str | None, language: str, now: datetime
    ) -> Awaitable[tuple[str, str, bytes]]:
        """Return its name, media type and bytes."""
        ...
