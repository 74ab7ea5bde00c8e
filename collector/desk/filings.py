"""What a person does about a report: write, hand in proof, file. Rights first, then one transaction."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import PermanentError
from ..statement import Ransom
from ..store.board import unit_of_incident
from ..store.drafts import Attachment, add_attachment
from .answers import MEDIA_TYPE, Answer, looks_like_mail
from .papers import Handed, Report
from .problem import ProblemError
from .rights import Deed, Principal, allow_on
from .world import Desk

T = TypeVar("T")
MAX_ATTACHMENT_BYTES = 5 * 1024 * 1024
MAX_TEXT = 20_000
_MAGIC: Mapping[bytes, str] = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}


async def read_reports(desk: Desk, principal: Principal, incident: str, *, now: datetime) -> list[Report]:
    """Return the reports an incident owes, what is due first on top.

    Raises:
        ProblemError: not-found.
    """
    async with desk.store.read() as conn:
        await _admit(conn, desk, principal, incident, "read")
        return await desk.filings.reports(conn, incident, now)


async def write_report(
    desk: Desk,
    principal: Principal,
    incident: str,
    clock: str,
    *,
    texts: Mapping[int, str],
    ransom: Ransom | None,
    handed: Handed | None,
    now: datetime,
) -> None:
    """Keep what the principal wrote for a report and, where `handed` says how, file it.

    Raises:
        ProblemError: not-found, forbidden, or conflict where it was filed before or the proof is none.
    """
    if any(len(text) > MAX_TEXT for text in texts.values()):
        raise ProblemError("too-large", f"items: found a text above {MAX_TEXT} characters")

    async def work(conn: AsyncConnection) -> None:
        actor = principal.actor
        await desk.filings.save(conn, incident, clock, texts=texts, ransom=ransom, actor=actor, now=now)
        if handed is not None:
            await desk.filings.submit(conn, incident, clock, handed, actor=actor, now=now)

    await _act(desk, principal, incident, work)


async def hand_in(
    desk: Desk, principal: Principal, incident: str, name: str, body: bytes, *, now: datetime
) -> Attachment:
    """Keep a file as proof.

    Raises:
        ProblemError: not-found, forbidden, too-large, or malformed where it is no PDF, PNG, JPEG or mail.
    """
    if len(body) > MAX_ATTACHMENT_BYTES:
        raise ProblemError("too-large", f"attachment: expected at most {MAX_ATTACHMENT_BYTES} bytes")
    media = media_type(body)
    if media is None:
        raise ProblemError("malformed", "attachment: expected a PDF, PNG, JPEG or .eml file")
    plain = "".join(letter for letter in name[-120:] if letter.isprintable() and letter not in '/\\"') or "-"

    async def work(conn: AsyncConnection) -> Attachment:
        return await add_attachment(
            conn, incident, name=plain, media_type=media, body=body, actor=principal.actor, now=now
        )

    return await _act(desk, principal, incident, work)


async def read_answer(desk: Desk, principal: Principal, incident: str, clock: str, attachment: str) -> Answer:
    """Return what a mail that was handed in says of a mailed report.

    Raises:
        ProblemError: not-found, or conflict where it says nothing of it.
    """
    async with desk.store.read() as conn:
        await _admit(conn, desk, principal, incident, "read")
        try:
            return await desk.filings.answer(conn, incident, clock, attachment)
        except PermanentError as error:
            raise ProblemError("conflict", str(error)) from error


async def make_document(
    desk: Desk,
    principal: Principal,
    incident: str,
    kind: str,
    *,
    clock: str | None,
    language: str,
    now: datetime,
) -> tuple[str, str, bytes]:
    """Return the name, media type and bytes of a document about a report.

    Raises:
        ProblemError: not-found, or conflict where it cannot be rendered; the text says why.
    """
    async with desk.store.read() as conn:
        await _admit(conn, desk, principal, incident, "read")
    try:
        return await desk.make_document(incident, kind, clock=clock, language=language, now=now)
    except PermanentError as error:
        raise ProblemError("conflict", str(error)) from error


def media_type(body: bytes) -> str | None:
    """Return what a file is by its first bytes, whatever it is called.

    >>> media_type(b"%PDF-1.7"), media_type(b"<html>")
    ('application/pdf', None)
    """
    known = next((media for magic, media in _MAGIC.items() if body.startswith(magic)), None)
    return known or (MEDIA_TYPE if looks_like_mail(body) else None)


async def _act(
    desk: Desk, principal: Principal, incident: str, work: Callable[[AsyncConnection], Awaitable[T]]
) -> T:
    async def admitted(conn: AsyncConnection) -> T:
        await _admit(conn, desk, principal, incident, "act")
        try:
            return await work(conn)
        except ProblemError:
            raise
        except PermanentError as error:
            raise ProblemError("conflict", str(error)) from error

    return await desk.store.run(admitted)


async def _admit(conn: AsyncConnection, desk: Desk, principal: Principal, incident: str, deed: Deed) -> None:
    unit = await unit_of_incident(conn, incident)
    if unit is None:
        raise ProblemError("not-found", f"there is no incident {incident!r}")
    allow_on(principal, deed, unit, desk.registry(), f"incident {incident!r}")
