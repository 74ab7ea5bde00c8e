"""The far side of mail: a real SMTP server on loopback that keeps what it took and behaves as it is told."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class Postbox:
    """Takes mails; `behaviour` is what it does at the end of the next: take, hang, cut, or an SMTP reply."""

    def __init__(self) -> None:
        self.port = 0
        self.mails: list[EmailMessage] = []
        self.taken: list[bytes] = []  # as they came, also those whose answer was lost
        self.recipients: list[str] = []
        self.behaviour = "take"
        self.at_rcpt = ""
        self.signed_in: list[bytes] = []

    async def handle_RCPT(  # noqa: N802 - the library's names
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.at_rcpt:
            return self.at_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's names
        assert isinstance(envelope.content, bytes)
        self.taken.append(envelope.content)
        if self.behaviour == "hang":
            await asyncio.Event().wait()
        if self.behaviour == "cut":
            assert server.transport is not None
            server.transport.abort()
            return "250 never heard"
        if self.behaviour != "take":
            return self.behaviour
        self.mails.append(message_from_bytes(envelope.content, EmailMessage, policy=default))
        self.recipients += envelope.rcpt_tos
        return f"250 2.0.0 Ok: queued as {len(self.mails)}"

    def authenticate(self, *args: Any) -> AuthResult:  # noqa: ANN401 - the library's protocol
        data = args[-1]
        self.signed_in.append(data.login)
        return AuthResult(success=data.password == b"right", handled=False)


@asynccontextmanager
async def postbox(
    context: ssl.SSLContext | None = None, *, starttls: bool = False, box: Postbox | None = None
) -> AsyncIterator[Postbox]:
    """Serve on a free loopback port; with a context over TLS, from the first byte or after STARTTLS."""
    box = box or Postbox()
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        return SMTP(
            box,
            hostname="postbox.example",
            enable_SMTPUTF8=True,
            loop=loop,
            tls_context=context if starttls else None,
            require_starttls=starttls,
            authenticator=box.authenticate,
            auth_require_tls=False,
        )

    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=None if starttls else context)
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()
    for task in asyncio.all_tasks():
        if "_handle_client" in repr(task.get_coro()):
            task.cancel()
            await asyncio.wait([task])
