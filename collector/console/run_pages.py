"""Runs of plans as pages: the list, and one run with its picture, its steps and its history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from ..desk.identity import require_same_origin
from ..desk.moves import act_on_run, start_run
from ..desk.problem import ProblemError
from ..desk.rights import Principal, scope
from ..store import views
from ..store.board import RunHistory, newest_entry, read_run
from ..store.desk import RUNS, page
from .pages import ROWS, Pages, SignInFirstError, local_path, sane
from .picture import Shown, picture
from .planned import ordered, planned
from .sight import Sight
from .spans import written_time


class RunPages:
    """Shows runs, and takes what people do to them as a whole."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._desk = pages.desk

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of runs."""
        return [
            web.get("/runs", self.list),
            web.post("/runs", self.start),
            web.get("/runs/{run}", self.show),
            web.post("/runs/{run}/deeds", self.act),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Show the runs, the newest first, and the plans that can be started."""
        sight = await self._pages.reader(request)
        after = (sane(request.query["after"]),) if "after" in request.query else None
        async with self._desk.store.read() as conn:
            journal = await newest_entry(conn)
            units = scope(_known(sight), self._desk.registry())
            found = await page(conn, RUNS, units=units, after=after, limit=ROWS)
        startable = sorted(self._desk.startable(), key=lambda plan: plan.id)
        names = {plan.id: plan.name if sight.language == "zh" else plan.name_en for plan in startable}
        return self._pages.show(
            request,
            "runs.html",
            sight,
            journal,
            runs=found.items,
            names=names,
            startable=startable,
            home=self._desk.unit,
            more=f"/runs?after={found.next[0]}" if found.next else None,
        )

    async def show(self, request: web.Request) -> web.Response:
        """Show one run."""
        sight = await self._pages.reader(request)
        key = request.match_info["run"]
        async with self._desk.store.read() as conn:
            journal = await newest_entry(conn)
            units = scope(_known(sight), self._desk.registry())
            found = await read_run(conn, sane(key), units=units)
        if found is None:
            raise ProblemError("not-found", f"there is no run {key[:64]!r}")
        return self._pages.show(
            request,
            "run.html",
            sight,
            journal,
            run=found.run,
            steps=found.steps,
            journal_of_run=found.journal,
            picture=drawn(sight, found),
            planned=planned,
            ordered=ordered,
            titles={
                step.step: sight.both(planned(found.run, step).title) or step.step for step in found.steps
            },
        )

    async def start(self, request: web.Request) -> web.StreamResponse:
        """Start a plan by hand, for an incident or a unit."""
        sight, form = await self._sent(request)
        run = await start_run(
            self._desk,
            _known(sight),
            form.get("plan", "")[:200],
            incident=form.get("incident"),
            unit=form.get("unit"),
            reason=form.get("reason", "")[:2000],
            now=self._desk.clock(),
        )
        return web.Response(status=303, headers={"Location": f"/runs/{run}"})

    async def act(self, request: web.Request) -> web.StreamResponse:
        """Pause, resume or give up a run, skip or retry a step, set the level."""
        sight, form = await self._sent(request)
        await act_on_run(
            self._desk,
            _known(sight),
            request.match_info["run"],
            form.get("deed", "")[:40],
            step=form.get("step", "")[:200],
            level=form.get("level"),
            until=_until(form.get("until", ""), sight.zone),
            reason=form.get("reason", "")[:2000],
            now=self._desk.clock(),
        )
        return web.Response(status=303, headers={"Location": local_path(form.get("back", "/"))})

    async def _sent(self, request: web.Request) -> tuple[Sight, Mapping[str, str]]:
        if request.content_type != "application/x-www-form-urlencoded":
            raise ProblemError("malformed", f"found {request.content_type!r}, expected a form of the console")
        try:
            form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        except (ValueError, LookupError):
            raise ProblemError("malformed", "the form is not UTF-8 text") from None
        sight = await self._pages.reader(request)
        require_same_origin(request, _known(sight), form.get("csrf", ""))
        return sight, form


def drawn(sight: Sight, found: RunHistory) -> str:
    """Return the picture of a run's plan with what became of each step; the newest visit counts."""
    steps: Mapping[str, Any] = found.run.plan_body.get("steps") or {}
    newest = {row.step: row for row in sorted(found.steps, key=lambda row: row.visit)}
    shown = {name: _shown(sight, name, step, newest.get(name)) for name, step in steps.items()}
    title = sight.both(found.run.plan_body.get("name")) or found.run.plan
    return picture(steps, str(found.run.plan_body.get("first", "start")), shown, title)


def _shown(sight: Sight, name: str, step: Mapping[str, Any], row: views.StepRow | None) -> Shown:
    return Shown(
        title=sight.both(step.get("title")) or name,
        state=row.state if row is not None else "",
        state_word=sight.word("step", row.state) if row is not None else "",
    )


def _until(text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    try:
        return written_time(text, zone)
    except ValueError:
        raise ProblemError("malformed", f"until: found {text[:80]!r}, expected a time") from None


def _known(sight: Sight) -> Principal:
    if sight.principal is None:
        raise SignInFirstError
    return sight.principal
