"""The name by which a client greets a server of TLS: server_name in its ClientHello (RFC 8446, RFC 6066).

    record      22, version 3.x, length     a greeting may be split over several, each with this head
    handshake   1, length                   one message, of which a packet may hold only the beginning
    hello       version, 32 random bytes, session, suites, compressions, extensions
    extension   kind, length, data          kind 0: a list of one host name, in ASCII

What nobody knows is passed over: GREASE (RFC 8701) as well as next year's extensions. Under Encrypted Client
Hello the name is the outer one, which says who keeps the server and not whom the client means; it is taken as
what it is. A greeting that ends before its name could be is another matter than one that has none.

>>> server_name(bytes.fromhex(
...     "160301003e" "0100003a" "0303" + 32 * "00" + "00" "0002" "1301" "01" "00"
...     "000f" "0000" "000b" "0009" "00" "0006" + b"MX.gov".hex()
... ))
'mx.gov'
>>> server_name(bytes.fromhex("160301003e" "0100003a" "0303"))
Traceback (most recent call last):
agent.detection.tls.CutError: the hello ends after 2 of 58 bytes
"""

import re
import struct

HANDSHAKE, CLIENT_HELLO = 22, 1
_VERSION = 3  # of every version since SSL 3.0 the first byte
_SERVER_NAME = 0
_HOST_NAME = 0
_LONGEST_RECORD = 1 << 14
# Each part as long as its own length can say (RFC 8446, 4.1.2).
_LONGEST_HELLO = 2 + 32 + 33 + 65537 + 256 + 65537
_RANDOM_ENDS = 34
_LONGEST_SESSION = 32
_RECORD = struct.Struct("!BBxH")
_EXTENSION = struct.Struct("!HH")
_ENTRY = struct.Struct("!HBH")
# An underscore is in no host's name, and in many a name that servers answer to.
_NAME = re.compile(rb"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_LONGEST_NAME = 253


class TlsError(ValueError):
    """No ClientHello, or one that contradicts itself."""


class CutError(TlsError):
    """What there is of a ClientHello ends before its name could be read."""


def server_name(data: bytes) -> str:
    """Return the name, in small letters and without a last dot; empty where the greeting has none.

    Args:
        data: What a client sent first, from the head of its first record on; what comes after it does not
            matter, and its end may be missing.

    Raises:
        TlsError: it is none, or its parts are not as long as they say, or its name is no host's.
        CutError: it ends before its name could be.
    """
    hello, length = _hello(data)
    at = _extensions(hello, length)
    while at < length:
        if at + _EXTENSION.size > length:
            raise TlsError("the last extension is longer than the hello")
        if at + _EXTENSION.size > len(hello):
            raise CutError(f"the hello ends after {len(hello)} of {length} bytes")
        kind, size = _EXTENSION.unpack_from(hello, at)
        at += _EXTENSION.size
        if at + size > length:
            raise TlsError(f"extension {kind} is longer than the hello")
        if kind == _SERVER_NAME:
            if at + size > len(hello):
                raise CutError(f"the hello ends after {len(hello)} of {length} bytes")
            return _host(hello[at : at + size])
        at += size
    return ""


def _hello(data: bytes) -> tuple[bytes, int]:
    """Return what there is of the hello's body, its records put together, and how long it says to be."""
    message = bytearray()
    length = _LONGEST_HELLO
    at = 0
    while at + _RECORD.size <= len(data) and len(message) < 4 + length:
        kind, version, size = _RECORD.unpack_from(data, at)
        if (kind, version) != (HANDSHAKE, _VERSION) or not 0 < size <= _LONGEST_RECORD:
            raise TlsError(f"a record of kind {kind}, version {version}, {size} bytes within a hello")
        at += _RECORD.size
        message += data[at : at + size]
        at += size
        if message and message[0] != CLIENT_HELLO:
            raise TlsError(f"a handshake message of kind {message[0]}, expected a ClientHello")
        if len(message) >= 4:
            length = int.from_bytes(message[1:4], "big")
            if length > _LONGEST_HELLO:
                raise TlsError(f"a hello of {length} bytes, expected at most {_LONGEST_HELLO}")
    if len(message) < 4:
        raise CutError("the hello ends before its length")
    return bytes(message[4 : 4 + length]), length


def _extensions(hello: bytes, length: int) -> int:
    """Return where the extensions begin; at the hello's end where it has none, as before TLS 1.2 it may.

    Raises:
        TlsError: what stands before them is longer than the hello, or they do not end with it.
        CutError: the hello ends before them.
    """
    at = _RANDOM_ENDS
    if hello[:1] and hello[0] != _VERSION:
        raise TlsError(f"a hello of version {hello[0]}")
    for size, most in ((1, _LONGEST_SESSION), (2, 0xFFFE), (1, 0xFF)):
        many = _number(hello, length, at, size)
        if many > most or (size == 2 and many % 2) or (many == 0 and at > _RANDOM_ENDS):
            raise TlsError(f"a part of {many} bytes in a hello")
        at += size + many
    if at == length:
        return at
    many = _number(hello, length, at, 2)
    if at + 2 + many != length:
        raise TlsError(f"extensions of {many} bytes in a hello of {length}")
    return at + 2


def _number(hello: bytes, length: int, at: int, size: int) -> int:
    """Return the number at an offset.

    Raises:
        TlsError: the hello may not be so long.
        CutError: it is not there yet.
    """
    if at + size > length:
        raise TlsError(f"a part at {at} of a hello of {length} bytes")
    if at + size > len(hello):
        raise CutError(f"the hello ends after {len(hello)} of {length} bytes")
    return int.from_bytes(hello[at : at + size], "big")


def _host(data: bytes) -> str:
    """Return the one host name of a list of names.

    Raises:
        TlsError: the list does not hold one, or it is no host's name.
    """
    if len(data) < _ENTRY.size:
        raise TlsError(f"a list of names of {len(data)} bytes")
    whole, kind, size = _ENTRY.unpack_from(data)
    if (whole, kind, size) != (len(data) - 2, _HOST_NAME, len(data) - _ENTRY.size):
        raise TlsError(
            f"a list of {whole} bytes whose first name, of kind {kind}, has {size}, in {len(data)}"
        )
    # A last dot is against the text, and servers answer to it.
    name = data[_ENTRY.size :].lower().removesuffix(b".")
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise TlsError("a name that is no host's")
    return name.decode("ascii")
