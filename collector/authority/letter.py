"""A filing as a mail to an authority: the same key gives the same mail, down to its id (pure).

The id is made from the key and the address, so that a mail sent again, because nobody knows whether the first
arrived, is the same mail to every server and reader that keeps mail by its id.
"""

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256

from msgspec import Struct

from ..statement import Statement
from ..store.filings import Filing

_KEPT = 200


class Enclosure(Struct, frozen=True):
    """A document that goes with a mail."""

    name: str
    media_type: str
    body: bytes


def message_id(key: str, address: str, sender: str) -> str:
    """Return the id that a filing's mail to an address has, whenever it is made.

    >>> message_id("i/o", "12387@cert.example", "duty@county.example")
    '<da7aa12e670f211c0db88128fbb858a34e3da5a5@county.example>'
    """
    identity = sha256(f"filing\0{key}\0{address}".encode()).hexdigest()[:40]
    return f"<{identity}@{sender.rpartition('@')[2]}>"


def letter_name(key: str) -> str:
    """Return the name under which a filing's mail is kept with its incident."""
    return f"{key.replace('/', '_')}.eml"


def letter(
    filing: Filing, said: Statement, enclosures: Sequence[Enclosure], *, sender: str, to: str, language: str
) -> bytes:
    """Return the mail of a filing.

    Args:
        filing: Its row.
        said: What the report says.
        enclosures: The documents that go with it.
        sender: The unit's own address.
        to: The authority's.
        language: Of the text.
    """
    message = EmailMessage()
    message["From"] = Address("Fengsui 烽燧", addr_spec=sender)
    message["To"] = to
    message["Subject"] = _subject(filing, said, language)
    message["Date"] = format_datetime(_made_at(filing))
    message["Message-ID"] = message_id(filing.key, to, sender)
    message["X-Fengsui-Key"] = sha256(filing.key.encode()).hexdigest()
    message.set_content(_text(filing, said, enclosures, language), cte="base64")
    for one in enclosures:
        kind, _, subtype = one.media_type.partition("/")
        message.add_attachment(one.body, maintype=kind, subtype=subtype, filename=one.name)
    if enclosures:
        message.set_boundary(sha256(filing.key.encode()).hexdigest()[:40])
    return message.as_bytes()


def _made_at(filing: Filing) -> datetime:
    return filing.created_at.replace(microsecond=0)


def _subject(filing: Filing, said: Statement, language: str) -> str:
    unit = (filing.payload.get("incident") or {}).get("unit") or {}
    name = str(unit.get("name") or filing.payload.get("unit", ""))
    return " ".join(f"{said.law.in_language(language)} {said.name.in_language(language)}: {name}".split())[
        :_KEPT
    ]


def _text(filing: Filing, said: Statement, enclosures: Sequence[Enclosure], language: str) -> str:
    parts = [f"{item.heading.in_language(language)}\n{item.text(language)}" for item in said.items]
    with_it = [f"{one.name}  SHA-256 {sha256(one.body).hexdigest()}" for one in enclosures]
    return "\n\n".join([*parts, "\n".join(with_it), f"[{filing.key}]"]) + "\n"
