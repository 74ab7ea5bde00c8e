"""One look at a service from its own node: a URL, a port, a unit. Answers why it is not well, or nothing.

Only what the operator names is asked, and only inside: an address that is neither this host's nor in the
internal ranges is refused before a packet leaves (a node of the intranet that calls the internet would be
the very thing this agent looks for).
"""

import http.client
import socket
import ssl
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

_MAX_BODY = 256 * 1024
_PIECE = 16384
_LAST_GOOD_STATUS = 399


class OutsideError(PermissionError):
    """The target is not this node's and not inside; it is not asked."""


def resolve(host: str, port: int, internal: Sequence[str]) -> tuple[socket.AddressFamily, str]:
    """Return family and address of a target.

    Raises:
        OutsideError: it lies outside.
        OSError: the name has no address.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, _, _, _, place = found[0]
    address = str(place[0])
    plain = ip_address(address.partition("%")[0])
    inside = plain.is_loopback or any(
        plain.version == network.version and plain in network for network in map(ip_network, internal)
    )
    if not inside and not _is_ours(family, address):
        raise OutsideError(f"{host} is {address}: neither this host's nor in internal_ranges; not asked")
    return family, address


def _is_ours(family: socket.AddressFamily, address: str) -> bool:
    """Say whether an address is this host's: nobody else's can be bound."""
    with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
        return True


def port(target: str, seconds: float, internal: Sequence[str]) -> str:
    """Return why nothing listens at `HOST:PORT`, empty where something does.

    Raises:
        OutsideError: it lies outside.
    """
    host, _, number = target.rpartition(":")
    try:
        family, address = resolve(host.strip("[]"), int(number), internal)
        with closing(socket.socket(family, socket.SOCK_STREAM)) as connection:
            connection.settimeout(seconds)
            connection.connect((address, int(number)))
    except OutsideError:
        raise
    except (OSError, ValueError) as error:
        return _why(error)
    return ""


def url(target: str, seconds: float, internal: Sequence[str], *, host: str = "", contains: str = "") -> str:
    """Return why a page is not served, empty where it is.

    Args:
        target: The page, http or https.
        seconds: How long it may take in all.
        internal: What is inside.
        host: The name to ask for, where the URL holds an address.
        contains: What the page has to hold.

    Raises:
        OutsideError: it lies outside.
    """
    parts = urlsplit(target)
    secure = parts.scheme == "https"
    deadline = time.monotonic() + seconds
    try:
        number = parts.port or (443 if secure else 80)
        _, address = resolve(parts.hostname or "", number, internal)
        name = host or parts.hostname or ""
        with closing(_connection(address, number, name, seconds, secure=secure)) as connection:
            path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            connection.request("GET", path, headers={"Host": host or parts.netloc, "Connection": "close"})
            answer = connection.getresponse()
            if answer.status > _LAST_GOOD_STATUS:
                return f"status {answer.status}"
            return _lacks(answer, contains, deadline)
    except OutsideError:
        raise
    except (OSError, ValueError, http.client.HTTPException) as error:
        return _why(error)


def _connection(
    address: str, number: int, name: str, seconds: float, *, secure: bool
) -> http.client.HTTPConnection:
    if not secure:
        return http.client.HTTPConnection(address, number, timeout=seconds)
    # Whether the page is served is asked here; whether its certificate is right is the certificates' matter.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(address, number, timeout=seconds, context=context)
    raw = socket.create_connection((address, number), seconds)
    try:
        connection.sock = context.wrap_socket(raw, server_hostname=name)
    except OSError:
        raw.close()
        raise
    return connection


def _lacks(answer: http.client.HTTPResponse, contains: str, deadline: float) -> str:
    """Read the page as far as it is needed; a server that trickles is one that does not answer."""
    wanted, body = contains.encode(), b""
    while len(body) < _MAX_BODY and (piece := answer.read1(_PIECE)):
        body += piece
        if time.monotonic() > deadline:
            return "the page did not come whole in time"
    return "" if wanted in body else f"the page does not hold {contains[:80]!r}"


def unit(name: str, systemctl: Sequence[str], seconds: float) -> str:
    """Return why a systemd unit is not active, empty where it is.

    Raises:
        OSError: there is no systemctl, or it does not answer: nothing is known of the unit.
    """
    argv = [*systemctl, "show", "--property=LoadState,ActiveState,SubState", "--", name]
    try:
        done = subprocess.run(  # noqa: S603 - argv of the settings, no shell
            argv, capture_output=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"{systemctl[0]} did not answer within {seconds:g} s") from None
    text = done.stdout.decode("utf-8", "replace")
    told = dict(line.partition("=")[::2] for line in text.splitlines())
    if done.returncode or "ActiveState" not in told:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise OSError(said[0][:200] if said else f"{systemctl[0]} ended with status {done.returncode}")
    if told.get("LoadState") == "not-found":
        return "there is no such unit"
    if told["ActiveState"] in {"active", "reloading"}:
        return ""
    return f"{told['ActiveState']} ({told.get('SubState', '?')})"


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]
