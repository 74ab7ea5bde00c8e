"""Call an address that the operator allowed: a notice to a machine, sent by the notices' flow."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import SplitResult, unquote, urlsplit

from sqlalchemy.ext.asyncio import AsyncConnection

from ..plans.conditions import fill
from ..plans.model import HttpRequest as HttpStep
from ..store.notices import add_notice, notice_by_key
from .port import Done, Failed, Result, Skipped, StepContext, Surroundings, Waiting

LOOK_AGAIN = timedelta(minutes=1)
"""Whoever records the answer wakes the step; this is for what was missed."""

_PORTS = {"http": 80, "https": 443}


class HttpRequest:
    """Queues the request and waits for its answer; the receiver tells effects apart by `Idempotency-Key`."""

    kind: ClassVar[str] = "http_request"

    def __init__(self, surroundings: Surroundings, /) -> None:
        self._surroundings = surroundings

    async def begin(self, conn: AsyncConnection, context: StepContext, /) -> Result:
        """Queue the request once; an address off the list fails the step."""
        step = context.step
        assert isinstance(step, HttpStep)  # noqa: S101 - the runner asks by kind
        if context.drill:
            return Skipped("a drill calls nobody")
        url = fill(step.url, context.scope)
        if not allowed(url, self._surroundings.http_allow()):
            return Failed(f"{url} is not below any address of http_allow in the settings")
        body = _filled(step.body, context)
        await add_notice(
            conn,
            key=context.key,
            incident=context.incident.id if context.incident else None,
            person=None,
            channel=self._surroundings.http_channel,
            payload={"url": url, "body": body},
            now=context.now,
        )
        return Waiting(context.now + LOOK_AGAIN, {"notice": context.key})

    async def poll(self, conn: AsyncConnection, context: StepContext, /) -> Result:
        """See what the call came to; whether it was carried out is the receiver's word."""
        notice = await notice_by_key(conn, context.key)
        if notice is None:
            return await self.begin(conn, context)
        told = notice.result or {}
        if notice.state == "sent":
            return Done({"notice": context.key, "status": told.get("status")})
        if notice.state in {"failed", "unknown"}:
            return Failed(f"the call is {notice.state}: {told.get('why', 'no reason given')}")
        return Waiting(context.now + LOOK_AGAIN)


def allowed(url: str, prefixes: Sequence[str]) -> bool:
    """Return whether an address lies below one of the prefixes: same scheme, host and port, path by segments.

    >>> allowed("https://soc.gov.example/hooks/a", ["https://soc.gov.example/hooks"])
    True
    >>> allowed("https://soc.gov.example.evil.example/hooks/a", ["https://soc.gov.example"])
    False
    >>> allowed("https://soc.gov.example/hooks/../admin", ["https://soc.gov.example/hooks"])
    False
    """
    try:
        asked = urlsplit(url)
        path = unquote(asked.path)
        return (
            not any(_odd(char) for char in url + path)  # before urlsplit took some away in silence
            and asked.scheme in _PORTS
            and "@" not in asked.netloc
            and ".." not in path.split("/")
            and any(_below(asked, urlsplit(prefix)) for prefix in prefixes)
        )
    except ValueError:
        return False


def _odd(char: str) -> bool:
    return not char.isprintable() or char.isspace() or char == "\\"


def _below(asked: SplitResult, prefix: SplitResult) -> bool:
    def place(url: SplitResult) -> tuple[str, str | None, int | None]:
        return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)

    base = prefix.path.rstrip("/")
    return place(asked) == place(prefix) and (asked.path == base or asked.path.startswith(base + "/"))


def _filled(value: Any, context: StepContext) -> Any:  # noqa: ANN401 - a body is any JSON
    if isinstance(value, str):
        return fill(value, context.scope)
    if isinstance(value, list):
        return [_filled(item, context) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item, context) for name, item in value.items()}
    return value
