"""A deployment that says itself what it brings: a list of files and digests, signed where it was built.

    build machine    fengsui-agent baseline sign SITE --key KEY --out portal.manifest
    web server       the manifest first, then the content; the agent takes the manifest for what counts

What is signed is the accepted content from then on: a file that differs from it is tampering, whoever brought
it. Versions ascend, so that no old manifest brings back an old page. The key that signs never comes near the
server; its public half stands in the server's settings.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta, Struct

from wire.codec import UNREADABLE

from ...keeping import open_regular
from ..names import real
from .baseline import Baseline, Entry
from .webroot import WebRoot, read, short, stamp, walk

_PURPOSE = b"fengsui baseline 1\0"
_MAX_BYTES = 64 * 1024 * 1024
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class ManifestError(ValueError):
    """A manifest that does not prove itself, or is none."""


class Manifest(Struct, frozen=True):
    """What a site holds: SHA-256 and size by path."""

    version: Annotated[int, Meta(ge=1)]
    files: dict[str, tuple[_Digest, Annotated[int, Meta(ge=0)]]]


class Envelope(Struct, frozen=True):
    """A manifest's JSON as it was signed, and its signature, both in base64."""

    manifest: str
    signature: str


def of_site(root: WebRoot, version: int) -> Manifest:
    """Return the manifest of a site as it is built.

    Raises:
        OSError: a file of it can't be read.
    """
    files: dict[str, tuple[str, int]] = {}
    for path, error in walk(root):
        if error:
            raise OSError(f"{path}: {error}")
        place = Path(root.path, real(path))
        status = place.lstat()
        files[path] = (read(place, status)[0], status.st_size)
    return Manifest(version, files)


def sign(manifest: Manifest, key: Ed25519PrivateKey) -> bytes:
    """Return a manifest's file."""
    data = msgspec.json.encode(manifest, order="sorted")
    signature = key.sign(_PURPOSE + data)
    return msgspec.json.encode(Envelope(_text(data), _text(signature))) + b"\n"


def verify(data: bytes, key: str) -> Manifest:
    """Return the manifest of a file.

    Args:
        data: The file.
        key: The public key, 32 bytes in base64.

    Raises:
        ManifestError: it is no manifest, or not signed by that key.
    """
    try:
        envelope = msgspec.json.decode(data, type=Envelope)
        signed = base64.b64decode(envelope.manifest, validate=True)
        signature = base64.b64decode(envelope.signature, validate=True)
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
        public.verify(signature, _PURPOSE + signed)
        return msgspec.json.decode(signed, type=Manifest)
    except InvalidSignature:
        raise ManifestError("not signed by the key of the settings") from None
    except (ValueError, *UNREADABLE) as error:
        raise ManifestError(f"no manifest: {error}"[:300]) from None


def take_up(root: WebRoot, baseline: Baseline) -> bool:
    """Take the manifest beside a root for its accepted content where it is newer; say whether it was.

    Raises:
        ManifestError: it does not prove itself, or is older than what was accepted.
        OSError: it can't be read, or the baseline can't be written.
    """
    try:
        with open_regular(root.manifest) as file:
            data = file.read(_MAX_BYTES)
    except FileNotFoundError:
        return False
    manifest = verify(data, root.manifest_key)
    accepted = baseline.version()
    if manifest.version == accepted:
        return False
    if manifest.version < accepted:
        raise ManifestError(f"version {manifest.version} is older than the accepted one, {accepted}")
    baseline.accept(_entries(root, manifest), manifest.version)
    return True


def _entries(root: WebRoot, manifest: Manifest) -> Iterator[Entry]:
    """Yield what shall be there; the stamp of what is there already spares reading it again."""
    for path, (digest, size) in manifest.files.items():
        if root.excludes(path):
            continue
        place = Path(root.path, real(path))
        try:
            status = place.lstat()
            found, text = read(place, status)
        except (OSError, ValueError):
            found, text, status = "", None, None
        if status is not None and found == digest:
            yield Entry(path, digest, size, stamp(status), short(text))
        else:
            yield Entry(path, digest, size, "", None)


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public half of a key as settings take it."""
    return _text(key.public_key().public_bytes_raw())


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
