"""This collector as a node of the one above: its key, its certificate, and where the other is.

`join` enrols once with a token and keeps, in `<state_dir>/superior` (files 0600):

    key.pem  certificate.pem  authorities.pem  superior.json {"url", "node", "unit"}

`superior.json` is written last: where it is, the others are whole.
"""

import asyncio
import ssl
from datetime import datetime
from pathlib import Path

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from wire.codec import JSON, UNREADABLE, Codec, WireError, encode
from wire.messages import VERSION, Enrolment, EnrolmentRequest

from ..errors import PermanentError, RetryableError
from .ca import key_pem, load_key, write_secret
from .tokens import EnrolmentToken

FOLDER = "superior"
_MOST_BYTES = 256 * 1024
_SECONDS = 30.0
_enrolment = Codec(Enrolment)


class Superior(Struct, frozen=True, kw_only=True):
    """The collector above: its address, and the node id and unit under which it knows us."""

    url: str
    node: str
    unit: str


def read_superior(state: Path) -> Superior | None:
    """Return what `join` kept, or None where this collector has not joined another.

    Raises:
        PermanentError: the file is damaged.
    """
    path = state / FOLDER / "superior.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Superior)
    except FileNotFoundError:
        return None
    except (OSError, *UNREADABLE) as error:
        raise PermanentError(f"{path}: {error}; join the collector above again") from None


def superior_context(state: Path) -> ssl.SSLContext:
    """Return a TLS 1.3 context that shows our certificate and trusts the superior's authorities only.

    Raises:
        PermanentError: the files `join` kept are missing or damaged.
    """
    folder = state / FOLDER
    try:
        context = _pinned((folder / "authorities.pem").read_text())
        context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    except (OSError, ssl.SSLError) as error:
        raise PermanentError(f"{folder}: {error}; join the collector above again") from None
    return context


async def join(url: str, token: EnrolmentToken, host_name: str, state: Path) -> Superior:
    """Enrol at the collector above and keep the identity it gave.

    Args:
        url: Its agents' listener; empty: the token's own address.
        token: Of kind `collector`; its authority is the only one trusted.
        host_name: What the other side shows people for us.
        state: This collector's state folder.

    Raises:
        PermanentError: the other side refused; the text says why.
        RetryableError: it could not be reached.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    address = (url or token.url).rstrip("/")
    context = _pinned(ssl.DER_cert_to_PEM_cert(token.ca))
    granted = await _ask(address, context, _request(key, token.secret, host_name))
    superior = Superior(url=address, node=granted.node, unit=granted.unit)
    await asyncio.to_thread(_keep, state / FOLDER, key, granted, superior)
    return superior


async def renew(state: Path, host_name: str, now: datetime) -> bool:
    """Take a new certificate from the collector above once two thirds of the old one's life are over.

    The key stays, so that a crash between two files leaves an identity that works.

    Returns:
        Whether there is a new certificate: connections made with the old one should be made anew.

    Raises:
        PermanentError: the other side refused, or the files `join` kept are damaged.
        RetryableError: it could not be reached.
    """
    superior = await asyncio.to_thread(read_superior, state)
    if superior is None or not await asyncio.to_thread(_ageing, state / FOLDER, now):
        return False
    key = await asyncio.to_thread(load_key, state / FOLDER / "key.pem")
    granted = await _ask(superior.url, superior_context(state), _request(key, "", host_name))
    await asyncio.to_thread(_keep_certificate, state / FOLDER, granted)
    return True


def _ageing(folder: Path, now: datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
    except (OSError, ValueError) as error:
        raise PermanentError(f"{folder}/certificate.pem: {error}; join the collector above again") from None
    begun, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now >= ends - (ends - begun) / 3


def _request(key: ec.EllipticCurvePrivateKey, secret: str, host_name: str) -> EnrolmentRequest:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fengsui")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    pem = csr.public_bytes(serialization.Encoding.PEM).decode()
    return EnrolmentRequest(version=VERSION, token=secret, csr=pem, host_name=host_name)


async def _ask(url: str, context: ssl.SSLContext, request: EnrolmentRequest) -> Enrolment:
    timeout = ClientTimeout(total=_SECONDS)
    headers = {"Content-Type": JSON}
    try:
        async with (
            ClientSession(connector=TCPConnector(ssl=context), timeout=timeout) as session,
            session.post(
                f"{url}/v1/enrol", data=encode(request), headers=headers, allow_redirects=False
            ) as answer,
        ):
            body = await answer.content.read(_MOST_BYTES)
            if answer.status not in {200, 201}:
                raise PermanentError(f"{url} refused ({answer.status}): {_detail(body)}")
            return _enrolment.decode(body)
    except (ClientError, TimeoutError) as error:
        raise RetryableError(f"{url}: {str(error) or 'no answer'}; is the collector above running?") from None
    except WireError as error:
        raise PermanentError(f"{url} answered what we do not understand: {error}") from None


def _detail(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body, type=dict[str, object]).get("detail", ""))
    except UNREADABLE:
        return body[:200].decode(errors="replace")


def _keep(folder: Path, key: ec.EllipticCurvePrivateKey, granted: Enrolment, superior: Superior) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "superior.json").unlink(missing_ok=True)
    write_secret(folder / "key.pem", key_pem(key))
    _keep_certificate(folder, granted)
    write_secret(folder / "superior.json", msgspec.json.encode(superior))


def _keep_certificate(folder: Path, granted: Enrolment) -> None:
    write_secret(folder / "authorities.pem", granted.authorities.encode())
    write_secret(folder / "certificate.pem", granted.certificate.encode())


def _pinned(authorities: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
