"""Pages: what is read. Each is complete as HTML from the server; scripts only keep it fresh."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aiohttp import web

from wire.vocabulary import ORDERS as ORDER_WORDS

from ..desk.correcting import FACTS, TIMES
from ..desk.identity import identify
from ..desk.problem import ProblemError
from ..desk.rights import allow, scope
from ..desk.world import Desk
from ..phrasebook import in_language
from ..statement import read_statement
from ..store import views
from ..store.board import newest_entry, read_board, read_case
from ..store.calendars import missing_years
from ..store.desk import EVIDENCE, EXITS, NODES, ORDERS, RECEIVED, Page, facts_of, hosts_of, one, page
from ..store.exit_days import read_days
from ..store.watch import read_findings
from .exit_picture import draw, totals
from .planned import ordered, planned
from .sight import Sight
from .spans import written_time, zone_named
from .static import Files
from .texts import LANGUAGES, templates

_Handler = Callable[[web.Request], Awaitable[web.Response]]
LANGUAGE_COOKIE = "fengsui_language"
ROWS = 100
WATCHED = timedelta(days=1)
# What stands in an empty field of parameters: the form of each kind's.
ORDER_EXAMPLES = {
    "collect_evidence": "{}",
    "block_address": '{"address": "203.0.113.9", "seconds": 3600}',
    "unblock_address": '{"address": "203.0.113.9"}',
    "isolate_node": '{"seconds": 3600}',
    "release_node": "{}",
    "stop_process": '{"pid": 4711, "program": "/usr/bin/…"}',
    "snapshot_traffic": '{"seconds": 30, "port": 53}',
    "rescan": "{}",
    "renew_certificate": "{}",
    "apply_settings": '{"version": 1, "settings": {"heartbeat_seconds": 30}}',
}
_GRAVEST = ("bridging", "used", "exposed_service", "available", "unknown", "sanctioned")


class SignInFirstError(ProblemError):
    """The page is for those who are signed in."""

    def __init__(self) -> None:
        super().__init__("unauthenticated", "sign in to see this page")


class Pages:
    """Renders the console's pages for one world."""

    def __init__(self, desk: Desk, files: Files) -> None:
        self.desk = desk
        self._files = files

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of what is read."""
        table: dict[str, _Handler] = {
            "/": self.incidents,
            "/incidents/{id}": self.incident,
            "/nodes": self.nodes,
            "/nodes/{id}": self.node,
            "/exits": self.exits,
            "/exits/register": self.exit_register,
            "/received": self.received,
            "/received/{number}": self.received_one,
        }
        return [web.get(path, handler) for path, handler in table.items()]

    def language(self, request: web.Request) -> str:
        """Return the reader's choice, else the settings' language."""
        chosen = request.cookies.get(LANGUAGE_COOKIE, "")
        return chosen if chosen in LANGUAGES else self.desk.language

    async def anyone(self, request: web.Request) -> Sight:
        """Return how the reader sees, signed in or not."""
        registry = self.desk.registry()
        home = registry.unit(self.desk.unit)
        return Sight(
            language=self.language(request),
            now=self.desk.clock(),
            registry=registry,
            principal=await identify(request, self.desk),
            zone=zone_named(home.timezone if home else None),
        )

    async def reader(self, request: web.Request) -> Sight:
        """Return how a reader sees who is signed in and may read.

        Raises:
            SignInFirstError: Nobody is signed in.
            ProblemError: forbidden.
        """
        sight = await self.anyone(request)
        if sight.principal is None:
            raise SignInFirstError
        allow(sight.principal, "read")
        return sight

    def show(
        self, request: web.Request, template: str, sight: Sight, journal: int | None = None, **values: object
    ) -> web.Response:
        """Render a page.

        Args:
            request: What was asked.
            template: Its file.
            sight: How the reader sees.
            journal: Highest journal id the page shows; None: a page that does not live.
            values: What the template names.
        """
        text = (
            templates(sight.language)
            .get_template(template)
            .render(
                see=sight,
                here=request.path,
                path=request.path_qs,
                journal=journal,
                unit=sight.unit(self.desk.unit),
                version=self.desk.version,
                static=self._files.url,
                **values,
            )
        )
        return web.Response(text=text, content_type="text/html", headers={"Vary": "Cookie"})

    def refuse(self, request: web.Request, problem: ProblemError) -> web.Response:
        """Answer a problem as a page; who is not signed in is led to the door."""
        if isinstance(problem, SignInFirstError):
            door = f"/sign-in?back={quote(request.path_qs)}" if request.method == "GET" else "/sign-in"
            if request.path == "/events":
                return web.Response(status=401)
            if "HX-Request" in request.headers:
                return web.Response(status=401, headers={"HX-Redirect": "/sign-in"})
            return web.Response(status=303, headers={"Location": door})
        sight = Sight(
            language=self.language(request),
            now=self.desk.clock(),
            registry=self.desk.registry(),
            principal=None,
            zone=zone_named(None),
        )
        heading = sight.say(problem.title)
        answer = self.show(
            request,
            "refusal.html",
            sight,
            status=problem.status,
            heading=heading,
            detail=in_language(problem.detail, sight.language),
            back=local_path(request.headers.get("Referer", "").removeprefix(str(request.url.origin()))),
        )
        answer.set_status(problem.status)
        return answer

    async def incidents(self, request: web.Request) -> web.Response:
        """Show what burns, what is due first on top."""
        sight = await self.reader(request)
        async with self.desk.store.read() as conn:
            journal = await newest_entry(conn)
            board = await read_board(conn, units=self._units(sight))
            found = await read_findings(conn, units=self._units(sight), since=sight.now - WATCHED)
            years = await missing_years(conn, sight.now)
        return self.show(request, "incidents.html", sight, journal, board=board, found=found, years=years)

    async def incident(self, request: web.Request) -> web.Response:
        """Show one incident with all that hangs on it."""
        sight = await self.reader(request)
        key = request.match_info["id"]
        async with self.desk.store.read() as conn:
            journal = await newest_entry(conn)
            case = await read_case(conn, sane(key), units=self._units(sight))
            if case is None:
                raise ProblemError("not-found", f"there is no incident {key[:64]!r}")
            node_id = case.incident.node
            node = await one(conn, NODES, views.NodeRow, (node_id,)) if node_id else None
        return self.show(
            request,
            "incident.html",
            sight,
            journal,
            case=case,
            asset=sight.registry.asset(case.incident.asset),
            node=node,
            correctable=sorted({*FACTS, *TIMES}),
            planned=planned,
            ordered=ordered,
            startable=sorted(self.desk.startable(), key=lambda plan: plan.id),
            titles={
                step.step: sight.both(planned(run, step).title)
                for run in case.runs
                for step in ordered(run, case.steps)
            },
        )

    async def nodes(self, request: web.Request) -> web.Response:
        """Show the nodes."""
        sight = await self.reader(request)
        async with self.desk.store.read() as conn:
            journal = await newest_entry(conn)
            after = (sane(request.query["after"]),) if "after" in request.query else None
            found = await page(conn, NODES, units=self._units(sight), after=after, limit=ROWS)
        more = f"/nodes?after={quote(str(found.next[0]), safe='')}" if found.next else None
        return self.show(request, "nodes.html", sight, journal, nodes=found.items, more=more)

    async def node(self, request: web.Request) -> web.Response:
        """Show one node with its orders and the evidence it gave; who may act can give it an order."""
        sight = await self.reader(request)
        key = sane(request.match_info["id"])
        async with self.desk.store.read() as conn:
            journal = await newest_entry(conn)
            node = await one(conn, NODES, views.NodeRow, (key,), units=self._units(sight))
            if node is None:
                raise ProblemError("not-found", f"there is no node {key[:64]!r}")
            orders = await page(conn, ORDERS, where=[("node", key)], limit=ROWS)
            packs = await page(conn, EVIDENCE, where=[("node", key)], limit=ROWS)
            facts = await facts_of(conn, key)
        return self.show(
            request,
            "node.html",
            sight,
            journal,
            node=node,
            orders=orders.items,
            evidence=packs.items,
            gaps=[fact for fact in facts if fact.kind.partition(":")[0] == "gap"],
            kinds=list(ORDER_WORDS),
            examples=ORDER_EXAMPLES,
        )

    async def exits(self, request: web.Request) -> web.Response:
        """Show the ways out with their verdicts."""
        sight = await self.reader(request)
        after = request.query.getall("after", [])
        place = (sane(after[0]), sane(after[1])) if len(after) == 2 else None
        async with self.desk.store.read() as conn:
            journal = await newest_entry(conn)
            found = await page(conn, EXITS, units=self._units(sight), after=place, limit=ROWS)
            hosts = await hosts_of(conn, {row.node for row in found.items})
        more = "&".join(f"after={quote(str(part), safe='')}" for part in found.next or ())
        return self.show(
            request,
            "exits.html",
            sight,
            journal,
            exits=sorted(found.items, key=_gravity),
            hosts=hosts,
            more=f"/exits?{more}" if more else None,
        )

    async def exit_register(self, request: web.Request) -> web.Response:
        """Show how many ways out each unit has, and how that went."""
        sight = await self.reader(request)
        async with self.desk.store.read() as conn:
            journal = await newest_entry(conn)
            days = await read_days(conn, units=self._units(sight))
        units = [
            (rows[0], rows[-1])
            for rows in (list(found) for _, found in groupby(days, key=lambda row: row.unit))
        ]
        lines = {name: totals(days, name) for name in ("outside", "unsanctioned")}
        picture = draw(lines, title=sight.say("hosts outside the registered exit"))
        units.sort(key=lambda pair: (-pair[1].outside, pair[1].unit))
        return self.show(request, "exit_register.html", sight, journal, units=units, picture=picture)

    async def received(self, request: web.Request) -> web.Response:
        """Show what collectors below filed here."""
        sight = await self.reader(request)
        after = request.query.get("after")
        async with self.desk.store.read() as conn:
            journal = await newest_entry(conn)
            place = (_number(after),) if after else None
            found: Page[Any] = await page(conn, RECEIVED, units=self._units(sight), after=place, limit=ROWS)
        more = f"/received?after={found.next[0]}" if found.next else None
        return self.show(request, "received.html", sight, journal, received=found.items, more=more)

    async def received_one(self, request: web.Request) -> web.Response:
        """Show one received report with its content."""
        sight = await self.reader(request)
        number = _number(request.match_info["number"])
        async with self.desk.store.read() as conn:
            row = await one(conn, RECEIVED, views.ReceivedFile, (number,), units=self._units(sight))
        if row is None:
            raise ProblemError("not-found", f"there is no received report {number}")
        content = row.payload.get("content")
        said = read_statement(content) if isinstance(content, dict) else None
        return self.show(request, "received_one.html", sight, one=row, said=said)

    def _units(self, sight: Sight) -> frozenset[str] | None:
        return scope(sight.principal, sight.registry) if sight.principal else frozenset()


def local_path(back: str) -> str:
    """Return a path of this site to go back to; the front page for anything else.

    >>> local_path("/incidents/1"), local_path("//evil.example/"), local_path("https://evil.example")
    ('/incidents/1', '/', '/')
    """
    plain = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable()
    return back if plain and len(back) < 500 else "/"


def local_time(name: str, text: str, zone: ZoneInfo) -> datetime | None:
    """Return a time that a person wrote, in a zone where it has no offset; None: nothing was written.

    Raises:
        ProblemError: malformed.
    """
    if not text.strip():
        return None
    try:
        return written_time(text, zone)
    except ValueError:
        raise ProblemError("malformed", f"field {name}: found {text[:40]!r}, expected a time") from None


def _gravity(row: views.ExitRow) -> tuple[bool, int, str]:
    place = _GRAVEST.index(row.verdict) if row.verdict in _GRAVEST else len(_GRAVEST)
    return row.gone_at is not None, place, row.key


def sane(text: str) -> str:
    """Return an id of an address; one that no object can have is not found."""
    if len(text) > 200 or not text.isprintable():
        raise ProblemError("not-found", "the address holds an id that no object can have")
    return text


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise ProblemError("not-found", f"{text[:20]!r} is no receipt number")
    return int(text)
