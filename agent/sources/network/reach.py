"""The opt-in check: does a way out really lead out, and under which address? Off unless switched on.

    default routes -> each link x each beacon the operator names, bound to the link (SO_BINDTODEVICE)
                   -> signed answer with our nonce -> the address the outside saw
    trace          -> first hops of each link towards a target the operator names, by a child (`tracing.py`)

Nothing is asked that the operator did not name, and names are never looked up: addresses only. It is refused

    on a node whose declared asset is classified     always: no setting allows it
    in zone intranet                                 unless `allow_intranet` says so
    where the zone is not said                       always: who switches it on knows where the node stands
"""

import asyncio
import secrets
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Annotated, Any, Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta, Struct

from wire import beacon
from wire.codec import UNREADABLE
from wire.vocabulary import Zone

_MAX_WAYS = 8
_MAX_PORT = 65535
_PLACE = r"^(\[[0-9a-fA-F:]+\]|[0-9.]+):[0-9]{1,5}$"
_END_SECONDS = 5.0


class BeaconSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A beacon: its address and port, and the public key that `fengsui-collector beacon` shows."""

    address: Annotated[str, Meta(pattern=_PLACE)]
    public_key: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]

    def __post_init__(self) -> None:
        """Refuse what is no place.

        Raises:
            ValueError: it has no address, or a port that is none.
        """
        try:
            good = self.place[1] <= _MAX_PORT
        except ValueError:
            good = False
        if not good:
            raise ValueError(f"an IP address and a port up to {_MAX_PORT}, not {self.address}")

    @property
    def place(self) -> tuple[str, int]:
        """Address and port, in the form in which the kernel's are written."""
        host, _, port = self.address.rpartition(":")
        return str(ip_address(host.strip("[]"))), int(port)


class ReachSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the check.

    Fields:
        enabled: Whether it is made at all.
        zone: Where this node stands; has to be said.
        allow_intranet: Whether it may be made in zone intranet.
        beacons: Whom to ask.
        trace_targets: Addresses towards which the first hops are looked at; empty: none.
        every: Seconds between two checks; a new way out is checked at once.
        timeout: Seconds to wait for an answer.
        max_hops: How far a trace goes.
    """

    enabled: bool = False
    zone: Zone | None = None
    allow_intranet: bool = False
    beacons: tuple[BeaconSettings, ...] = ()
    trace_targets: tuple[Annotated[str, Meta(pattern="^[0-9a-fA-F.:]+$")], ...] = ()
    every: Annotated[float, Meta(ge=60)] = 3600.0
    timeout: Annotated[float, Meta(gt=0, le=30)] = 3.0
    max_hops: Annotated[int, Meta(ge=1, le=8)] = 4

    def __post_init__(self) -> None:
        """Refuse a target that is no address.

        Raises:
            ValueError: one is none.
        """
        for target in self.trace_targets:
            try:
                ip_address(target)
            except ValueError:
                raise ValueError(f"IP addresses in trace_targets, not {target}") from None


class Declared(Protocol):
    """A system that the node says it belongs to."""

    @property
    def classified(self) -> bool:
        """Whether it is classified (涉密)."""
        ...


def refusal(settings: ReachSettings, assets: Iterable[Declared]) -> str:
    """Return why the check may not be made, empty where it may.

    The node's own word that it is classified outweighs every other setting.
    """
    if any(asset.classified for asset in assets):
        return "a declared asset is classified (涉密): no check is ever made from it"
    if not settings.enabled:
        return "off"
    if settings.zone is None:
        return "sources.exits.reach.zone is not said"
    if settings.zone == "intranet" and not settings.allow_intranet:
        return "zone intranet: only where sources.exits.reach.allow_intranet says so"
    return "" if settings.beacons or settings.trace_targets else "no beacon and no trace target is named"


class ReachError(Exception):
    """A beacon was not reached, or is not to be believed."""


async def ask(place: BeaconSettings, interface: str, nonce: str, timeout: float) -> beacon.Saw:  # noqa: ASYNC109 - one limit for all steps
    """Return what a beacon saw of a connection that leaves by a link.

    Raises:
        ReachError: it did not answer in time, or another did.
    """
    host, port = place.place
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as way:
            way.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
            async with asyncio.timeout(timeout):
                await loop.sock_connect(way, (host, port))
                await loop.sock_sendall(way, beacon.question(nonce))
                line = await _line(way)
    except (OSError, TimeoutError) as error:
        raise ReachError(f"{place.address} by {interface}: {str(error) or 'no answer'}") from None
    return believed(line, place, nonce)


async def _line(way: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and len(line) <= beacon.MAX_BYTES:
        more = await asyncio.get_running_loop().sock_recv(way, beacon.MAX_BYTES)
        if not more:
            break
        line += more
    return line


def believed(line: bytes, place: BeaconSettings, nonce: str) -> beacon.Saw:
    """Return what an answer says.

    Raises:
        ReachError: it is no answer, another key's, or to another question.
    """
    try:
        answer, saw = beacon.decode(line)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(place.public_key))
        key.verify(answer.signature, beacon.signed(answer.body))
        ip_address(saw.address)
    except InvalidSignature:
        raise ReachError(f"{place.address}: signed by another key than the settings name") from None
    except ValueError as error:
        raise ReachError(f"{place.address}: {error}") from None
    if not secrets.compare_digest(saw.nonce, nonce):
        raise ReachError(f"{place.address}: the answer to another question")
    return saw


class Way(Struct, frozen=True):
    """A link with a default route, and where its next hop can be found."""

    interface: str
    family: int
    gateway_mac: str = ""


def candidates(body: Mapping[str, Any]) -> tuple[Way, ...]:
    """Return the links by which a default route leads out, at most eight."""
    macs = {(row["interface"], row["address"]): row["mac"] for row in body.get("gateways", ())}
    found = {
        (route["interface"], route["family"]): macs.get((route["interface"], route["gateway"]), "")
        for route in body["routes"]
        if route["default"] and route["interface"]
    }
    return tuple(Way(name, family, mac) for (name, family), mac in sorted(found.items()))[:_MAX_WAYS]


async def reached(settings: ReachSettings, ways: Sequence[Way]) -> list[dict[str, Any]]:
    """Ask every beacon by every way of its family; return the body's `reached`."""
    rows = []
    for way in ways:
        for place in settings.beacons:
            if (6 if place.address.startswith("[") else 4) != way.family:
                continue
            with suppress(ReachError):  # a way that does not lead there is what the check is for
                saw = await ask(place, way.interface, secrets.token_hex(16), settings.timeout)
                rows.append(
                    {"interface": way.interface, "beacon": place.address, "seen_address": saw.address}
                )
    return rows


async def traced(settings: ReachSettings, ways: Sequence[Way]) -> list[dict[str, Any]]:
    """Look at the first hops towards every target by every way of its family; return the body's `traces`."""
    rows = []
    for way in ways:
        for target in settings.trace_targets:
            if way.gateway_mac and way.family == (6 if ":" in target else 4):
                hops = await _trace(settings, way, target)
                rows.append({"interface": way.interface, "target": target, "hops": hops})
    return rows


async def _trace(settings: ReachSettings, way: Way, target: str) -> list[str | None]:
    job = {
        "interface": way.interface,
        "mac": way.gateway_mac,
        "target": target,
        "hops": settings.max_hops,
        "timeout": settings.timeout,
    }
    words = (sys.executable, "-m", "agent.sources.network.tracing")
    child = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    try:
        async with asyncio.timeout(settings.timeout + 4 * _END_SECONDS):
            told, _ = await child.communicate(msgspec.json.encode(job))
        return msgspec.json.decode(told, type=list[str | None])[: settings.max_hops]
    except (TimeoutError, *UNREADABLE):
        return []
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
