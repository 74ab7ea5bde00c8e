"""What a reader sends: signing in and out, language, moves of incidents, steps of plans.

Every form works without a script: it answers with a redirection to a page. With htmx the same answer is
fetched and morphed into the page that is there.
"""

from collections.abc import Mapping
from typing import Any, cast, get_args
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from wire.codec import UNREADABLE
from wire.vocabulary import ORDERS

from ..desk.correcting import TIMES, correct_incident, said
from ..desk.guesses import DelayedError
from ..desk.identity import (
    SESSION_COOKIE,
    SESSION_LENGTH,
    Door,
    address_of,
    refuse_foreign,
    require_same_origin,
    sign_out,
)
from ..desk.moves import Target, complete_step, confirm, move_incident
from ..desk.ordering import give_order, take_away
from ..desk.problem import ProblemError
from ..desk.rights import Principal
from ..store import views
from ..store.board import unit_of_incident
from ..store.desk import RUNS, one, steps_of
from .pages import LANGUAGE_COOKIE, Pages, SignInFirstError, local_path, local_time, sane
from .planned import planned
from .sight import Sight
from .spans import written_time
from .texts import LANGUAGES

_YEAR_SECONDS = 365 * 86400
_OUT = "out."
_LARGEST = 2**53


class Forms:
    """Takes the console's forms for one world."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._desk = pages.desk
        self._door = Door(pages.desk)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of what is sent."""
        return [
            web.get("/sign-in", self.door),
            web.post("/sign-in", self.enter),
            web.post("/sign-out", self.leave),
            web.post("/language", self.choose_language),
            web.post("/incidents/{id}/move", self.move),
            web.post("/nodes/{id}/orders", self.order),
            web.get("/nodes/{id}/evidence/{pack}", self.evidence),
            web.post("/incidents/{id}/confirm", self.confirm),
            web.post("/incidents/{id}/correct", self.correct),
            web.post("/runs/{run}/steps/{step:.+}", self.complete),
        ]

    async def door(self, request: web.Request) -> web.Response:
        """Show the sign-in page."""
        sight = await self._pages.anyone(request)
        back = local_path(request.query.get("back", "/"))
        return self._pages.show(request, "sign_in.html", sight, wrong=False, wait=0, name="", back=back)

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """Open a session for who knows a password."""
        refuse_foreign(request)
        form = await _read(request)
        name, back = form.get("name", "")[:128], local_path(form.get("back", "/"))
        secret, wait = None, 0
        try:
            secret = await self._door.sign_in(
                name, form.get("password", ""), address_of(request), self._desk.clock()
            )
        except DelayedError as error:
            wait = error.seconds
        if secret is None:
            sight = await self._pages.anyone(request)
            answer = self._pages.show(
                request, "sign_in.html", sight, wrong=not wait, wait=wait, name=name, back=back
            )
            answer.set_status(429 if wait else 403)
            answer.headers.update({"Retry-After": str(wait)} if wait else {})
            return answer
        redirect = _to(back)
        redirect.set_cookie(
            SESSION_COOKIE,
            secret,
            max_age=int(SESSION_LENGTH.total_seconds()),
            httponly=True,
            samesite="Strict",
            secure=request.headers.get("X-Forwarded-Proto", request.scheme) == "https",
        )
        return redirect

    async def leave(self, request: web.Request) -> web.StreamResponse:
        """End the session."""
        await self._sender(request, await _read(request))
        await sign_out(self._desk, request.cookies.get(SESSION_COOKIE, ""))
        redirect = _to("/sign-in")
        redirect.del_cookie(SESSION_COOKIE, samesite="Strict", httponly=True)
        return redirect

    async def choose_language(self, request: web.Request) -> web.StreamResponse:
        """Keep a reader's language in a cookie."""
        refuse_foreign(request)
        form = await _read(request)
        redirect = _to(local_path(form.get("back", "/")))
        if (language := form.get("language", "")) in LANGUAGES:
            redirect.set_cookie(
                LANGUAGE_COOKIE, language, max_age=_YEAR_SECONDS, httponly=True, samesite="Strict"
            )
        return redirect

    async def move(self, request: web.Request) -> web.StreamResponse:
        """Bring an incident into another state."""
        form = await _read(request)
        sight = await self._sender(request, form)
        to = form.get("to", "")
        if to not in get_args(Target):
            raise ProblemError("malformed", f"to: found {to[:40]!r}, expected one of {get_args(Target)}")
        await move_incident(
            self._desk,
            _known(sight),
            request.match_info["id"],
            cast("Target", to),
            form.get("reason", "")[:2000],
            now=self._desk.clock(),
        )
        return _to(local_path(form.get("back", "/")))

    async def confirm(self, request: web.Request) -> web.StreamResponse:
        """Confirm a proposed level, or that a clock in doubt was missed."""
        form = await _read(request)
        sight = await self._sender(request, form)
        await confirm(
            self._desk,
            _known(sight),
            request.match_info["id"],
            level=form.get("level"),
            clock=form.get("clock"),
            reason=form.get("reason", "")[:2000],
            now=self._desk.clock(),
        )
        return _to(local_path(form.get("back", "/")))

    async def correct(self, request: web.Request) -> web.StreamResponse:
        """Replace one fact or time by a person's word; an empty value takes it away."""
        form = await _read(request)
        sight = await self._sender(request, form)
        key, name = request.match_info["id"], form.get("name", "")
        value = form.get("value", "")[:200]
        async with self._desk.store.read() as conn:
            zone = sight.zone_of(await unit_of_incident(conn, sane(key)))
        if name in TIMES or name.endswith("_since") or name == "intermediate_requested":
            told: Any = local_time(name, value, zone)
        else:
            told = said(name, value)
        await correct_incident(
            self._desk,
            _known(sight),
            key,
            facts={} if name in TIMES else {name: told},
            times={name: told} if name in TIMES else {},
            reason=form.get("reason", "")[:2000],
            now=self._desk.clock(),
        )
        return _to(f"/incidents/{quote(key, safe='')}")

    async def order(self, request: web.Request) -> web.StreamResponse:
        """Give a node an order; only looked at unless the form says that it shall be done."""
        form = await _read(request)
        sight = await self._sender(request, form)
        kind = form.get("kind", "")
        if kind not in ORDERS:
            raise ProblemError("malformed", f"kind: found {kind[:40]!r}, expected one of {', '.join(ORDERS)}")
        try:
            params = msgspec.json.decode(form.get("params", "").strip() or "{}", type=dict[str, Any])
        except UNREADABLE as error:
            raise ProblemError("malformed", f"params: {error}") from None
        node = request.match_info["id"]
        await give_order(
            self._desk,
            _known(sight),
            node,
            kind,
            params,
            reason=form.get("reason", "")[:2000],
            dry_run=form.get("really") != "yes",
            now=self._desk.clock(),
        )
        return _to(f"/nodes/{quote(node, safe='')}")

    async def evidence(self, request: web.Request) -> web.StreamResponse:
        """Hand out the content of a proved pack; that stands in its chain of custody."""
        sight = await self._pages.reader(request)
        pack, body = await take_away(
            self._desk, _known(sight), request.match_info["pack"], now=self._desk.clock()
        )
        name = quote(f"{pack.host or 'node'}-{pack.name}", safe="")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return web.Response(body=body, content_type="application/octet-stream", headers=headers)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Say that a manual step is done, with what its form asked for."""
        form = await _read(request)
        sight = await self._sender(request, form)
        run, step = request.match_info["run"], request.match_info["step"]
        out = await self._filled(run, step, form, sight.zone)
        await complete_step(self._desk, _known(sight), run, step, out, now=self._desk.clock())
        return _to(local_path(form.get("back", "/")))

    async def _sender(self, request: web.Request, form: Mapping[str, str]) -> Sight:
        sight = await self._pages.reader(request)
        require_same_origin(request, _known(sight), form.get("csrf", ""))
        return sight

    async def _filled(self, run: str, step: str, form: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
        async with self._desk.store.read() as conn:
            body = await one(conn, RUNS, views.RunPlan, (run,)) if run.isprintable() else None
            rows = [row for row in await steps_of(conn, [run]) if row.step == step] if body else []
        if body is None or not rows:
            raise ProblemError("not-found", f"there is no step {step[:80]!r} in this run")
        fields = planned(body, rows[-1]).form
        given = {name.removeprefix(_OUT): text for name, text in form.items() if name.startswith(_OUT)}
        return {
            name: _value(name, str(fields.get(name, {"type": "text"})["type"]), text, zone)
            for name, text in given.items()
            if text != ""
        }


def _value(name: str, kind: str, text: str, zone: ZoneInfo) -> str | int | float | bool:
    try:
        match kind:
            case "bool":
                return text == "true"
            case "number":
                return _number(text)
            case "time":
                return written_time(text, zone).isoformat()
            case _:
                return text
    except ValueError:
        raise ProblemError("malformed", f"field {name}: found {text[:80]!r}, expected a {kind}") from None


def _number(text: str) -> int | float:
    """Return a number that JSON and every database hold."""
    number = int(text) if text.lstrip("-").isdigit() else float(text)
    if not -_LARGEST <= number <= _LARGEST:
        raise ValueError(f"{text[:20]} is too large")
    return number


def _known(sight: Sight) -> Principal:
    if sight.principal is None:
        raise SignInFirstError
    return sight.principal


async def _read(request: web.Request) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise ProblemError("malformed", f"found {request.content_type!r}, expected a form of the console")
    try:
        return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    except (ValueError, LookupError):
        raise ProblemError("malformed", "the form is not UTF-8 text") from None


def _to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})
