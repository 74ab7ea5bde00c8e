"""Problem documents, RFC 9457: what a program is told when its request cannot be done."""

import msgspec
from aiohttp import web
from msgspec import Struct

from ..desk.problem import ProblemError

MEDIA_TYPE = "application/problem+json"


class Problem(Struct, frozen=True, kw_only=True, rename={"kind": "type"}):
    """A problem document.

    Fields:
        kind: `urn:fengsui:problem:<kind>`; what a program branches on.
        title: What all problems of the kind have in common.
        status: The HTTP status, again.
        detail: This one: where, what was found, what was expected.
        instance: The path that was asked for.
    """

    kind: str
    title: str
    status: int
    detail: str
    instance: str


def refuse(request: web.Request, problem: ProblemError) -> web.Response:
    """Answer with a problem document; a 401 names the scheme, a busy store when to come back."""
    document = Problem(
        kind=f"urn:fengsui:problem:{problem.kind}",
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        instance=request.path[:500],
    )
    headers = {
        "unauthenticated": {"WWW-Authenticate": 'Bearer realm="fengsui"'},
        "busy": {"Retry-After": "1"},
    }.get(problem.kind, {})
    return web.Response(
        body=msgspec.json.encode(document), status=problem.status, content_type=MEDIA_TYPE, headers=headers
    )
