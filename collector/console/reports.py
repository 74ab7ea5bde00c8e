"""A report on its page: what it says item by item, what a person adds, and how it was filed."""

from datetime import datetime
from typing import cast, get_args

import msgspec
from aiohttp import BodyPartReader, web
from msgspec import Struct

from ..desk.filings import MAX_ATTACHMENT_BYTES, MAX_TEXT, hand_in, read_answer, read_reports, write_report
from ..desk.identity import require_same_origin
from ..desk.papers import Handed, Medium, Report
from ..desk.problem import ProblemError
from ..desk.rights import Principal
from ..statement import Ransom
from .pages import Pages, SignInFirstError, local_time
from .sight import Sight

_MEDIA: tuple[str, ...] = get_args(Medium)
_MAX_FIELDS = 80
_ITEM = "item."


class Sent(Struct, frozen=True):
    """A form with at most one file: its fields, and the file's name and bytes."""

    fields: dict[str, str]
    name: str
    body: bytes


class Reports:
    """Shows and takes the reports of one world."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._desk = pages.desk

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of reports."""
        path = "/incidents/{id}/reports/{clock}"
        return [web.get(path, self.show), web.post(path, self.take)]

    async def show(self, request: web.Request) -> web.Response:
        """Show a report with its form."""
        sight = await self._pages.reader(request)
        key = request.match_info["id"]
        report = await self._report(request, _known(sight))
        handed = request.query.get("answer", "")[:64]
        answer = (
            await read_answer(self._desk, _known(sight), key, report.clock, handed)
            if handed.isalnum() or handed.replace("-", "").isalnum()
            else None
        )
        return self._pages.show(
            request,
            "report.html",
            sight,
            report=report,
            incident=key,
            media=_MEDIA,
            most=MAX_TEXT,
            answer=answer,
            handed=handed,
        )

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Keep what was written; file it where the button says so."""
        sight = await self._pages.reader(request)
        sent = await _read(request)
        principal, now = _known(sight), self._desk.clock()
        require_same_origin(request, principal, sent.fields.get("csrf", ""))
        report = await self._report(request, principal)
        incident, clock = request.match_info["id"], report.clock
        if sent.fields.get("deed") == "answer":
            return await self._take_answer(sent, principal, incident, clock, now)
        texts = {
            item.number: sent.fields[name].replace("\r\n", "\n")
            for item in report.statement.items
            if (name := f"{_ITEM}{item.number}") in sent.fields
        }
        handed = await self._handed(sent, sight, incident, now)
        await write_report(
            self._desk, principal, incident, clock, texts=texts, ransom=_ransom(sent), handed=handed, now=now
        )
        place = f"/incidents/{incident}" if handed else f"/incidents/{incident}/reports/{clock}"
        return web.Response(status=303, headers={"Location": place})

    async def _take_answer(
        self, sent: Sent, principal: Principal, incident: str, clock: str, now: datetime
    ) -> web.Response:
        """Keep the mail that was handed in, and show what it says before anything is done about it."""
        kept = await hand_in(self._desk, principal, incident, sent.name, sent.body, now=now)
        await read_answer(self._desk, principal, incident, clock, kept.id)
        place = f"/incidents/{incident}/reports/{clock}?answer={kept.id}#answer"
        return web.Response(status=303, headers={"Location": place})

    async def _report(self, request: web.Request, principal: Principal) -> Report:
        key, clock = request.match_info["id"], request.match_info["clock"]
        if not (key.isprintable() and clock.isprintable()):
            raise ProblemError("not-found", "the address holds an id that no object can have")
        reports = await read_reports(self._desk, principal, key, now=self._desk.clock())
        for report in reports:
            if report.clock == clock:
                return report
        raise ProblemError("not-found", f"the incident owes no report {clock[:64]!r}")

    async def _handed(self, sent: Sent, sight: Sight, incident: str, now: datetime) -> Handed | None:
        deed, fields = sent.fields.get("deed", "save"), sent.fields
        if deed == "save":
            return None
        if deed == "upstream":
            return Handed(way="upstream")
        if deed == "confirm":
            return Handed(way="answer", attachment=fields.get("answer", "")[:64])
        filed_at = local_time("filed_at", fields.get("filed_at", ""), sight.zone) or now
        medium, number = fields.get("medium", "phone"), fields.get("number", "")[:200].strip()
        if medium not in _MEDIA or not number.isprintable():
            raise ProblemError("malformed", f"medium: found {medium[:40]!r}, expected one of {_MEDIA}")
        kept = (
            await hand_in(self._desk, _known(sight), incident, sent.name, sent.body, now=now)
            if sent.body
            else None
        )
        return Handed(
            filed_at=filed_at,
            medium=cast("Medium", medium),
            number=number,
            attachment=kept.id if kept else "",
        )


def _ransom(sent: Sent) -> Ransom | None:
    given = {
        name: sent.fields[f"ransom.{name}"][:500].strip()
        for name in Ransom.__struct_fields__
        if f"ransom.{name}" in sent.fields
    }
    return msgspec.convert(given, Ransom) if given else None


async def _read(request: web.Request) -> Sent:
    """Read a form part by part, each within its limit, so that no file is ever held that is too large."""
    if request.content_type != "multipart/form-data":
        raise ProblemError("malformed", f"found {request.content_type!r}, expected a form of the console")
    fields: dict[str, str] = {}
    name, body = "", b""
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader) or len(fields) >= _MAX_FIELDS:
                raise ProblemError("malformed", "the form holds more than it asks for")
            if part.filename is not None:
                name, body = part.filename, await _limited(part, MAX_ATTACHMENT_BYTES)
            else:
                fields[part.name or ""] = (await _limited(part, 4 * MAX_TEXT)).decode()
    except (ValueError, LookupError, AssertionError):
        raise ProblemError("malformed", "the form cannot be read") from None
    return Sent(fields, name, body)


async def _limited(part: BodyPartReader, limit: int) -> bytes:
    received = bytearray()
    while chunk := await part.read_chunk(65_536):
        received += chunk
        if len(received) > limit:
            raise ProblemError("too-large", f"{part.name}: expected at most {limit} bytes")
    return bytes(received)


def _known(sight: Sight) -> Principal:
    if sight.principal is None:
        raise SignInFirstError
    return sight.principal
