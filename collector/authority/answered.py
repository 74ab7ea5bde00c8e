"""The answer to a mailed report, as a person hands it in: matched by its message ids with what was mailed.

attachment ──parse──> names our mail's id ──> arrived  ──a person confirms──> receipt, the clock is met
                 └──> another mail: refused   returned ──a person confirms──> refused: file it otherwise
                                              pending  ──────────────────────> no proof of anything
"""

import email
from datetime import datetime
from email.policy import compat32
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ..desk.answers import Answer, NoAnswerError, read_answer
from ..store.drafts import Attachment, attachment_bytes, attachment_named, get_attachment
from ..store.filings import Filing
from .letter import letter_name

_SHOWN = 3


async def read_heard(
    conn: AsyncConnection, filing: Filing | None, incident: str, attachment: str
) -> tuple[Attachment, Answer]:
    """Return an attachment and what it says of a filing's mail.

    Raises:
        NoAnswerError: The report was not mailed, or the attachment is not there, no mail, or about another.
    """
    ours = await _mailed_as(conn, filing) if filing is not None else None
    if filing is None or ours is None:
        raise NoAnswerError("way: found answer, but the report was not mailed")
    found = await get_attachment(conn, incident, attachment)
    if found is None:
        raise NoAnswerError(f"attachment: the incident has none with the id {attachment!r}")
    answer = read_answer(await attachment_bytes(conn, found.id))
    if ours not in answer.refers:
        others = ", ".join(sorted(answer.refers)[:_SHOWN]) or "none"
        raise NoAnswerError(f"attachment: found an answer to {others}, expected one to {ours}")
    return found, answer


def arrived_at(answer: Answer, filed_at: datetime, now: datetime) -> datetime:
    """Return when an answer shows that the report was there: as it says, where that can be."""
    return answer.at if answer.at is not None and filed_at <= answer.at <= now else now


def told(attachment: Attachment, answer: Answer) -> dict[str, Any]:
    """Return an answer as it stands in a proof and in the journal."""
    return {
        "attachment": attachment.id,
        "sha256": attachment.sha256,
        "kind": answer.kind,
        "outcome": answer.outcome,
        "from": answer.sender,
        "at": answer.at.isoformat() if answer.at else None,
        "subject": answer.subject,
        "why": answer.why,
    }


async def _mailed_as(conn: AsyncConnection, filing: Filing) -> str | None:
    """The id of the mail that was made for a filing, whether or not a server has said that it took it."""
    kept = await attachment_named(conn, filing.incident, letter_name(filing.key))
    return str(email.message_from_bytes(kept, policy=compat32)["Message-ID"]) if kept else None
