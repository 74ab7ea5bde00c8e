"""The console: server-rendered pages that keep themselves fresh, read at three in the morning."""

from aiohttp import web

from ..desk.application import Room
from ..desk.world import Desk
from .drills import DrillPages
from .forms import Forms
from .links import LinkPages
from .pages import Pages
from .reports import Reports
from .run_pages import RunPages
from .sse import Streams
from .static import Files


def room(desk: Desk) -> Room:
    """Return the console over a world; the last room, since its paths have no prefix."""
    files = Files()
    pages = Pages(desk, files)
    streams = Streams(desk, pages.reader)
    routes = [
        *pages.routes(),
        *Forms(pages).routes(),
        *LinkPages(pages).routes(),
        *Reports(pages).routes(),
        *DrillPages(pages).routes(),
        *RunPages(pages).routes(),
        web.get("/events", streams.serve),
        web.get("/static/{name:.+}", files.serve),
    ]
    return Room((), routes, pages.refuse, streams.end)
