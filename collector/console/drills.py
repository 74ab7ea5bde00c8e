"""Drills on their pages: the year's plan and proof, one drill with its score, those from below."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar, cast, get_args

from aiohttp import web

from ..desk.drills import (
    DEEDS,
    Kinds,
    Wanted,
    act_on_drill,
    decide_drill,
    drill_proof,
    list_announced,
    list_drills,
    plan_drill,
    read_drill,
    report_drill,
)
from ..desk.identity import require_same_origin
from ..desk.problem import ProblemError
from ..desk.rights import Principal
from ..drills import FORMS, KINDS, SCOPES, STATES
from ..drills.words import EVENTS, RESULTS, SUPERIORS, WHATS
from ..drills.yearly import LACKS
from ..store.board import newest_entry
from .pages import Pages, SignInFirstError
from .sight import Sight
from .spans import written_time

Code = TypeVar("Code")
_WORDS = {
    "forms": FORMS,
    "kinds": KINDS,
    "scopes": SCOPES,
    "states": STATES,
    "whats": WHATS,
    "results": RESULTS,
    "events": EVENTS,
    "superiors": SUPERIORS,
    "lacks": LACKS,
}
_MOST = 200_000


class DrillPages:
    """Shows and takes what persons do with drills."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._desk = pages.desk

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of drills."""
        return [
            web.get("/drills", self.all),
            web.post("/drills", self.plan),
            web.get("/drills/{id}", self.one),
            web.post("/drills/{id}", self.act),
            web.get("/drills/{id}/report/{kind}", self.report),
            web.post("/drills/announced/{id}", self.decide),
        ]

    async def all(self, request: web.Request) -> web.Response:
        """Show the plan, the year's proof and what is announced from below."""
        sight = await self._pages.reader(request)
        now, principal = self._desk.clock(), _known(sight)
        year = now.astimezone(sight.zone).year
        async with self._desk.store.read() as conn:
            journal = await newest_entry(conn)
        return self._pages.show(
            request,
            "drills.html",
            sight,
            journal,
            drills=await list_drills(self._desk, principal),
            proofs=await drill_proof(self._desk, principal, year, now),
            announced=await list_announced(self._desk, principal),
            year=year,
            **_WORDS,
        )

    async def one(self, request: web.Request) -> web.Response:
        """Show one drill."""
        sight = await self._pages.reader(request)
        async with self._desk.store.read() as conn:
            journal = await newest_entry(conn)
        shown = await read_drill(self._desk, _known(sight), request.match_info["id"], self._desk.clock())
        return self._pages.show(
            request, "drill.html", sight, journal, shown=shown, drill=shown.drill, **_WORDS
        )

    async def plan(self, request: web.Request) -> web.StreamResponse:
        """Put a drill into the plan."""
        sight, form = await self._sent(request)
        wanted = Wanted(
            unit=form.get("unit", ""),
            units=[],
            planned_at=_time(form.get("planned_at", ""), sight),
            superior=form.get("superior") == "yes",
            script=form.get("script", "").replace("\r\n", "\n"),
            name=form.get("name", "")[:200],
            name_en=form.get("name_en", "")[:200],
            form=_one_of(form.get("form", "live"), FORMS),
            scope=_one_of(form.get("scope", "unit"), SCOPES),
            kind=_one_of(form.get("kind", "comprehensive"), KINDS),
        )
        drill = await plan_drill(self._desk, _known(sight), wanted, self._desk.clock())
        return _to(f"/drills/{drill.id}")

    async def act(self, request: web.Request) -> web.StreamResponse:
        """Start, direct, end or cancel a drill."""
        sight, form = await self._sent(request)
        key, deed = request.match_info["id"], form.get("deed", "")
        if deed not in DEEDS:
            raise ProblemError("malformed", f"deed: found {deed[:40]!r}, expected one of {', '.join(DEEDS)}")
        text = form.get("text", "").replace("\r\n", "\n")[:_MOST]
        await act_on_drill(self._desk, _known(sight), key, deed, text, now=self._desk.clock())
        return _to(f"/drills/{key}")

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Say whether this side is in a drill of a collector below."""
        sight, form = await self._sent(request)
        state = form.get("state", "")
        if state not in {"accepted", "declined"}:
            raise ProblemError("malformed", f"state: found {state[:40]!r}, expected accepted or declined")
        key, now = request.match_info["id"], self._desk.clock()
        await decide_drill(
            self._desk, _known(sight), key, "accepted" if state == "accepted" else "declined", now=now
        )
        return _to("/drills")

    async def report(self, request: web.Request) -> web.Response:
        """Give the after-action report as a file."""
        sight = await self._pages.reader(request)
        key, kind = request.match_info["id"], request.match_info["kind"]
        if kind not in get_args(Kinds):
            raise ProblemError("not-found", f"there is no report as {kind[:20]!r}")
        name, media, body = await report_drill(
            self._desk, _known(sight), key, cast("Kinds", kind), sight.language, now=self._desk.clock()
        )
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=body, content_type=media, headers=headers)

    async def _sent(self, request: web.Request) -> tuple[Sight, dict[str, str]]:
        sight = await self._pages.reader(request)
        if request.content_type != "application/x-www-form-urlencoded":
            raise ProblemError("malformed", f"found {request.content_type!r}, expected a form of the console")
        try:
            form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        except (ValueError, LookupError):
            raise ProblemError("malformed", "the form is not UTF-8 text") from None
        require_same_origin(request, _known(sight), form.get("csrf", ""))
        return sight, form


def _time(text: str, sight: Sight) -> datetime:
    try:
        return written_time(text, sight.zone)
    except ValueError:
        raise ProblemError("malformed", f"planned_at: found {text[:40]!r}, expected a time") from None


def _one_of(text: str, names: Mapping[Code, object]) -> Code:
    for code in names:
        if code == text:
            return code
    raise ProblemError("malformed", f"found {text[:40]!r}, expected one of {', '.join(map(str, names))}")


def _known(sight: Sight) -> Principal:
    if sight.principal is None:
        raise SignInFirstError
    return sight.principal


def _to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})
