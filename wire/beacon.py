r"""What an agent asks a beacon, and what the beacon signs: the source address it saw.

    agent  -> "fengsui-beacon 1 NONCE\n"
    beacon -> {"body": "<JSON of Saw, base64>", "signature": "<Ed25519, base64>"}\n

The nonce is the agent's, so that an old answer proves nothing; the signature is over a purpose and the body's
very bytes, so that what is signed here is good for nothing else.

>>> question("00" * 16)
b'fengsui-beacon 1 00000000000000000000000000000000\n'
>>> asked(question("00" * 16)) == "00" * 16
True
"""

import re
from datetime import datetime

import msgspec
from msgspec import Struct

from .codec import UNREADABLE

MAX_BYTES = 1024
_QUESTION = re.compile(rb"fengsui-beacon 1 ([0-9a-f]{32})\n")
_PURPOSE = b"fengsui beacon 1\0"


class BeaconError(ValueError):
    """Bytes that are no question or no answer."""


class Saw(Struct, frozen=True, forbid_unknown_fields=True):
    """What a beacon saw."""

    nonce: str
    address: str
    at: datetime


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """A `Saw` with its signature."""

    body: bytes
    signature: bytes


def question(nonce: str) -> bytes:
    """Return what is asked with a nonce of 32 hexadecimal digits."""
    return b"fengsui-beacon 1 %s\n" % nonce.encode("ascii")


def asked(line: bytes) -> str:
    """Return the nonce of a question.

    Raises:
        BeaconError: it is none.
    """
    match = _QUESTION.fullmatch(line)
    if match is None:
        raise BeaconError(f"question {line[:40]!r}, expected fengsui-beacon 1 and 32 hexadecimal digits")
    return match[1].decode("ascii")


def signed(body: bytes) -> bytes:
    """Return the bytes that are signed for a body."""
    return _PURPOSE + body


def encode(answer: Answer) -> bytes:
    """Return an answer as its line."""
    return msgspec.json.encode(answer) + b"\n"


def decode(line: bytes) -> tuple[Answer, Saw]:
    """Return an answer and what it says; whether it is to be believed is for who holds the key.

    Raises:
        BeaconError: it is none, or longer than any is.
    """
    if len(line) > MAX_BYTES:
        raise BeaconError(f"answer of {len(line)} bytes, expected at most {MAX_BYTES}")
    try:
        answer = msgspec.json.decode(line, type=Answer)
        return answer, msgspec.json.decode(answer.body, type=Saw)
    except UNREADABLE as error:
        raise BeaconError(f"answer that is none: {error}") from None
