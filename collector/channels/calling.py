"""One HTTP call of a channel: bounded in time and size, without redirects, told as what came of it."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

import aiohttp
from msgspec import Struct

from .port import Failed, Unknown

MAX_ANSWER = 64 * 1024
_KEPT = 200
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class Answer(Struct, frozen=True, kw_only=True):
    """A receiver's answer of success."""

    status: int
    body: bytes


class Caller:
    """Keeps one session; `timeout` is for a whole call."""

    def __init__(self, timeout: timedelta) -> None:
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self, method: str, url: str, *, data: bytes | None, headers: Mapping[str, str]
    ) -> Answer | Failed | Unknown:
        """Call; follows no redirects, for an address behind one was never allowed by anybody."""
        session = self._session = self._session or self._open()
        try:
            async with session.request(
                method, url, data=data, headers=dict(headers), allow_redirects=False
            ) as response:
                return _judge(response, await _read(response))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Failed(permanent=False, why=f"no connection to {place(url)}: {type(error).__name__}")
        except aiohttp.InvalidURL:
            return Failed(permanent=True, why="the address is not a URL")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Unknown(f"the answer of {place(url)} was lost: {type(error).__name__}")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        seconds = self._timeout.total_seconds()
        return aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=seconds, connect=seconds / 2),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )


def is_http(url: str) -> bool:
    """Whether an address is one of http or https."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def place(url: str) -> str:
    """Return host and port: path and query may hold the receiver's secret."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Read the answer as far as it is wanted; a long one is cut off with its connection."""
    answer = b""
    async for chunk in response.content.iter_any():
        answer += chunk
        if len(answer) > MAX_ANSWER:
            response.close()
            break
    return answer


def _judge(response: aiohttp.ClientResponse, answer: bytes) -> Answer | Failed:
    status = response.status
    said = answer[:_KEPT].decode("utf-8", "replace")
    if 200 <= status < 300:
        return Answer(status=status, body=answer)
    if status in _AGAIN:
        return Failed(permanent=False, why=f"HTTP {status}: {said}", retry_after=_retry_after(response))
    if 300 <= status < 400:
        return Failed(permanent=True, why=f"HTTP {status}: redirects are not followed; set the final address")
    return Failed(permanent=True, why=f"HTTP {status}: {said}")


def _retry_after(response: aiohttp.ClientResponse) -> timedelta | None:
    with suppress(ValueError):
        return timedelta(seconds=min(max(int(response.headers.get("Retry-After", "")), 0), 3600))
    return None
