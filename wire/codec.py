"""Bytes to message and back: one version, size limits on both sides of the compression.

A body is JSON (RFC 8259); from `COMPRESS_FROM` bytes on it is sent as one zstd frame (RFC 8878)
that states its content size, with `Content-Encoding: zstd`. Both limits are checked before anything is
unpacked: refusing costs less than taking. Where there is no zstandard (no wheel is built for some machines) a
body is sent as gzip (RFC 1952), which every side takes; a side without it refuses zstd with 415, and the
sender goes over to gzip.
"""

import zlib
from typing import Any, Generic, TypeVar

import msgspec

try:
    import zstandard

    _has_zstd = True
except ImportError:  # built for no wheel here; gzip does
    _has_zstd = False

from .messages import VERSION

JSON = "application/json"
PROBLEM = "application/problem+json"
ZSTD = "zstd"
GZIP = "gzip"
GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31
_TAKEN = "zstd, gzip or identity" if _has_zstd else "gzip or identity (no package zstandard here)"
IDENTITY = "identity"
COMPRESS_FROM = 1024
MAX_PACKED = 4 * 1024 * 1024
MAX_PLAIN = 16 * 1024 * 1024

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are no message: of another form, no text, nested too deeply."""

Message = TypeVar("Message")


class WireError(ValueError):
    """A body that can't be taken; permanent: the same bytes fail again.

    Attributes:
        reason: Short code for counters: `oversize`, `encoding`, `version` or `malformed`.
        status: The HTTP status that answers it.
    """

    def __init__(self, reason: str, status: int, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.status = status


class _Versioned(msgspec.Struct):
    version: int | None = None


_versioned = msgspec.json.Decoder(_Versioned)


def encode(message: object) -> bytes:
    r"""Return the message as JSON bytes.

    Names that an operating system gives may be no text: half letters, which Python holds and no JSON does.
    They are written escaped, for a name that its owner chose must not keep from being told what it names.

    >>> encode({"path": "/srv/\udcff.php"})
    b'{"path":"/srv/\\\\xff.php"}'
    """
    try:
        return msgspec.json.encode(message)
    except UnicodeEncodeError:
        return msgspec.json.encode(_escaped(msgspec.to_builtins(message)))


def _escaped(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        try:
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        except UnicodeEncodeError:  # half of a letter that is none of a file system's
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, list | tuple):
        return [_escaped(one) for one in value]
    if isinstance(value, dict):
        return {_escaped(name): _escaped(one) for name, one in value.items()}
    return value


def pack(plain: bytes, *, zstd: bool = True) -> tuple[bytes, str]:
    """Return the body to send and its `Content-Encoding`; `zstd` false: the other side does not take it."""
    if len(plain) < COMPRESS_FROM:
        return plain, IDENTITY
    if not zstd or not _has_zstd:
        packer = zlib.compressobj(level=6, wbits=_GZIP_WINDOW)
        return packer.compress(plain) + packer.flush(), GZIP
    return zstandard.ZstdCompressor(level=3).compress(plain), ZSTD


def unpack(body: bytes, encoding: str) -> bytes:
    """Return the plain JSON bytes of a received body.

    Raises:
        WireError: too large before or after unpacking, a damaged frame, or an encoding we don't speak.
    """
    if len(body) > MAX_PACKED:
        raise WireError(
            "oversize", 413, f"body has {len(body)} bytes, at most {MAX_PACKED} are taken; send fewer reports"
        )
    if encoding in {"", IDENTITY}:
        return body
    if encoding == GZIP:
        return _gunzip(body)
    if encoding != ZSTD or not _has_zstd:
        raise WireError("encoding", 415, f"Content-Encoding is {encoding[:40]!r}, expected {_TAKEN}")
    return _inflate(body)


def _gunzip(body: bytes) -> bytes:
    """Unpack one complete gzip member, never beyond the limit."""
    unpacker = zlib.decompressobj(wbits=_GZIP_WINDOW)
    try:
        plain = unpacker.decompress(body, MAX_PLAIN + 1)
    except zlib.error as error:
        raise WireError("malformed", 400, f"gzip body is damaged: {error}") from None
    if len(plain) > MAX_PLAIN:
        raise WireError("oversize", 413, f"body unpacks to more than {MAX_PLAIN} bytes; send fewer reports")
    if not unpacker.eof or unpacker.unused_data:
        raise WireError("malformed", 400, "gzip body is truncated, or something follows it")
    return plain


def _inflate(body: bytes) -> bytes:
    """Unpack one complete zstd frame whose header states a size within the limit."""
    try:
        size = zstandard.frame_content_size(body)
        if size > MAX_PLAIN:
            raise WireError(
                "oversize",
                413,
                f"body unpacks to {size} bytes, at most {MAX_PLAIN} are taken; send fewer reports",
            )
        if size < 0:
            raise WireError("malformed", 400, "zstd frame does not state its content size")
        # Memory is reserved by the stated size, and a frame that holds more than it states is an error.
        return zstandard.ZstdDecompressor().decompress(body, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise WireError("malformed", 400, f"zstd frame is damaged or truncated: {error}") from None


class Codec(Generic[Message]):
    """Decodes one message type; made once, used for every body of its kind."""

    def __init__(self, message: type[Message]) -> None:
        self._decoder = msgspec.json.Decoder(message)

    def decode(self, plain: bytes) -> Message:
        """Return the message.

        Raises:
            WireError: `version` (426) for another version, `malformed` (400) with the JSON path otherwise.
        """
        try:
            message = self._decoder.decode(plain)
        except UNREADABLE as error:
            _refuse_version(plain)
            raise WireError("malformed", 400, str(error)) from None
        if getattr(message, "version", VERSION) != VERSION:
            _refuse_version(plain)
        return message


def _refuse_version(plain: bytes) -> None:
    """Raise the version error when that is what is wrong: a newer body may fail in any other way too."""
    try:
        found = _versioned.decode(plain).version
    except UNREADABLE:
        return
    if found != VERSION:
        raise WireError(
            "version", 426, f"message version is {found}, this side speaks {VERSION}; update the older side"
        )
