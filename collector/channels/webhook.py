"""POST of JSON to an address the operator named, with the key by which the receiver tells effects apart."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from .port import Failed, Result, Sent, Unknown

MAX_ANSWER = 64 * 1024
_KEPT = 200
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class Webhook:
    """Posts; follows no redirects, for an address behind one was never allowed by anybody.

    Args:
        name: Its name in the settings.
        url: Where it goes when a person has no address of their own.
        timeout: For the whole call.
    """

    def __init__(self, name: str, url: str = "", timeout: timedelta = timedelta(seconds=10)) -> None:
        self.name = name
        self._url = url
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def send(self, address: str, payload: Mapping[str, Any], key: str) -> Result:
        """Post the payload."""
        url = address or self._url
        if not _is_http(url):
            return Failed(permanent=True, why=f"no http address to send to (channel {self.name})")
        session = self._session = self._session or self._open()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        body = msgspec.json.encode(payload)
        try:
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                answer = await _read(response)
                return _judge(response, answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Failed(permanent=False, why=f"no connection to {_place(url)}: {type(error).__name__}")
        except aiohttp.InvalidURL:
            return Failed(permanent=True, why="the address is not a URL")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Unknown(f"the answer of {_place(url)} was lost: {type(error).__name__}")

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


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Read the answer as far as it is kept; a long one is cut off with its connection."""
    answer = b""
    async for chunk in response.content.iter_any():
        answer += chunk
        if len(answer) > MAX_ANSWER:
            response.close()
            break
    return answer[:_KEPT]


def _judge(response: aiohttp.ClientResponse, answer: bytes) -> Result:
    status = response.status
    said = answer.decode("utf-8", "replace")
    if 200 <= status < 300:
        return Sent({"status": status})
    if status in _AGAIN:
        return Failed(permanent=False, why=f"HTTP {status}: {said}", retry_after=_retry_after(response))
    if 300 <= status < 400:
        return Failed(permanent=True, why=f"HTTP {status}: redirects are not followed; set the final address")
    return Failed(permanent=True, why=f"HTTP {status}: {said}")


def _retry_after(response: aiohttp.ClientResponse) -> timedelta | None:
    with suppress(ValueError):
        return timedelta(seconds=min(max(int(response.headers.get("Retry-After", "")), 0), 3600))
    return None


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _place(url: str) -> str:
    """Return host and port: path and query may hold the receiver's secret."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
