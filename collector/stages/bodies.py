"""Bodies of reports, read by kind: what the stages judge is typed, the rest is kept as it came."""

import re
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct, field

from wire.messages import ReportKind

from ..exposure import Asset, Exits, Sockets

YEARS = range(1970, 9999)
"""In which a node can have seen something."""
_NUL = re.compile(rb"((?<!\\)(?:\\\\)*)\\u0000")
LARGEST = 2**53
"""Which every JSON holds exactly."""
_Short = Annotated[str, Meta(min_length=1, max_length=512)]
_Time = Annotated[datetime, Meta(tz=True)]


class Incident(Struct, frozen=True, kw_only=True):
    """Body of an `incident` report (`docs/wire.md`)."""

    key: _Short
    klass: Annotated[str, Meta(min_length=1, max_length=32)] = field(name="class")
    first_seen: _Time
    last_seen: _Time
    severity_hint: str | None = None
    facts: dict[str, Any] = {}
    source_address: str | None = None
    target_address: str | None = None
    target: str | None = None
    count: Annotated[int, Meta(ge=0)] = 1
    restored: bool = False
    evidence: list[dict[str, Any]] = []
    evidence_total: int | None = None

    def __post_init__(self) -> None:
        """Refuse times and numbers that nothing can have: what is counted from them has an end."""
        for name, at in (("first_seen", self.first_seen), ("last_seen", self.last_seen)):
            if at.year not in YEARS:
                raise ValueError(f"{name} is {at.isoformat()}, expected a time since {YEARS.start}")
        for name, value in self.facts.items():
            if isinstance(value, int | float) and not -LARGEST <= value <= LARGEST:
                raise ValueError(f"facts.{name[:60]} is beyond {LARGEST}")


Body = Exits | Sockets | Asset | Incident | dict[str, Any]

_KINDS: dict[ReportKind, type] = {"exits": Exits, "sockets": Sockets, "asset": Asset, "incident": Incident}
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(body) for kind, body in _KINDS.items()
}
_ANY = msgspec.json.Decoder(dict[str, Any])


def without_nul(body: bytes) -> bytes:
    r"""Return JSON whose texts have a mark (U+FFFD) where a zero byte was, which no database keeps in a text.

    >>> without_nul(b'["a\\u0000b", "\\\\u0000"]')
    b'["a\\ufffdb", "\\\\u0000"]'
    """
    return _NUL.sub(rb"\1\\ufffd", body) if b"\\u0000" in body else body


def decode_body(kind: ReportKind, raw: Raw) -> Body:
    """Return a report's body.

    Raises:
        ValueError: It is not what the kind says; the text has the JSON path.
    """
    try:
        body: Body = _DECODERS.get(kind, _ANY).decode(raw)
    except RecursionError as error:
        raise ValueError(str(error)) from None
    return body


def plain(raw: Raw) -> dict[str, Any]:
    """Return a body that was decoded before as JSON values, with all it holds."""
    return _ANY.decode(raw)
