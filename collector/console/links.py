"""The page behind a notice's one-time link: read by anybody's scanner, used only by a press of its button."""

from aiohttp import web

from ..desk.acknowledging import Linked, look, use
from ..desk.identity import refuse_foreign
from ..desk.problem import ProblemError
from .pages import Pages


class LinkPages:
    """Shows what a link is for, and takes the person's word; nobody has to sign in."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._desk = pages.desk

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of links."""
        return [web.get("/a/{word}", self.show), web.post("/a/{word}", self.use)]

    async def show(self, request: web.Request) -> web.Response:
        """Ask for the person's word."""
        return await self._page(request, await look(self._desk, request.match_info["word"]))

    async def use(self, request: web.Request) -> web.Response:
        """Take the person's word."""
        refuse_foreign(request)
        if request.content_type != "application/x-www-form-urlencoded":
            raise ProblemError("malformed", f"found {request.content_type!r}, expected this page's form")
        if (await request.post()).get("confirm") != "yes":
            raise ProblemError("malformed", "confirm: found nothing, expected the page's own button")
        await use(self._desk, request.match_info["word"], self._desk.clock())
        return web.Response(status=303, headers={"Location": request.path})

    async def _page(self, request: web.Request, linked: Linked) -> web.Response:
        sight = await self._pages.anyone(request)
        incident = linked.incident
        answer = self._pages.show(
            request,
            "acknowledge.html",
            sight,
            state=linked.state,
            person=linked.person.name,
            title=incident.title if sight.language == "zh" else incident.title_en,
        )
        answer.headers["X-Robots-Tag"] = "noindex, nofollow"
        return answer
