"""One HTTP application out of rooms: every answer leaves by the same door, whatever went wrong behind it.

::

    request -> door (headers, problems, count of faults) -> room by path -> handler
                 ^ ProblemError, aiohttp's own refusals, a busy store, and last of all our own faults

The last room takes what no other room's prefix claims.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from msgspec import Struct

from ..store.engine import StoreBusyError
from .problem import Kind, ProblemError
from .world import Desk

DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)
FAULTS: web.AppKey[Counter[str]] = web.AppKey("faults", Counter)
"""Unforeseen errors by exception class; the metrics show their sum."""

MAX_BODY_BYTES = 64 * 1024
_log = logging.getLogger(__name__)
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_REFUSALS: Mapping[int, Kind] = {
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
}


class Room(Struct, frozen=True):
    """A part of the HTTP surface.

    Fields:
        prefixes: Paths that are this room's; empty in the last room only.
        routes: Its routes.
        refuse: How it tells a problem to who asked.
        end: Lets go of what it holds open when the application stops.
    """

    prefixes: tuple[str, ...]
    routes: Sequence[web.AbstractRouteDef]
    refuse: Callable[[web.Request, ProblemError], web.StreamResponse]
    end: Callable[[web.Application], Awaitable[None]] | None = None


def make_application(desk: Desk, rooms: Sequence[Room]) -> web.Application:
    """Return the application of these rooms over this world."""
    application = web.Application(middlewares=[_door(rooms)], client_max_size=MAX_BODY_BYTES)
    application[DESK] = desk
    application[FAULTS] = Counter()
    application.on_response_prepare.append(_dress)
    for room in rooms:
        application.add_routes(room.routes)
        if room.end is not None:
            application.on_shutdown.append(room.end)
    return application


async def _dress(request: web.Request, response: web.StreamResponse) -> None:
    del request
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "fengsui"
    response.headers.setdefault("Cache-Control", "no-store")


def _door(rooms: Sequence[Room]) -> Middleware:
    @web.middleware
    async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
        room = next((room for room in rooms if request.path.startswith(room.prefixes)), rooms[-1])
        try:
            return await handler(request)
        except ProblemError as problem:
            return room.refuse(request, problem)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            answer = room.refuse(request, _foreign(error, request))
            if isinstance(error, web.HTTPMethodNotAllowed):  # RFC 9110, 15.5.6: it says what is allowed
                answer.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
            return answer
        except StoreBusyError as error:
            return room.refuse(request, ProblemError("busy", str(error)))
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: counted, logged with its trace
            request.app[FAULTS][type(error).__name__] += 1
            _log.exception("a fault at %s %s", request.method, request.path)
            return room.refuse(request, ProblemError("internal", "see the collector's log for this time"))

    return door


def _foreign(error: web.HTTPException, request: web.Request) -> ProblemError:
    kind = _REFUSALS.get(error.status, "malformed")
    details: dict[Kind, str] = {
        "not-found": f"no page or resource at {request.path[:200]!r}",
        "method-not-allowed": f"{request.method} is not one of what {request.path[:200]!r} takes",
        "too-large": f"a body above {MAX_BODY_BYTES} bytes",
    }
    return ProblemError(kind, details.get(kind, error.reason or "malformed request"))
