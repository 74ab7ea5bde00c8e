"""POST of JSON to an address the operator named, with the key by which the receiver tells effects apart."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ..plans.openc2 import media_of, request_of
from ..settings import ChannelSettings
from ..trust.secret_files import read_secret
from .calling import Answer, Caller, is_http
from .port import Failed, Result, Sent
from .signing import key_of, signed


class Webhook:
    """Posts, and signs where it has a secret; an OpenC2 command goes out as the OpenC2 that it is.

    Args:
        name: Its name in the settings.
        url: Where it goes when a person has no address of their own.
        timeout: For the whole call.
        sign: Returns the headers that sign a body under a key; none: nothing is signed.
    """

    def __init__(
        self,
        name: str,
        url: str = "",
        timeout: timedelta = timedelta(seconds=10),
        sign: Callable[[str, bytes], Mapping[str, str]] | None = None,
    ) -> None:
        self.name = name
        self._url = url
        self._sign = sign
        self._caller = Caller(timeout)

    async def send(self, address: str, payload: Mapping[str, Any], key: str) -> Result:
        """Post the payload."""
        url = address or self._url
        if not is_http(url):
            return Failed(permanent=True, why=f"no http address to send to (channel {self.name})")
        body = msgspec.json.encode(payload)
        media = media_of(payload)
        headers = {"Content-Type": media or "application/json", "Idempotency-Key": key}
        if media is not None:
            headers["X-Request-ID"] = request_of(payload) or key
        if self._sign is not None:
            headers |= self._sign(key, body)
        answer = await self._caller.call("POST", url, data=body, headers=headers)
        return Sent({"status": answer.status}) if isinstance(answer, Answer) else answer

    async def close(self) -> None:
        """Close the connections."""
        await self._caller.close()


def open_webhook(settings: ChannelSettings, now: Callable[[], datetime]) -> Webhook:
    """Return the channel of the settings.

    Raises:
        PermanentError: Its secret cannot be used.
    """
    if not settings.secret_file:
        return Webhook(settings.name, settings.url, settings.timeout)
    secret = key_of(read_secret(settings.secret_file))
    return Webhook(
        settings.name,
        settings.url,
        settings.timeout,
        lambda key, body: signed(secret, key, now(), body),
    )
