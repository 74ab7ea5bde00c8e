"""Short messages by a provider's HTTP gateway, described in the settings by a template with typed places.

The gateway's address is the settings' own and holds no places; a person's address is a phone number and
nothing else. Bodies are encoded from values, never glued together, and no redirect is followed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from wire.codec import UNREADABLE

from ..places import fill, phone
from ..settings import ChannelSettings, Sms
from ..trust.secret_files import read_secret
from .calling import Answer, Caller
from .port import Failed, Result, Sent

_KEPT = 200


class SmsGateway:
    """Fills the template and calls.

    Args:
        name: Its name in the settings.
        url: The gateway.
        form: How it is called.
        secret: What stands in the place `{secret}`.
        now: The time.
        timeout: For the whole call.
    """

    def __init__(
        self,
        name: str,
        url: str,
        form: Sms,
        *,
        secret: str,
        now: Callable[[], datetime],
        timeout: timedelta = timedelta(seconds=10),
    ) -> None:
        self.name = name
        self._url = url
        self._form = form
        self._secret = secret
        self._now = now
        self._caller = Caller(timeout)

    async def send(self, address: str, payload: Mapping[str, Any], key: str) -> Result:
        """Send subject and body as one text."""
        try:
            number = phone(address)
        except ValueError as error:
            return Failed(permanent=True, why=str(error))
        subject, body = str(payload.get("subject", "")), str(payload.get("body", ""))
        values: dict[str, str | int] = {
            "phone": number,
            "subject": subject,
            "text": "\n".join(part for part in (subject, body) if part),
            "key": key,
            "secret": self._secret,
            "time": int(self._now().timestamp()),
        }
        headers = {"Idempotency-Key": key, **fill(self._form.headers, values)}
        url, data = self._written(fill(self._form.body, values), headers)
        answer = await self._caller.call(self._form.method, url, data=data, headers=headers)
        return self._judge(answer) if isinstance(answer, Answer) else self._clean(answer)

    async def close(self) -> None:
        """Close the connections."""
        await self._caller.close()

    def _written(self, body: Mapping[str, Any], headers: dict[str, str]) -> tuple[str, bytes | None]:
        match self._form.encoding:
            case "json":
                headers["Content-Type"] = "application/json"
                return self._url, msgspec.json.encode(body)
            case "form":
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                return self._url, urlencode(body).encode()
            case "query":
                return f"{self._url}{'&' if '?' in self._url else '?'}{urlencode(body)}", None

    def _judge(self, answer: Answer) -> Result:
        """Many gateways say in the body whether they took it, whatever the status."""
        if not self._form.accepted:
            return Sent({"status": answer.status})
        try:
            told = said(answer)
        except ValueError:
            return Failed(permanent=False, why="the gateway's answer is no JSON object")
        for name, values in self._form.accepted.items():
            if str(told.get(name)) not in values:
                found = str(told.get(name))[:_KEPT]
                return self._clean(Failed(permanent=False, why=f"the gateway says {name}: {found!r}"))
        return Sent({"status": answer.status, **{name: str(told[name]) for name in self._form.accepted}})

    def _clean(self, result: Result) -> Result:
        """Keep the secret out of what is written down, should a gateway repeat it."""
        if self._secret and isinstance(result, Failed) and self._secret in result.why:
            return Failed(permanent=result.permanent, why=result.why.replace(self._secret, "…"))
        return result


def said(answer: Answer) -> dict[str, Any]:
    """Return what a gateway's answer says.

    Raises:
        ValueError: it is no JSON object.
    """
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except UNREADABLE as error:
        raise ValueError(f"no JSON object: {error}") from None


def open_sms(settings: ChannelSettings, now: Callable[[], datetime]) -> SmsGateway:
    """Return the channel of the settings.

    Raises:
        PermanentError: Its secret cannot be read.
    """
    assert settings.sms is not None  # noqa: S101 - the settings have seen to it
    secret = read_secret(settings.secret_file).decode("utf-8", "replace") if settings.secret_file else ""
    return SmsGateway(
        settings.name, settings.url, settings.sms, secret=secret, now=now, timeout=settings.timeout
    )
