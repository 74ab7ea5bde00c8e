"""An answer to a mailed report: what a mail that an officer hands in says about ours (pure).

    delivery status (RFC 3464)   of our mail: delivered | failed | neither yet (delayed, relayed)
    read receipt (RFC 8098)      of our mail: it was shown to a person or taken by a program
    reply, by hand or automatic  its In-Reply-To and References name our mail

Which mail it answers is told by message ids alone, never by subject or sender. Nothing proves here who wrote
it: an officer looks at it and confirms. The file comes from outside, so it is parsed within bounds and as
bytes; a hostile one is refused or shown with less in it, and costs no more than a plain one of its size.
"""

import email
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.policy import compat32
from email.utils import parsedate_to_datetime
from typing import Literal

from msgspec import Struct

from wire.vocabulary import Name

from ..errors import PermanentError

Kind = Literal["delivery", "read", "reply", "automatic"]
Outcome = Literal["arrived", "returned", "pending"]
MEDIA_TYPE = "message/rfc822"
KINDS: Mapping[str, Name] = {
    "delivery": Name("投递状态通知", "delivery status"),
    "read": Name("阅读回执", "read receipt"),
    "reply": Name("回复", "reply"),
    "automatic": Name("自动回复", "automatic reply"),
}
OUTCOMES: Mapping[str, Name] = {
    "arrived": Name("已送达", "arrived"),
    "returned": Name("被退回", "came back"),
    "pending": Name("尚无结果", "not known yet"),
}

_HEAD = re.compile(rb"(?:[!-9;-~]{1,76}:[^\n]*\n(?:[ \t][^\n]*\n)*)+\r?\n")
_LONGEST_HEAD = 256 * 1024
_NESTING = re.compile(rb"(?i)content-type\s*:\s*(?:multipart|message)/")
_MOST_LINES, _MOST_BOUNDARIES = 100_000, 1000  # five megabytes of base64 are 66,000 lines
_MOST_NESTING, _MOST_PARTS, _MOST_IDS, _MOST_BLOCKS = 16, 64, 200, 20
_LONGEST_FIELD, _LONGEST_TEXT = 4096, 2000
_ID = re.compile(r"<[^<>\s]{1,250}>")
_ADDRESS = re.compile(r"[^\s<>\"(),:;\\\[\]@]{1,64}@[A-Za-z0-9.-]{1,253}")
_ARRIVED, _RETURNED = frozenset({"delivered"}), frozenset({"failed"})


class NoAnswerError(PermanentError):
    """What was handed in is no mail, or answers another one."""


class Answer(Struct, frozen=True, kw_only=True):
    """What a mail says of the mail that it answers.

    Fields:
        kind: What sort of answer it is; `automatic`: a reply that no person wrote (RFC 3834).
        outcome: `arrived`, `returned` (it did not), or `pending` (it is not known yet).
        sender: The address it says it is from.
        at: When it says it was written.
        subject: As it stands.
        text: What it says, cut.
        why: Of a delivery status: status code and what the server said.
        refers: The message ids of mails that it is about.
    """

    kind: Kind
    outcome: Outcome
    sender: str
    at: datetime | None
    subject: str
    text: str
    why: str
    refers: frozenset[str]


def looks_like_mail(body: bytes) -> bool:
    r"""Tell whether a file begins as a mail does: header fields, a sender among them, and an empty line.

    >>> looks_like_mail(b"From: a@b.example\nDate: x\n\nreceived"), looks_like_mail(b"<html>\n\n")
    (True, False)
    """
    head = _HEAD.match(body[:_LONGEST_HEAD])
    return head is not None and re.search(rb"(?im)^from[ \t]*:", head[0]) is not None


def read_answer(body: bytes) -> Answer:
    """Return what a mail says.

    Raises:
        NoAnswerError: It is no mail, or built as no mail program builds one.
    """
    if not looks_like_mail(body):
        raise NoAnswerError("attachment: found no mail, expected an .eml file as the mail program saves it")
    # The parser takes each of them for a line's end, and its work grows with lines, parts, and lines times
    # depth; each level of depth needs a field of its own.
    body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for what, count, most in (
        ("lines", body.count(b"\n"), _MOST_LINES),
        ("parts", body.count(b"\n--"), _MOST_BOUNDARIES),
        ("nested parts", len(_NESTING.findall(body)), _MOST_NESTING),
    ):
        if count > most:
            raise NoAnswerError(f"attachment: found a mail of {count} {what}, expected at most {most}")
    mail = email.message_from_bytes(body, policy=compat32)
    parts = [part for part, _ in zip(mail.walk(), range(_MOST_PARTS), strict=False)]
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    read = next(
        (part for part in parts if part.get_content_type() == "message/disposition-notification"), None
    )
    kind, outcome, why = _said(mail, status, read)
    return Answer(
        kind=kind,
        outcome=outcome,
        sender=next(iter(_ADDRESS.findall(_field(mail, "From"))), ""),
        at=_time(_field(mail, "Date")),
        subject=_plain(_decoded(_field(mail, "Subject")))[:200],
        text=_text(parts),
        why=why,
        refers=frozenset(_referred(mail, parts, read)),
    )


def _said(mail: Message, status: Message | None, read: Message | None) -> tuple[Kind, Outcome, str]:
    if status is not None:
        blocks = [block for block in _blocks(status) if block["Action"]]
        actions = {_field(block, "Action").strip().lower() for block in blocks}
        outcome: Outcome = (
            "returned" if actions & _RETURNED else "arrived" if actions & _ARRIVED else "pending"
        )
        return "delivery", outcome, "; ".join(_plain(_reason(block)) for block in blocks)[:500]
    if read is not None:
        return "read", "arrived", ""
    by_itself = _field(mail, "Auto-Submitted").strip().lower().startswith("auto-")
    return ("automatic" if by_itself else "reply"), "arrived", ""


def _blocks(status: Message) -> list[Message]:
    payload = status.get_payload()
    found = payload if isinstance(payload, list) else []
    return [block for block in found[:_MOST_BLOCKS] if isinstance(block, Message)]


def _reason(block: Message) -> str:
    said = _field(block, "Diagnostic-Code").partition(";")
    return " ".join(filter(None, (_field(block, "Status").strip(), (said[2] or said[0]).strip())))


def _referred(mail: Message, parts: list[Message], read: Message | None) -> Iterator[str]:
    """Ids in the answer's own fields, in a read receipt's, and that of the mail which a status carries."""
    fields = [_field(mail, "In-Reply-To"), _field(mail, "References")]
    if read is not None:
        fields += [_field(block, "Original-Message-ID") for block in (read, *_blocks(read))]
        fields += _original(read.get_payload())
    for part in parts[1:]:
        if part.get_content_type() == "text/rfc822-headers":
            fields.append(_field(email.message_from_string(_content(part)), "Message-ID"))
        elif part.get_content_type() == MEDIA_TYPE and isinstance(part.get_payload(), list):
            fields += [_field(one, "Message-ID") for one in _blocks(part)]
    yield from [found for text in fields for found in _ID.findall(text)][:_MOST_IDS]


def _original(payload: object) -> list[str]:
    """The field of a read receipt's body, which the parser leaves as text."""
    if not isinstance(payload, str):
        return []
    return [_field(email.message_from_string(payload[:_LONGEST_FIELD].lstrip()), "Original-Message-ID")]


def _text(parts: list[Message]) -> str:
    for part in parts:
        if part.get_content_type() == "text/plain" and part.get_filename() is None:
            return _plain(_content(part), keep="\n")[:_LONGEST_TEXT].strip()
    return ""


def _content(part: Message) -> str:
    body = part.get_payload(decode=True)
    kept = body[: 8 * _LONGEST_TEXT] if isinstance(body, bytes) else b""
    return _text_of(kept, str(part.get_content_charset("utf-8")))


def _field(mail: Message, name: str) -> str:
    return str(mail.get(name, ""))[:_LONGEST_FIELD]


def _decoded(text: str) -> str:
    """Words of RFC 2047 as text; what is none of them stays."""
    try:
        pieces = decode_header(text)
    except (ValueError, HeaderParseError):
        return text
    return "".join(
        piece if isinstance(piece, str) else _text_of(piece, code or "utf-8") for piece, code in pieces
    )


def _text_of(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset, "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")


def _plain(text: str, keep: str = "") -> str:
    """Text without what steers a screen or cannot be written down."""
    return "".join(
        letter if letter.isprintable() or letter in keep else " " if letter.isspace() else ""
        for letter in text
    )


def _time(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return at if at.tzinfo else None
