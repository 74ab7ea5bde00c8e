"""The messages, as frozen structs. Unknown fields are ignored, so that old and new peers talk.

`VERSION` is one number for all of them; `wire.codec` refuses any other with a text that says so.
Times are aware; on the wire they are RFC 3339 text. Every id but registry keys is a UUIDv7.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct

from .vocabulary import Level, OrderKind, OrderState

VERSION = 1

ReportKind = Literal["heartbeat", "asset", "exits", "sockets", "incident", "evidence", "gap"]
DrillState = Literal["waiting", "accepted", "declined"]
"""What the side above says to a drill: nobody has decided yet, it is in it, it is not."""
Purpose = Literal["order", "program"]
"""What something is signed for; for another purpose its signature is nothing. Settings come in an order."""
MAX_SIGNED = 1024 * 1024
Identifier = Annotated[str, Meta(min_length=1, max_length=64)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Sequence = Annotated[int, Meta(ge=1, le=2**53)]
Position = Annotated[int, Meta(ge=0, le=2**53)]


class Report(Struct, frozen=True, kw_only=True, gc=False):
    """One thing an agent says. It is accepted when it is on the agent's disk.

    Fields:
        id: UUIDv7, made when the report was accepted; it survives every resend.
        seq: Number within the epoch; ascending, with holes where the outbox dropped.
        observed_at: The host's clock when it was seen.
        boot_id, monotonic: The kernel's boot id and seconds since boot: a set clock shows against them.
        body: What `docs/wire.md` says of the kind; read by the pipeline, kept as bytes until then.
    """

    id: Identifier
    seq: Sequence
    kind: ReportKind
    source: Name
    observed_at: datetime
    boot_id: Identifier
    monotonic: float
    body: Raw


class Batch(Struct, frozen=True, kw_only=True):
    """A run of reports of one epoch: everything after `after` up to the last report's `seq`.

    A number missing in between was dropped by the outbox's bounds and is told by a `gap` report.
    `after_id` is the id of the report numbered `after` (empty at 0): see `wire.session`. `boot_id` and
    `monotonic` are those of `sent_at`: how long a report was held is told by them, however the clock was set.
    """

    version: int
    epoch: Identifier
    after: Position
    after_id: Annotated[str, Meta(max_length=64)]
    sent_at: datetime
    boot_id: Annotated[str, Meta(max_length=64)] = ""
    monotonic: float | None = None
    reports: Annotated[list[Report], Meta(min_length=1, max_length=1000)]


class Ack(Struct, frozen=True, kw_only=True):
    """What the collector holds of an epoch after a commit: everything up to `highest`.

    `highest_id` is that report's id, so that an agent drops only what it can prove was its own. `authorities`
    is the digest of the authorities to trust now: who holds others renews its certificate and gets them.
    """

    version: int
    epoch: str
    highest: Position
    highest_id: str
    received_at: datetime
    authorities: str = ""


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a batch was not taken (HTTP 409), with what the collector holds.

    `gap`: the collector holds less than the batch builds on; go on from `highest`.
    `fork`: another writer continued this epoch; begin a new epoch, nothing is dropped.
    """

    version: int
    reason: Literal["gap", "fork"]
    epoch: str
    highest: Position
    highest_id: str


class EnrolmentRequest(Struct, frozen=True, kw_only=True):
    """A one-time token and a PKCS #10 request in PEM; the key never leaves the host."""

    version: int
    token: Annotated[str, Meta(max_length=4096)]
    csr: Annotated[str, Meta(max_length=8192)]
    host_name: Name
    machine_id: Annotated[str, Meta(max_length=64)] = ""
    assets: Annotated[list[Name], Meta(max_length=64)] = []


class Enrolment(Struct, frozen=True, kw_only=True):
    """The minted node id, its certificate and the authorities to trust, in PEM."""

    version: int
    node: str
    unit: str
    certificate: str
    authorities: str


class Order(Struct, frozen=True, kw_only=True):
    """A typed action a collector asks of one node; it travels signed (`wire.signed`).

    Fields:
        node: Whom it is for: another node refuses it.
        params: What its kind takes (`wire.orders`).
        dry_run: Look whether it would be done, and do nothing.
    """

    id: Identifier
    node: Identifier
    kind: OrderKind
    params: dict[str, Any]
    issued_at: datetime
    deadline: datetime
    dry_run: bool = False


class Signed(Struct, frozen=True, kw_only=True):
    """A message with what proves it (`wire.signed`); `body` and `signature` are base64 on the wire."""

    id: Identifier
    purpose: Purpose
    body: Annotated[bytes, Meta(max_length=MAX_SIGNED)]
    certificate: Annotated[str, Meta(max_length=8192)]
    signature: Annotated[bytes, Meta(max_length=256)]


class Orders(Struct, frozen=True, kw_only=True):
    """The open orders of a node, oldest first; the answer of the long poll, empty when it timed out."""

    version: int
    orders: list[Signed]


class Outcome(Struct, frozen=True, kw_only=True):
    """The terminal state of an order; sending it twice changes nothing."""

    version: int
    order: Identifier
    state: OrderState
    at: datetime
    detail: dict[str, Any] = {}


class Filing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report sent up for an obligation. `key` makes a resend look like the first sending.

    Fields:
        obligation: Its id, `regime/stage[/recipient]`.
        content: The required items by name, as filled so far; `complete` is false while items are open.
        incident: What the body above needs to know of the incident: class, level, reasons, asset, times.
        drill: Id of the drill it belongs to; it is no real report, and only taken by who is in that drill.
    """

    version: int
    key: Identifier
    incident_id: Identifier
    unit: Name
    obligation: Name
    recipient: Name
    level: Level | None
    filed_at: datetime
    due_at: datetime | None
    complete: bool
    incident: dict[str, Any]
    content: dict[str, Any]
    drill: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class DrillNotice(Struct, frozen=True, kw_only=True):
    """A drill that a collector announces above it, and asks by the same bytes what was said to it.

    Until the answer is `accepted` nothing of the drill goes up; a peer that does not know the route never
    gives it.
    """

    version: int
    id: Identifier
    unit: Name
    name: Annotated[str, Meta(max_length=300)]
    name_en: Annotated[str, Meta(max_length=300)]
    form: Literal["table_top", "live", "demonstration"]
    starts_at: datetime
    ends_at: datetime


class DrillAnswer(Struct, frozen=True, kw_only=True):
    """Whether the side above is in a drill, by whose word and since when."""

    version: int
    id: Identifier
    state: DrillState
    by: Annotated[str, Meta(max_length=200)] | None = None
    at: datetime | None = None


class Receipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Proof that a filing arrived; the same for every resend.

    Fields:
        number: The receiving collector's running number.
        sha256: Hex digest of the filing's bytes as received.
        issuer: Unit of the receiving collector.
        drill: Id of the drill that the filing belonged to; such a receipt proves no real report.
    """

    version: int
    key: str
    number: int
    received_at: datetime
    sha256: str
    issuer: str
    drill: str | None = None
