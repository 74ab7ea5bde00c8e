"""Mail over SMTP with TLS; the server's last word is the proof that it took the mail.

::

    connect, TLS, sign in ── lost or refused ──> failed: the server has nothing
    MAIL, RCPT            ── 4xx ──> failed, later again   5xx ──> failed for good
    DATA ... "."          ── 250 ──> sent, with the reply   4xx, 5xx ──> failed   no reply ──> unknown

The message id is made from the notice's key, so whatever is sent again is the same mail to who keeps mail.
"""

import re
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import Any

import aiosmtplib

from ..errors import PermanentError
from ..settings import ChannelSettings, Mail
from ..trust.secret_files import read_secret
from .port import Failed, Result, Sent, Unknown

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@[A-Za-z0-9.-]{1,253}")
_KEPT = 200


class MailChannel:
    """One connection a mail.

    Args:
        name: Its name in the settings.
        mail: Server, sender, sign-in.
        password: For the sign-in; empty where none is needed.
        now: The time.
        timeout: For the whole conversation.
        context: What the server's certificate is held against.
    """

    def __init__(
        self,
        name: str,
        mail: Mail,
        *,
        password: str,
        now: Callable[[], datetime],
        timeout: timedelta = timedelta(seconds=30),
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self._mail = mail
        self._password = password
        self._now = now
        self._timeout = timeout
        self._context = context or ssl.create_default_context()

    async def send(self, address: str, payload: Mapping[str, Any], key: str) -> Result:
        """Send subject and body to a mail address."""
        if not _ADDRESS.fullmatch(address):
            return Failed(permanent=True, why=f"no mail address to send to (channel {self.name})")
        message = written(self._mail.sender, address, payload, key, self._now())
        return await self.deliver(address, message.as_bytes(), str(message["Message-ID"]))

    @property
    def sender(self) -> str:
        """The address that mails come from."""
        return self._mail.sender

    async def deliver(self, address: str, raw: bytes, message_id: str) -> Result:
        """Hand a whole mail over, byte for byte."""
        client = aiosmtplib.SMTP(
            hostname=self._mail.host,
            port=self._mail.port,
            timeout=self._timeout.total_seconds(),
            use_tls=self._mail.security == "tls",
            start_tls=self._mail.security == "starttls",
            tls_context=self._context if self._mail.security != "none" else None,
            local_hostname=_domain(self._mail.sender),
        )
        try:
            refused = await self._introduce(client, address)
            return refused or await self._hand_over(client, raw, message_id)
        finally:
            client.close()

    async def close(self) -> None:
        """Nothing stays open between mails."""

    async def _introduce(self, client: aiosmtplib.SMTP, address: str) -> Failed | None:
        """Get as far as the server's word that it will take a mail for this address."""
        try:
            await client.connect()
            if self._mail.user:
                await client.login(self._mail.user, self._password)
            await client.mail(self._mail.sender, encoding="utf-8")
            await client.rcpt(address, encoding="utf-8")
        except aiosmtplib.SMTPAuthenticationError as error:
            return Failed(permanent=False, why=f"the server refuses the sign-in: {error.code}")
        except aiosmtplib.SMTPResponseException as error:
            return _refused(error)
        except aiosmtplib.SMTPNotSupported:
            return Failed(permanent=False, why="the server offers no TLS, or no way to sign in")
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return Failed(permanent=False, why=f"no mail server at {self._place}: {type(error).__name__}")
        return None

    async def _hand_over(self, client: aiosmtplib.SMTP, raw: bytes, message_id: str) -> Result:
        try:
            reply = await client.data(raw)
        except aiosmtplib.SMTPResponseException as error:
            return Unknown("the connection ended after DATA") if error.code < 0 else _refused(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            return Unknown(f"the answer of {self._place} was lost: {type(error).__name__}")
        proof = f"{reply.code} {reply.message}"[:_KEPT]
        return Sent({"reply": proof, "message_id": message_id})

    @property
    def _place(self) -> str:
        return f"{self._mail.host}:{self._mail.port}"


def written(sender: str, address: str, payload: Mapping[str, Any], key: str, now: datetime) -> EmailMessage:
    """Return a notice as a mail; the same key to the same address has the same message id."""
    message = EmailMessage()
    message["From"] = Address("Fengsui 烽燧", addr_spec=sender)
    message["To"] = address
    message["Subject"] = " ".join(str(payload.get("subject", "")).split())[:_KEPT]
    message["Date"] = format_datetime(now)
    identity = sha256(f"{key}\0{address}".encode()).hexdigest()[:40]
    message["Message-ID"] = f"<{identity}@{_domain(sender)}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    message["X-Fengsui-Key"] = sha256(key.encode()).hexdigest()
    message.set_content(f"{payload.get('body', '')}\n\n[{key}]\n", cte="base64")
    return message


def open_mail(settings: ChannelSettings, now: Callable[[], datetime]) -> MailChannel:
    """Return the channel of the settings.

    Raises:
        PermanentError: Its password or its authority's certificate cannot be read.
    """
    mail = settings.mail
    assert mail is not None  # noqa: S101 - the settings have seen to it
    password = read_secret(settings.secret_file).decode("utf-8", "replace") if settings.secret_file else ""
    try:
        context = ssl.create_default_context(cafile=mail.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise PermanentError(f"{mail.ca_file}: found no certificates ({error}); expected PEM") from None
    return MailChannel(
        settings.name, mail, password=password, now=now, timeout=settings.timeout, context=context
    )


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2]


def _refused(error: aiosmtplib.SMTPResponseException) -> Failed:
    return Failed(permanent=error.code >= 500, why=f"SMTP {error.code} {error.message}"[:_KEPT])
