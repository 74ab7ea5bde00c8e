"""One route of the API as data: from it come the HTTP handler, its checks and its part of openapi.json.

A handler is a plain coroutine from a `Call` to a struct; it never sees HTTP. What is wrong with a request
is found before it runs and answered as a problem; nothing a caller sends ends in a 500.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from wire.codec import UNREADABLE

from ..desk.identity import identify, is_local, require_same_origin
from ..desk.problem import Kind, ProblemError
from ..desk.rights import Deed, Principal, allow, scope
from ..desk.world import Desk
from ..store.desk import Listing, Page, Units, page
from .cursor import mark, place

Item = TypeVar("Item", bound=Struct)
Filter = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
_PARAMETER = re.compile(r"{(\w+)(?::[^}]*)?}")
_LOCAL = Principal(actor="local", name="local", role="metrics")
_KEY = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


class Call(Struct, frozen=True, kw_only=True):
    """A request that has passed every check: who asks, what for, of which units, at what time."""

    desk: Desk
    principal: Principal
    units: Units
    now: datetime
    path: dict[str, str]
    query: Any
    body: Any


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters, no body."""


class File(Struct, frozen=True, kw_only=True):
    """An answer that is a file and no JSON."""

    name: str
    media_type: str
    body: bytes


class Paging(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How every list is paged: `cursor` is a former page's `next`."""

    cursor: Annotated[str, Meta(max_length=512)] | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class Listed(Struct, Generic[Item], frozen=True):
    """A page of a list; `next` is the cursor of the page after it, null at the end."""

    items: list[Item]
    next: str | None


class Endpoint(Struct, frozen=True, kw_only=True):
    """A route of the API.

    Fields:
        name: The operation's id.
        deed: What the caller must be allowed; None: open to all.
        local: Whether who is on this host needs no token.
        answer: Struct of the answer, or `File`.
        media: Media type of an answer that is a file.
        upload: Most bytes of a body that is a file; 0: the body is JSON or none.
        problems: Kinds that it may answer with besides those every route has.
    """

    method: str
    path: str
    name: str
    summary: str
    handler: Callable[[Call], Awaitable[Any]]
    answer: Any
    deed: Deed | None = "read"
    local: bool = False
    query: type[Struct] = Nothing
    body: type[Struct] | None = None
    media: str = "application/json"
    upload: int = 0
    problems: tuple[Kind, ...] = ()

    @property
    def parameters(self) -> list[str]:
        """Names of the path's parts that vary."""
        return _PARAMETER.findall(self.path)

    @property
    def template(self) -> str:
        """The path as OpenAPI writes it."""
        return _PARAMETER.sub(r"{\1}", self.path)


def route(desk: Desk, endpoint: Endpoint) -> web.RouteDef:
    """Return the HTTP route of an endpoint."""

    async def handle(request: web.Request) -> web.Response:
        principal = await _admitted(request, desk, endpoint)
        body: Struct | bytes | None = await _upload(request, endpoint.upload) if endpoint.upload else None
        if endpoint.body is not None:
            body = await _body(request, endpoint.body)
        call = Call(
            desk=desk,
            principal=principal,
            units=scope(principal, desk.registry()),
            now=desk.clock(),
            path=_path(request),
            query=_query(request, endpoint.query),
            body=body,
        )
        answer = await endpoint.handler(call)
        if isinstance(answer, File):
            return _file(answer)
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    return web.route(endpoint.method, endpoint.path, handle)


async def listed(
    call: Call, listing: Listing[Item], types: tuple[type, ...] = (str,), names: dict[str, str] | None = None
) -> Listed[Item]:
    """Answer a list: the page the caller's cursor stands for, filtered by what the query names.

    Args:
        call: With a query that extends `Paging`.
        listing: What is listed.
        types: Types of the listing's key.
        names: Columns whose query field is called otherwise.
    """
    renamed = names or {}
    where = [
        (column, value)
        for column in listing.filters
        if isinstance(value := getattr(call.query, renamed.get(column, column), None), str)
    ]
    after = place(call.query.cursor, types) if call.query.cursor else None
    async with call.desk.store.read() as conn:
        found: Page[Item] = await page(
            conn, listing, units=call.units, where=where, after=after, limit=call.query.limit
        )
    return Listed(found.items, mark(found.next) if found.next else None)


def found_or_404(found: Item | None, what: str) -> Item:
    """Return what was found.

    Raises:
        ProblemError: not-found.
    """
    if found is None:
        raise ProblemError("not-found", f"there is no {what}")
    return found


async def _admitted(request: web.Request, desk: Desk, endpoint: Endpoint) -> Principal:
    principal = await identify(request, desk)
    if endpoint.deed is None:
        return principal or Principal(actor="anonymous", name="", role="none")
    if principal is None and endpoint.local and is_local(request):
        if endpoint.method != "GET" and request.content_type != "application/json":
            # A page in a browser on this host may send forms to us, but no JSON without asking first.
            raise ProblemError(
                "malformed", f"body: found {request.content_type!r}, expected application/json"
            )
        return _LOCAL
    if principal is None:
        raise ProblemError("unauthenticated", "send `Authorization: Bearer …`, or sign in at the console")
    allow(principal, endpoint.deed)
    if endpoint.method != "GET":
        require_same_origin(request, principal)
    return principal


def _path(request: web.Request) -> dict[str, str]:
    for value in request.match_info.values():
        if not _KEY.fullmatch(value):
            raise ProblemError("not-found", "the path holds an id that no object can have")
    return dict(request.match_info)


def _query(request: web.Request, into: type[Struct]) -> Struct:
    if len(set(request.query)) != len(request.query):
        raise ProblemError("malformed", "query: a parameter is given twice")
    try:
        return msgspec.convert(dict(request.query), into, strict=False)
    except msgspec.ValidationError as error:
        raise ProblemError("malformed", f"query: {error}") from error


async def _upload(request: web.Request, limit: int) -> bytes:
    received = bytearray()
    async for chunk in request.content.iter_chunked(65_536):
        received += chunk
        if len(received) > limit:
            raise ProblemError("too-large", f"body: expected at most {limit} bytes")
    return bytes(received)


def _file(file: File) -> web.Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"}
    return web.Response(body=file.body, content_type=file.media_type, headers=headers)


async def _body(request: web.Request, into: type[Struct]) -> Struct:
    if request.content_type != "application/json":
        raise ProblemError("malformed", f"body: found {request.content_type!r}, expected application/json")
    return decoded(await request.read(), into)


def decoded(body: bytes, into: type[Struct]) -> Struct:
    """Return a request's body.

    Raises:
        ProblemError: malformed.
    """
    try:
        return msgspec.json.decode(body, type=into)
    except UNREADABLE as error:
        raise ProblemError("malformed", f"body: {error}") from error
