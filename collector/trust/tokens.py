"""Secrets that let in: enrolment tokens for nodes, bearer tokens for the API.

An enrolment token is handed to an operator as one word. It carries what the node needs to trust before it
sends the secret: the collector's address and the certificate of its authority.

    fs1.eyJ1cmwiOiJodHRwczovL2NvbGxlY3Rvcjo4NDQzIiwi…
        {"url": "https://collector:8443", "ca": base64 DER, "secret": "…", "made": 1772409600}

Only the SHA-256 of a secret is stored: secrets have 256 random bits, so a slow hash would add nothing.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from secrets import token_urlsafe

import msgspec
from msgspec import Struct

from wire.codec import UNREADABLE

from ..errors import PermanentError

ENROLMENT = "fs1."
BEARER = "fsa1."
MAX_LENGTH = 4096


class EnrolmentToken(Struct, frozen=True, kw_only=True):
    """What an enrolment token says.

    Fields:
        ca: Certificates in DER, one behind the other.
        made: When, in seconds since 1970: who enrols may have no right clock to judge our certificate by.
    """

    url: str
    ca: bytes
    secret: str
    made: int = 0


def new_secret() -> str:
    """Return 256 random bits as text."""
    return token_urlsafe(32)


def new_bearer() -> str:
    """Return a new bearer token for the API."""
    return BEARER + new_secret()


def digest(secret: str) -> str:
    """Return what is stored of a secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def write_token(token: EnrolmentToken) -> str:
    """Return the token as one word."""
    return ENROLMENT + urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def read_token(text: str) -> EnrolmentToken:
    """Return what a token says.

    Raises:
        PermanentError: it is no enrolment token of this version, or was cut short.

    >>> read_token(write_token(EnrolmentToken(url="https://c:8443", ca=b"DER", secret="s"))).url
    'https://c:8443'
    """
    word = text.strip()
    if not word.startswith(ENROLMENT) or len(word) > MAX_LENGTH:
        raise PermanentError(f"token: expected one word that begins with {ENROLMENT}; copy it whole")
    body = word[len(ENROLMENT) :]
    try:
        plain = urlsafe_b64decode(body + "=" * (-len(body) % 4))
        return msgspec.json.decode(plain, type=EnrolmentToken)
    except (ValueError, *UNREADABLE):
        raise PermanentError("token: damaged or cut short; copy it whole, or create a new one") from None
