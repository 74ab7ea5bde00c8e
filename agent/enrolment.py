"""A node's identity: the key made on the host, and how a one-time token turns into a certificate.

    token: fs1.base64url({"url": ..., "ca": DER in base64, "secret": ..., "made": seconds since 1970})
        pins the authority  ->  TLS to the collector, verified against exactly that authority (`pinned.py`)
        CSR for a new key   ->  POST /v1/enrol  ->  node id, certificate, authorities

The identity is a folder of its own, complete before a symbolic link names it; the key never leaves it.
The key of an enrolment lies on the disk before the token is shown: where the answer is lost, or can't be
kept, the same token with the same key gives the same node again.
"""

import os
import shutil
import socket
import ssl
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import aiohttp
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec import Meta, Struct

from wire.codec import JSON, UNREADABLE, Codec, WireError, encode
from wire.messages import VERSION, Enrolment, EnrolmentRequest

from .keeping import read_file, replace_file
from .pinned import to_collectors
from .texts import SaidError

PREFIX = "fs1."
_LINK = "identity"
_PENDING = "enrolling.json"
_MACHINE_ID = Path("/etc/machine-id")
_MOST_BYTES = 256 * 1024
_LAST_MOMENT = int(datetime.max.replace(tzinfo=UTC).timestamp())
_enrolments: Codec[Enrolment] = Codec(Enrolment)


class Token(Struct, frozen=True):
    """What a one-time token says: where to enrol, whom to trust, and the secret.

    Fields:
        ca: In base64 one certificate in DER, or several behind each other while an authority is replaced.
        made: When, by the collector's clock, in seconds since 1970: this host's may be years off.
    """

    url: str
    ca: str
    secret: str
    made: Annotated[int, Meta(ge=0, le=_LAST_MOMENT)] = 0


class _Pending(Struct, frozen=True):
    """The key of an enrolment that has not ended, and the SHA-256 of its token."""

    token: str
    key: str


class Identity(Struct, frozen=True):
    """Who this node is, and the folder that proves it."""

    node: str
    unit: str
    collector: str
    folder: Path

    def tls(self, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH) -> ssl.SSLContext:
        """Return TLS 1.3 with this node's certificate, trusting its authorities alone; see `pinned`."""
        if purpose is ssl.Purpose.SERVER_AUTH:
            context = to_collectors(self.authorities().decode("ascii"), self.life()[0])
        else:
            context = ssl.create_default_context(purpose, cafile=str(self.folder / "authorities.pem"))
            context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.folder / "certificate.pem", self.folder / "key.pem")
        return context

    def authorities(self) -> bytes:
        """Return the certificates this node trusts, in PEM."""
        return (self.folder / "authorities.pem").read_bytes()

    def life(self) -> tuple[datetime, datetime]:
        """Return the begin and the end of the certificate's life."""
        pem = (self.folder / "certificate.pem").read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc

    def renewal_due(self) -> datetime:
        """Return when two thirds of the certificate's life are over."""
        begin, end = self.life()
        return begin + (end - begin) * 2 / 3


def load_identity(state_dir: Path) -> Identity:
    """Return the identity that stands in a state folder.

    Raises:
        SaidError: `not_enrolled`.
    """
    folder = state_dir / _LINK
    try:
        stored = msgspec.json.decode((folder / "identity.json").read_bytes(), type=dict[str, str])
        return Identity(stored["node"], stored["unit"], stored["collector"], folder)
    except (OSError, KeyError, *UNREADABLE):
        raise SaidError("not_enrolled", path=folder) from None


def usable(identity: Identity) -> Identity:
    """Return an identity whose files hold what they should: a failing disk leaves other things.

    Raises:
        SaidError: `identity_damaged`.
    """
    _own_tls(identity)
    return identity


def _own_tls(identity: Identity) -> ssl.SSLContext:
    try:
        x509.load_pem_x509_certificates(identity.authorities())
        return identity.tls()
    except (OSError, ValueError) as error:
        raise SaidError("identity_damaged", path=identity.folder, why=error) from None


def read_token(text: str) -> Token:
    """Return what a token says.

    Raises:
        SaidError: `token_malformed`.
    """
    text = text.strip()
    if not text.startswith(PREFIX):
        raise SaidError("token_malformed", why=f"it begins with {text[:4]!r}, expected {PREFIX!r}")
    coded = text.removeprefix(PREFIX)
    try:
        token = msgspec.json.decode(urlsafe_b64decode(coded + "=" * (-len(coded) % 4)), type=Token)
        _pinned(token)
    except (ValueError, ssl.SSLError, *UNREADABLE) as error:
        raise SaidError("token_malformed", why=str(error) or "damaged") from None
    return token


def make_key() -> bytes:
    """Return a new EC P-256 key in PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def request_for(key: bytes, host_name: str) -> str:
    """Return a certificate request in PEM, signed with an EC key in PEM.

    Raises:
        ValueError: it is no such key.
    """
    secret = serialization.load_pem_private_key(key, None)
    if not isinstance(secret, ec.EllipticCurvePrivateKey):
        raise ValueError("no EC key")  # noqa: TRY004 - told to nobody, as other bad keys
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host_name[:64])])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(secret, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode("ascii")


class Host(Struct, frozen=True):
    """What a node tells of itself when it enrols."""

    name: str
    machine_id: str = ""
    assets: tuple[str, ...] = ()


def this_host(assets: Iterable[str]) -> Host:
    """Return the host this runs on; a missing machine-id is an empty one."""
    try:
        machine_id = _MACHINE_ID.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        machine_id = ""
    return Host(name=socket.gethostname(), machine_id=machine_id, assets=tuple(assets))


async def enrol(
    text: str, collector: str, state_dir: Path, host: Host, now: Callable[[], datetime]
) -> Identity:
    """Turn a token into an identity in `state_dir`.

    Args:
        text: The token.
        collector: Address to enrol at; empty: the token's own.
        state_dir: Made when it does not exist.
        host: What to tell.
        now: The host's clock, which names the folder and judges nothing.

    Raises:
        SaidError: what went wrong and what to do about it.
    """
    token = read_token(text)
    url = (collector or token.url).rstrip("/")
    tls = _pinned(token)
    key = _key_for(text.strip(), state_dir)
    identity = await _identify(url, tls, text.strip(), key, state_dir=state_dir, host=host, now=now)
    with suppress(OSError):  # what stays shows the same node again, as long as the token lives
        (state_dir / _PENDING).unlink()
    return identity


async def renew(
    identity: Identity, url: str, state_dir: Path, host: Host, now: Callable[[], datetime]
) -> Identity:
    """Replace key and certificate, showing the old ones at `url`; the node keeps its id.

    Raises:
        SaidError: what went wrong; the old identity stays.
    """
    tls = _own_tls(identity)
    return await _identify(url, tls, "", make_key(), state_dir=state_dir, host=host, now=now)


async def _identify(
    url: str,
    tls: ssl.SSLContext,
    token: str,
    key: bytes,
    *,
    state_dir: Path,
    host: Host,
    now: Callable[[], datetime],
) -> Identity:
    asked = EnrolmentRequest(
        version=VERSION,
        token=token,
        csr=request_for(key, host.name),
        host_name=host.name[:128],
        machine_id=host.machine_id[:64],
        assets=list(host.assets),
    )
    granted = await _ask(url, tls, encode(asked))
    _check(granted, key, url)
    try:
        return _store(state_dir, url, key, granted, now())
    except OSError as error:
        raise SaidError("state_folder", path=state_dir, why=error.strerror or error) from None


def _key_for(token: str, state_dir: Path) -> bytes:
    """Return the key that this token was shown with before, or a new one that lies on the disk.

    Raises:
        SaidError: `state_folder`.
    """
    path, digest = state_dir / _PENDING, sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    try:
        kept = msgspec.json.decode(read_file(path, _MOST_BYTES) or b"", type=_Pending)
        request_for(kept.key.encode(), "host")
    except (OSError, ValueError, *UNREADABLE):
        kept = None
    if kept is not None and kept.token == digest:
        return kept.key.encode()
    key = make_key()
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, msgspec.json.encode(_Pending(digest, key.decode("ascii"))), mode=0o600)
    except OSError as error:
        raise SaidError("state_folder", path=state_dir, why=error.strerror or error) from None
    return key


def _pinned(token: Token) -> ssl.SSLContext:
    return to_collectors(b64decode(token.ca), datetime.fromtimestamp(token.made, UTC))


async def _ask(url: str, tls: ssl.SSLContext, body: bytes) -> Enrolment:
    timeout = aiohttp.ClientTimeout(total=30, sock_connect=10)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(ssl=tls)) as session,
            session.post(
                f"{url}/v1/enrol", data=body, headers={"Content-Type": JSON}, allow_redirects=False
            ) as answer,
        ):
            plain = await answer.content.read(_MOST_BYTES)
            if answer.status not in {200, 201}:
                raise _refusal(url, answer, plain)
            return _enrolments.decode(plain)
    except aiohttp.ClientConnectorCertificateError as error:
        raise SaidError("wrong_authority", url=url, why=_certificate_error(error)) from None
    except WireError as error:
        raise SaidError("answer_malformed", url=url, why=error) from None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise SaidError("unreachable", url=url, why=str(error) or type(error).__name__) from None


def _certificate_error(error: aiohttp.ClientConnectorCertificateError) -> str:
    return getattr(error.certificate_error, "verify_message", "") or str(error.certificate_error)


def _refusal(url: str, answer: aiohttp.ClientResponse, plain: bytes) -> SaidError:
    try:
        problem = msgspec.json.decode(plain, type=dict[str, object])
    except UNREADABLE:
        problem = {}
    why = str(problem.get("detail") or problem.get("title") or answer.reason)
    reason = str(problem.get("type")).rpartition(":")[2]
    code = {"token": "token_refused", "classified": "classified"}.get(reason, "enrolment_failed")
    return SaidError(code, url=url, status=answer.status, why=why)


def _check(granted: Enrolment, key: bytes, url: str) -> None:
    """Refuse a certificate that is not for the key made here."""
    try:
        certificate = x509.load_pem_x509_certificate(granted.certificate.encode())
        x509.load_pem_x509_certificates(granted.authorities.encode())
    except ValueError as error:
        raise SaidError("answer_malformed", url=url, why=error) from None
    own = serialization.load_pem_private_key(key, None).public_key()
    if certificate.public_key() != own:
        raise SaidError("answer_malformed", url=url, why="the certificate is for another key")


def _store(state_dir: Path, url: str, key: bytes, granted: Enrolment, now: datetime) -> Identity:
    """Write a folder with everything, then let the link name it."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = state_dir / f"{_LINK}-{now:%Y%m%dT%H%M%S%fZ}"
    folder.mkdir(mode=0o700)
    about = {"node": granted.node, "unit": granted.unit, "collector": url}
    try:
        _write(folder / "key.pem", key)
        _write(folder / "certificate.pem", granted.certificate.encode())
        _write(folder / "authorities.pem", granted.authorities.encode())
        _write(folder / "identity.json", msgspec.json.encode(about))
        _sync(folder)
    except OSError:
        # On a full disk each try would leave another one.
        shutil.rmtree(folder, ignore_errors=True)
        raise
    new = state_dir / f"{_LINK}.new"
    new.unlink(missing_ok=True)
    new.symlink_to(folder.name)
    new.replace(state_dir / _LINK)
    _sync(state_dir)
    return Identity(granted.node, granted.unit, url, state_dir / _LINK)


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
