"""One POST at a time to the collector above, by mutual TLS; `trust.superior` keeps who it is."""

import ssl
from datetime import timedelta

import aiohttp
import msgspec

from wire import codec

from ..errors import PermanentError, RetryableError
from ..trust.superior import Superior

MAX_ANSWER = 64 * 1024
_REFUSALS = frozenset({400, 413, 415, 422})
_KEPT = 300


class UnreachableError(RetryableError):
    """The collector above did not take it this time.

    Attributes:
        retry_after: What it asked for.
        reason: The end of its problem's type, `rekey` for one; empty where it said none.
    """

    def __init__(self, text: str, retry_after: timedelta = timedelta(0), reason: str = "") -> None:
        super().__init__(text)
        self.retry_after = retry_after
        self.reason = reason


class RefusedError(PermanentError):
    """The collector above will not take these bytes, now or later."""


class Line:
    """A connection to the collector above."""

    def __init__(self, superior: Superior, tls: ssl.SSLContext, timeout: timedelta) -> None:
        self._url = superior.url.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, limit=2),
            timeout=aiohttp.ClientTimeout(total=timeout.total_seconds()),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def post(self, path: str, body: bytes) -> bytes:
        """Send bytes as they are and return the answer's.

        Raises:
            UnreachableError: Not now.
            RefusedError: Never.
        """
        if self._session.closed:
            raise UnreachableError(
                f"{self._url}: the connection was just closed; the next try makes a new one"
            )
        headers = {"Content-Type": codec.JSON}
        try:
            async with self._session.post(
                self._url + path, data=body, headers=headers, allow_redirects=False
            ) as response:
                answer = await _read(response.content)
                if response.status == 200:
                    return answer
                said = f"{self._url} answered {response.status}: {answer[:_KEPT].decode('utf-8', 'replace')}"
                if response.status in _REFUSALS:
                    raise RefusedError(said)
                wait = asked(response.headers.get("Retry-After", ""))
                raise UnreachableError(said, wait, _reason(answer))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise UnreachableError(f"{self._url}: {str(error) or type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


async def _read(content: aiohttp.StreamReader) -> bytes:
    answer = b""
    async for chunk in content.iter_any():
        answer += chunk
        if len(answer) > MAX_ANSWER:
            raise ValueError(f"an answer of more than {MAX_ANSWER} bytes")
    return answer


def asked(header: str) -> timedelta:
    """Return the wait that a `Retry-After` asks for, an hour at most; nothing where it says no seconds."""
    seconds = int(header[:9]) if header.isascii() and header.isdecimal() else 0
    return timedelta(seconds=min(seconds, 3600))


def _reason(answer: bytes) -> str:
    try:
        problem = msgspec.json.decode(answer, type=dict[str, object])
    except codec.UNREADABLE:
        return ""
    return str(problem.get("type", "")).rpartition(":")[2]
