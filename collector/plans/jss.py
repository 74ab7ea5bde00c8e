"""Signatures of playbooks: CACAO 2.0's `jss` (JSON Signature Scheme, ITU-T X.590), made and verified.

::

    value = base64url(sign(algorithm, key, hash(jcs(playbook with this signature alone, without its value))))

Other signatures of the same playbook are left out of what is signed, so any number of parties sign side by
side and none breaks another's. A certificate or key is only ever taken from the signature itself or from what
the operator trusts: nothing is fetched (`cert_url`), and a good signature of a stranger is told as that.
"""

import binascii
import hashlib
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from msgspec import Struct

from .cacao_export import stamp

SIGNATURES = "signatures"
Signer = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
_Public = ed25519.Ed25519PublicKey | ed448.Ed448PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
_HASHES: Mapping[str, Callable[[bytes], Any]] = {
    "sha-256": hashlib.sha256,
    "sha-384": hashlib.sha384,
    "sha-512": hashlib.sha512,
}
_DIGESTS: Mapping[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
_MAX_SIGNATURES = 50
_SMALLEST_RSA = 2048


class Verdict(Struct, frozen=True, kw_only=True):
    """What came of one signature.

    Fields:
        state: `good`: by a trusted key; `stranger`: good, but by another; `out_of_time`: good, but not now;
            `unverified`: nothing here can check it; `revoked`: by its maker; `bad`: not of this playbook.
        why: What was found; empty where it is good.
    """

    signee: str
    algorithm: str
    state: Literal["good", "stranger", "out_of_time", "unverified", "revoked", "bad"]
    why: str = ""

    @property
    def refused(self) -> bool:
        """Whether a playbook that carries it must not be taken."""
        return self.state in {"bad", "revoked"}


class _Refused(Exception):  # noqa: N818 - control flow inside this file: it ends in a verdict
    def __init__(self, state: Literal["unverified", "bad"], why: str) -> None:
        super().__init__(why)
        self.state: Literal["unverified", "bad"] = state


def sign(
    document: Mapping[str, Any], key: Signer, *, identifier: str, created_by: str, signee: str, now: datetime
) -> dict[str, Any]:
    """Return a playbook with one more signature.

    Args:
        document: A playbook with `id` and `modified`.
        key: Ed25519, or ECDSA on P-256, P-384 or P-521.
        identifier: Of the signature, `jss--<uuid>`.
        created_by: CACAO identifier of who signs.
        signee: Their name.
        now: UTC.

    Raises:
        ValueError: The playbook has no canonical form, or names no id and version.
    """
    if not isinstance(document.get("id"), str) or not isinstance(document.get("modified"), str):
        raise ValueError("id and modified of the playbook: found none, expected both")  # noqa: TRY004 - a person's mistake
    at = stamp(now.astimezone(UTC))
    signature: dict[str, Any] = {
        "type": "jss",
        "id": identifier,
        "created_by": created_by,
        "created": at,
        "modified": at,
        "signee": signee,
        "related_to": document["id"],
        "related_version": document["modified"],
        "hash_algorithm": "sha-256",
        "algorithm": _algorithm_of(key),
        "public_key": b64encode(spki(key.public_key())).decode(),
    }
    value = _sign(key, _signed(document, signature))
    signature["value"] = urlsafe_b64encode(value).rstrip(b"=").decode()
    return {**document, SIGNATURES: [*document.get(SIGNATURES, []), signature]}


def verify(document: Mapping[str, Any], *, trusted: Sequence[bytes], now: datetime) -> list[Verdict]:
    """Return a verdict for each signature of a playbook.

    Args:
        document: The playbook as it came.
        trusted: Keys (`spki`) that the operator trusts.
        now: UTC.
    """
    signatures = document.get(SIGNATURES, [])
    if not isinstance(signatures, list) or len(signatures) > _MAX_SIGNATURES:
        found = f"{len(signatures)} signatures" if isinstance(signatures, list) else "no list"
        why = f"found {found}, expected a list of at most {_MAX_SIGNATURES}"
        return [Verdict(signee="", algorithm="", state="bad", why=why)]
    return [_verdict(document, each, trusted, now) for each in signatures]


def spki(key: _Public) -> bytes:
    """Return a public key as its SubjectPublicKeyInfo."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def read_trusted(pem: bytes) -> bytes:
    """Return the key of a PEM certificate or public key.

    Raises:
        ValueError: It is neither.
    """
    try:
        if b"CERTIFICATE" in pem:
            return spki(_known(x509.load_pem_x509_certificate(pem).public_key()))
        return spki(_known(serialization.load_pem_public_key(pem)))
    except (ValueError, UnsupportedAlgorithm, _Refused) as error:
        raise ValueError(f"no PEM certificate or public key ({error})") from None


def read_signer(pem: bytes) -> Signer:
    """Return the private key of a PEM file.

    Raises:
        ValueError: It is none, is encrypted, or of another kind than Ed25519 or ECDSA.
    """
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"no PEM private key without a passphrase ({error})") from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES.values():
        return key
    raise ValueError("a key of another kind than Ed25519 or ECDSA on P-256, P-384, P-521")


def _verdict(document: Mapping[str, Any], signature: Any, trusted: Sequence[bytes], now: datetime) -> Verdict:  # noqa: ANN401 - foreign JSON
    given = signature if isinstance(signature, dict) else {}
    told = {"signee": str(given.get("signee", ""))[:200], "algorithm": str(given.get("algorithm", ""))[:40]}
    if given.get("revoked") is True:
        return Verdict(**told, state="revoked", why="its maker has revoked it")
    try:
        _related(document, given)
        key = _key_of(given, trusted)
        _check(key, str(given.get("algorithm")), _value(given), _signed(document, given))
    except _Refused as refused:
        return Verdict(**told, state=refused.state, why=str(refused))
    if why := _out_of_time(given, now):
        return Verdict(**told, state="out_of_time", why=why)
    if spki(key) not in trusted:
        return Verdict(
            **told, state="stranger", why="the signature is good, the key is not one that is trusted"
        )
    return Verdict(**told, state="good")


def _related(document: Mapping[str, Any], signature: Mapping[str, Any]) -> None:
    if signature.get("type") != "jss":
        raise _Refused("bad", f"type: found {signature.get('type')!r}, expected 'jss'")
    for name, field in (("related_to", "id"), ("related_version", "modified")):
        if signature.get(name) != document.get(field):
            found = f"{name}: found {signature.get(name)!r}, expected the playbook's {field}"
            raise _Refused("bad", f"{found} {document.get(field)!r}")


def _signed(document: Mapping[str, Any], signature: Mapping[str, Any]) -> bytes:
    """Return the hash that is signed."""
    bare = {name: value for name, value in signature.items() if name != "value"}
    algorithm = str(signature.get("hash_algorithm"))
    if algorithm not in _HASHES:
        known = ", ".join(_HASHES)
        raise _Refused("unverified", f"hash_algorithm: found {algorithm!r}, expected one of {known}")
    try:
        canonical = rfc8785.dumps({**document, SIGNATURES: [bare]})
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeError) as error:
        raise _Refused("bad", f"the playbook has no canonical form ({error})") from None
    return bytes(_HASHES[algorithm](canonical).digest())


def _key_of(signature: Mapping[str, Any], trusted: Sequence[bytes]) -> _Public:
    chain = signature.get("public_cert_chain")
    try:
        if isinstance(signature.get("public_key"), str):
            key = b64decode("".join(signature["public_key"].split()), validate=True)
            return _known(serialization.load_der_public_key(key))
        if isinstance(chain, list) and chain and isinstance(chain[0], str):
            return _known(x509.load_der_x509_certificate(b64decode(chain[0], validate=True)).public_key())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _Refused("bad", f"its public key cannot be read ({error})") from None
    for key in trusted:
        if signature.get("thumbprint") == _thumbprint(key):
            return _known(serialization.load_der_public_key(key))
    raise _Refused("unverified", "it brings no key, and none that is trusted bears its thumbprint")


def _thumbprint(key: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(key).digest()).rstrip(b"=").decode()


def _known(key: object) -> _Public:
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SMALLEST_RSA:
        raise _Refused("unverified", f"an RSA key of {key.key_size} bits, expected {_SMALLEST_RSA} at least")
    if isinstance(
        key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    ):
        return key
    raise _Refused("unverified", f"a key of the kind {type(key).__name__}")


def _value(signature: Mapping[str, Any]) -> bytes:
    text = str(signature.get("value"))
    try:
        return b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise _Refused("bad", "value: expected base64url") from None


def _check(key: _Public, algorithm: str, value: bytes, signed: bytes) -> None:
    digest = _DIGESTS.get(algorithm[2:])
    try:
        if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            if algorithm != ("Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else "Ed448"):
                raise _Refused("bad", f"algorithm: found {algorithm!r}, which is not its key's")
            key.verify(value, signed)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            if _CURVES.get(algorithm) != key.curve.name or digest is None:
                raise _Refused("bad", f"algorithm: found {algorithm!r}, which is not its key's")
            key.verify(_der(value, key.curve.key_size), signed, ec.ECDSA(digest))
        elif algorithm[:2] == "RS" and digest is not None:
            key.verify(value, signed, padding.PKCS1v15(), digest)
        elif algorithm[:2] == "PS" and digest is not None:
            salted = padding.PSS(padding.MGF1(digest), digest.digest_size)
            key.verify(value, signed, salted, digest)
        else:
            raise _Refused("unverified", f"algorithm: found {algorithm!r}, which nothing here checks")
    except InvalidSignature:
        raise _Refused("bad", "the playbook, or the signature, was changed after it was signed") from None


def _algorithm_of(key: Signer) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "Ed25519"
    return next(name for name, curve in _CURVES.items() if curve == key.curve.name)


def _sign(key: Signer, signed: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(signed)
    digest = _DIGESTS[_algorithm_of(key)[2:]]
    size = (key.curve.key_size + 7) // 8
    first, second = decode_dss_signature(key.sign(signed, ec.ECDSA(digest)))
    return first.to_bytes(size, "big") + second.to_bytes(size, "big")  # as JSON algorithms have it (RFC 7518)


def _der(value: bytes, bits: int) -> bytes:
    size = (bits + 7) // 8
    if len(value) != 2 * size:
        raise _Refused("bad", f"value: found {len(value)} bytes, expected {2 * size}")
    return encode_dss_signature(int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big"))


def _out_of_time(signature: Mapping[str, Any], now: datetime) -> str:
    for name, late in (("valid_from", False), ("valid_until", True)):
        text = signature.get(name)
        if text is None:
            continue
        try:
            at = datetime.fromisoformat(str(text))
        except ValueError:
            return f"{name}: found {text!r}, expected a time"
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        if (now >= at) if late else (now < at):
            return f"{name} is {text}"
    return ""
