"""Where letters to the unit's own domains go: the mail exchanges (MX) that its resolver names. Opt-in.

    each domain of the settings -> MX -> A and AAAA of each exchange -> addresses, which the collector judges

Asked is only the resolver that this host is configured with, and only for domains that the settings name; an
empty list asks nobody. A node with a classified asset never asks. Answers are believed from the address and
port that were asked, with our number and our question.
"""

import asyncio
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from ...detection import dns
from .reach import Declared
from .webmail import DnsName

_PORT = 53
_MAX_RESOLVERS = 2
_MAX_EXCHANGES = 8
_MAX_ADDRESSES = 8
_MAX_MESSAGE = 4096


class MailSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the question.

    Fields:
        domains: The unit's own mail domains, in the form of DNS (punycode); empty: nobody is asked.
        every: Seconds between two looks.
        timeout: Seconds to wait for a resolver.
    """

    domains: Annotated[tuple[DnsName, ...], Meta(max_length=16)] = ()
    every: Annotated[float, Meta(ge=300)] = 3600.0
    timeout: Annotated[float, Meta(gt=0, le=30)] = 3.0


def refusal(settings: MailSettings, assets: Iterable[Declared]) -> str:
    """Return why nobody is asked, empty where somebody may be."""
    if any(asset.classified for asset in assets):
        return "a declared asset is classified (涉密): no name is ever asked for it"
    return "" if settings.domains else "off"


class LookupFailedError(Exception):
    """No resolver gave an answer that can be used."""


Ask = Callable[[str, int], Awaitable[dns.Message]]


class Resolvers:
    """The resolvers of this host, asked one after the other over UDP."""

    def __init__(self, addresses: Sequence[str], timeout: float, port: int = _PORT) -> None:
        self._addresses = addresses[:_MAX_RESOLVERS]
        self._timeout = timeout
        self._port = port

    async def ask(self, name: str, kind: int) -> dns.Message:
        """Return the first usable answer.

        Raises:
            LookupFailedError: there was none.
        """
        why = "no resolver is configured"
        for address in self._addresses:
            try:
                answer = await self._ask(address, name, kind)
            except (OSError, TimeoutError, dns.DnsError) as error:
                why = f"{address}: {str(error) or 'no answer'}"
                continue
            if answer.failed in {0, dns.NO_SUCH_NAME}:
                return answer
            why = f"{address}: it answers with code {answer.failed}"
        raise LookupFailedError(why)

    async def _ask(self, address: str, name: str, kind: int) -> dns.Message:
        number = secrets.randbelow(1 << 16)
        question = dns.question(number, name, kind)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        loop = asyncio.get_running_loop()
        with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as way:
            # Connected: the kernel takes nothing from anybody else.
            await loop.sock_connect(way, (address, self._port))
            async with asyncio.timeout(self._timeout):
                await loop.sock_sendall(way, question)
                while True:
                    answer = _believed(await loop.sock_recv(way, _MAX_MESSAGE), number, name, kind)
                    if answer:
                        return answer


def _believed(message: bytes, number: int, name: str, kind: int) -> dns.Message | None:
    try:
        answer = dns.read(message)
    except dns.DnsError:
        return None
    asked = (number, name.lower().rstrip("."), kind)
    return answer if answer.answers and (answer.number, answer.name, answer.kind) == asked else None


async def exchanges(domains: Iterable[str], ask: Ask) -> list[dict[str, Any]]:
    """Return the body's `mail_domains`: of each domain its exchanges with addresses, or why it has none."""
    return [await _of(domain, ask) for domain in domains]


async def _of(domain: str, ask: Ask) -> dict[str, Any]:
    try:
        answer = await ask(domain, dns.MX)
    except LookupFailedError as error:
        return {"domain": domain, "exchanges": [], "why": str(error)[:200]}
    if answer.failed:
        return {"domain": domain, "exchanges": [], "why": "the resolver knows no such name"}
    found = [one for one in answer.records if one.kind == dns.MX]
    best = sorted(found, key=lambda one: (one.preference, one.value))[:_MAX_EXCHANGES]
    # A domain without MX takes its letters itself; a lone dot takes none (RFC 5321, RFC 7505).
    names = {one.value: one.preference for one in best if one.value} if found else {domain: 0}
    rows = [
        {"name": name, "preference": preference, "addresses": await _addresses(name, ask)}
        for name, preference in names.items()
    ]
    return {"domain": domain, "exchanges": rows, "why": None if found else "it has no MX"}


async def _addresses(name: str, ask: Ask) -> list[str]:
    addresses: list[str] = []
    for kind in (dns.A, dns.AAAA):
        try:
            answer = await ask(name, kind)
        except LookupFailedError:
            continue
        addresses += [one.value for one in answer.records if one.kind == kind]
    return sorted(set(addresses))[:_MAX_ADDRESSES]
