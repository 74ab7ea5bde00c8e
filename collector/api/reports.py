"""The reports an incident owes, as persons write and file them, and the proof they hand in."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from ..desk.answers import Answer
from ..desk.filings import (
    MAX_ATTACHMENT_BYTES,
    hand_in,
    make_document,
    read_answer,
    read_reports,
    write_report,
)
from ..desk.papers import Handed, Report
from ..statement import Ransom
from ..store.drafts import Attachment, attachment_bytes, get_attachment
from .endpoint import Call, Endpoint, File, found_or_404


class Reports(Struct, frozen=True):
    """What an incident owes, earliest due first."""

    items: list[Report]


class Writing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written for a report.

    Fields:
        clock: Which report: the obligation's clock.
        items: Words by number of the item; empty takes words away, what is not named stays.
        ransom: What is known of a ransom.
        submit: How it is filed; absent: the draft is kept, nothing is filed.
    """

    clock: Annotated[str, Meta(max_length=64)]
    items: Annotated[dict[Annotated[int, Meta(ge=1, le=99)], str], Meta(max_length=40)] = {}
    ransom: Ransom | None = None
    submit: Handed | None = None


class Named(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file is called."""

    name: Annotated[str, Meta(max_length=200)] = "proof"


class About(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which report the mail is held against."""

    clock: Annotated[str, Meta(max_length=64)]


class Which(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which report the document is about, absent: the one due first; and in which language."""

    clock: Annotated[str, Meta(max_length=64)] | None = None
    language: Literal["zh", "en"] = "zh"


async def _list(call: Call) -> Reports:
    return Reports(await read_reports(call.desk, call.principal, call.path["id"], now=call.now))


async def _write(call: Call) -> Reports:
    body = call.body
    await write_report(
        call.desk,
        call.principal,
        call.path["id"],
        body.clock,
        texts=body.items,
        ransom=body.ransom,
        handed=body.submit,
        now=call.now,
    )
    return await _list(call)


async def _hand_in(call: Call) -> Attachment:
    return await hand_in(call.desk, call.principal, call.path["id"], call.query.name, call.body, now=call.now)


async def _attachment(call: Call) -> File:
    await read_reports(call.desk, call.principal, call.path["id"], now=call.now)
    async with call.desk.store.read() as conn:
        found = found_or_404(
            await get_attachment(conn, call.path["id"], call.path["attachment"]), "such attachment"
        )
        body = await attachment_bytes(conn, found.id)
    return File(name=found.name, media_type=found.media_type, body=body)


async def _answer(call: Call) -> Answer:
    path = call.path
    return await read_answer(call.desk, call.principal, path["id"], call.query.clock, path["attachment"])


async def _document(call: Call) -> File:
    name, media, body = await make_document(
        call.desk,
        call.principal,
        call.path["id"],
        call.path["kind"],
        clock=call.query.clock,
        language=call.query.language,
        now=call.now,
    )
    return File(name=name, media_type=media, body=body)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/incidents/{id}/filings",
        name="getReports",
        summary="The reports an incident owes, with what each says item by item",
        handler=_list,
        answer=Reports,
        problems=("not-found",),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/incidents/{id}/filings",
        name="writeReport",
        summary="Write a report of an incident, and file it or record that it was filed",
        handler=_write,
        answer=Reports,
        deed="act",
        body=Writing,
        problems=("not-found", "conflict"),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/incidents/{id}/attachments",
        name="handInProof",
        summary="Hand in a PDF, PNG or JPEG file as proof of a filing, or the mail that answers one (.eml)",
        handler=_hand_in,
        answer=Attachment,
        deed="act",
        query=Named,
        upload=MAX_ATTACHMENT_BYTES,
        problems=("not-found", "conflict"),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/incidents/{id}/attachments/{attachment}",
        name="getProof",
        summary="A file that was handed in as proof",
        handler=_attachment,
        answer=File,
        media="application/octet-stream",
        problems=("not-found",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/incidents/{id}/attachments/{attachment}/answer",
        name="getAnswer",
        summary="What a mail that was handed in says of a mailed report: whether it arrived",
        handler=_answer,
        answer=Answer,
        query=About,
        problems=("not-found", "conflict"),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/incidents/{id}/documents/{kind}",
        name="getDocument",
        summary="A report of an incident as docx, pdf, iodef (RFC 8727 JSON) or ocsf (Incident Finding JSON)",
        handler=_document,
        answer=File,
        media="application/octet-stream",
        query=Which,
        problems=("not-found", "conflict"),
    ),
)
