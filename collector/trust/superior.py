"""This collector as a node of the one above: its key, its certificate, and where the other is.

`join` enrols once with a token and keeps, in `<state_dir>/superior` (files 0600):

    superior.json   {"url", "node", "unit", "files", "authorities"}
    <files>/        key.pem  certificate.pem  authorities.pem
    joining.json    while a `join` has no answer: its key, with which the same token gives the same node again

A renewal, as the certificate ages or as the other side trusts other authorities or wants a fresh key, writes
a folder of its own and then `superior.json`, in one step: whatever ends the process in between, key,
certificate and authorities are of one piece.
"""

import asyncio
import shutil
import ssl
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta, Struct

from wire.codec import JSON, UNREADABLE, Codec, WireError, encode
from wire.messages import VERSION, Enrolment, EnrolmentRequest
from wire.signed import digest_of

from ..errors import PermanentError, RetryableError
from .ca import key_pem
from .keeping import write_secret
from .tokens import EnrolmentToken, digest

FOLDER = "superior"
_MOST_BYTES = 256 * 1024
_SECONDS = 30.0
_enrolment = Codec(Enrolment)


class Superior(Struct, frozen=True, kw_only=True):
    """The collector above.

    Fields:
        url: Its address.
        node, unit: Under which it knows us.
        files: The folder of key, certificate and authorities, within `FOLDER`; empty: they lie there.
        authorities: Digest of the authorities that are trusted there; empty: not known.
    """

    url: str
    node: str
    unit: str
    files: Annotated[str, Meta(pattern="^[0-9a-f]{0,64}$")] = ""
    authorities: str = ""


class _Pending(Struct, frozen=True):
    """The key of a `join` that has not ended, and the SHA-256 of its token's secret."""

    token: str
    key: str


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
    folder = _files(state)
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
    address = (url or token.url).rstrip("/")
    try:
        context = _pinned(token.ca)
    except (ssl.SSLError, ValueError) as error:
        raise PermanentError(f"token: its authority can't be used: {error}; make another token") from None
    pending = state / FOLDER / "joining.json"
    key = await asyncio.to_thread(_key_for, token.secret, pending)
    granted = await _ask(address, context, _request(key, token.secret, host_name))
    superior = await asyncio.to_thread(_keep, state / FOLDER, address, key, granted)
    with suppress(OSError):  # what stays shows the same node again, as long as the token lives
        pending.unlink()
    return superior


async def renew(state: Path, host_name: str, now: datetime, *, wanted: bool = False) -> bool:
    """Take a new certificate for a fresh key once two thirds of the old one's life are over, or it is wanted.

    Returns:
        Whether there is a new certificate: connections made with the old one should be made anew.

    Raises:
        PermanentError: the other side refused, or the files `join` kept are damaged.
        RetryableError: it could not be reached.
    """
    superior = await asyncio.to_thread(read_superior, state)
    if superior is None or not (wanted or await asyncio.to_thread(_ageing, _files(state), now)):
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    granted = await _ask(superior.url, superior_context(state), _request(key, "", host_name))
    await asyncio.to_thread(_keep, state / FOLDER, superior.url, key, granted)
    return True


def _key_for(secret: str, pending: Path) -> ec.EllipticCurvePrivateKey:
    """Return the key that this token was shown with before, or a new one that lies on the disk."""
    try:
        kept = msgspec.json.decode(pending.read_bytes(), type=_Pending)
        key = serialization.load_pem_private_key(kept.key.encode(), None)
    except (OSError, ValueError, *UNREADABLE):
        pass
    else:
        if kept.token == digest(secret) and isinstance(key, ec.EllipticCurvePrivateKey):
            return key
    fresh = ec.generate_private_key(ec.SECP256R1())
    pending.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(pending, msgspec.json.encode(_Pending(digest(secret), key_pem(fresh).decode())))
    return fresh


def _files(state: Path) -> Path:
    superior = read_superior(state)
    return state / FOLDER / (superior.files if superior else "")


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


def _keep(folder: Path, url: str, key: ec.EllipticCurvePrivateKey, granted: Enrolment) -> Superior:
    try:
        serial = x509.load_pem_x509_certificate(granted.certificate.encode()).serial_number
    except ValueError as error:
        raise PermanentError(f"{url} answered what we do not understand: {error}") from None
    superior = Superior(
        url=url,
        node=granted.node,
        unit=granted.unit,
        files=f"{serial:x}",
        authorities=digest_of(granted.authorities),
    )
    files = folder / superior.files
    files.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    write_secret(files / "key.pem", key_pem(key))
    write_secret(files / "authorities.pem", granted.authorities.encode())
    write_secret(files / "certificate.pem", granted.certificate.encode())
    before = folder / "superior.json"
    kept = _named(before)
    write_secret(before, msgspec.json.encode(superior))
    _tidy(folder, {superior.files, kept})
    return superior


def _named(file: Path) -> str:
    """Return the folder in use; another flow may just be reading it, so that the next renewal removes it."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Superior).files
    except (OSError, *UNREADABLE):
        return ""


def _tidy(folder: Path, keep: set[str]) -> None:
    """Remove keys of earlier renewals; what can't be removed is of no harm."""
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name not in keep:
            shutil.rmtree(entry, ignore_errors=True)
    if "" not in keep:
        for name in ("key.pem", "certificate.pem", "authorities.pem"):
            with suppress(OSError):
                (folder / name).unlink()


def _pinned(authorities: str | bytes) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
