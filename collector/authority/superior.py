"""The collector above: where it is, whom it is trusted by, and one POST to it by mutual TLS.

`fengsui-collector join` writes the folder `<state_dir>/superior/`: `key.pem` (made here, 0600),
`certificate.pem`, `authorities.pem`, and `identity.json` with `node`, `unit` and `url`.
"""

import ssl
from datetime import timedelta
from pathlib import Path

import aiohttp
import msgspec
from msgspec import Struct

from wire import codec

from ..errors import PermanentError, RetryableError

FOLDER = "superior"
IDENTITY = "identity.json"
KEY, CERTIFICATE, AUTHORITIES = "key.pem", "certificate.pem", "authorities.pem"
MAX_ANSWER = 64 * 1024
_REFUSALS = frozenset({400, 413, 415, 422})
_KEPT = 300


class Superior(Struct, frozen=True, kw_only=True):
    """What `join` left behind.

    Fields:
        node, unit: Who this collector is to the one above.
        url: `https://host:port` of its agents' listener.
    """

    node: str
    unit: str
    url: str


class UnreachableError(RetryableError):
    """The collector above did not take it this time; `retry_after` is what it asked for."""

    def __init__(self, text: str, retry_after: timedelta = timedelta(0)) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class RefusedError(PermanentError):
    """The collector above will not take these bytes, now or later."""


def load_superior(state: Path) -> Superior | None:
    """Return what `join` wrote in a state folder, None where this collector has not joined.

    Raises:
        PermanentError: It is there and cannot be read.
    """
    file = state / FOLDER / IDENTITY
    try:
        return msgspec.json.decode(file.read_bytes(), type=Superior)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise PermanentError(f"{file}: {error}; join the superior again") from error


def tls_of(state: Path) -> ssl.SSLContext:
    """Return TLS 1.3 with this collector's certificate, trusting the superior's authorities alone.

    Raises:
        PermanentError: A file is missing or damaged.
    """
    folder = state / FOLDER
    try:
        context = ssl.create_default_context(cafile=str(folder / AUTHORITIES))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    except (OSError, ssl.SSLError) as error:
        raise PermanentError(f"{folder}: {error}; join the superior again") from error
    return context


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
        headers = {"Content-Type": codec.JSON}
        try:
            async with self._session.post(
                self._url + path, data=body, headers=headers, allow_redirects=False
            ) as response:
                answer = await response.content.read(MAX_ANSWER)
                if response.status == 200:
                    return answer
                said = f"{self._url} answered {response.status}: {answer[:_KEPT].decode('utf-8', 'replace')}"
                if response.status in _REFUSALS:
                    raise RefusedError(said)
                raise UnreachableError(said, _asked(response.headers.get("Retry-After", "")))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise UnreachableError(f"{self._url}: {str(error) or type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


def _asked(header: str) -> timedelta:
    return timedelta(seconds=min(int(header), 3600)) if header.isdecimal() else timedelta(0)
