r"""Records of a host's logs as events: audit records, syslog lines, entries of the journal.

>>> record = b'type=EXECVE msg=audit(1772413800.123:77): argc=2 a0="cat" a1=2F6574632F736861646F77'
>>> audit_event(record).fields == {"type": "EXECVE", "argc": "2", "a0": "cat", "a1": "/etc/shadow"}
True
>>> event = line_event(b"Mar  2 09:10:00 web sshd[812]: Failed password for root")
>>> event.service, event.text("")
('sshd', 'Failed password for root')
"""

import re
from typing import Any

import msgspec

from wire.codec import UNREADABLE

from .events import Event
from .syslog import taken_apart

MAX_FIELDS = 256
# A name begins where a word does and is short: else a long word costs a time by its length's square.
_AUDIT = re.compile(r'(?<![\w-])([A-Za-z_][\w-]{0,63})=("[^"]*"|\'[^\']*\'|\S*)')
_HEX = re.compile(r"[0-9A-F]{2,8192}")
# Fields that the kernel writes in hexadecimal where their text holds a space, a quote or a control sign.
_ENCODED = re.compile(r"a\d+|name|cwd|comm|exe|proctitle|cmd|key")
_SERVICES = {
    "crond": "cron",
    "sshd-session": "sshd",
    "clamd": "clamav",
    "freshclam": "clamav",
    "guacd": "guacamole",
}


def audit_event(record: bytes) -> Event | None:
    """Return an audit record as an event; None where the line is none.

    What stands within quotes behind `msg=` (records of user programs) counts as fields of the record.
    """
    text = record.decode("utf-8", "backslashreplace")
    # `name_format` of auditd.conf puts the host before the record.
    head, _, rest = (text.partition(" ")[2] if text.startswith("node=") else text).partition(": ")
    if not head.startswith("type=") or "msg=audit(" not in head:
        return None
    fields = {"type": head[5:].split(" ", 1)[0]}
    # An enriched record repeats its numbers as names behind a group separator.
    for name, value in _AUDIT.findall(rest.replace("\x1d", " "))[:MAX_FIELDS]:
        if name == "msg" and value[:1] == "'":
            fields |= {inner: _plain(inner, one) for inner, one in _AUDIT.findall(value[1:-1])[:MAX_FIELDS]}
        else:
            fields[name] = _plain(name, value)
    return Event("auditd", fields, message=text)


def _plain(name: str, value: str) -> str:
    if value[:1] in {'"', "'"}:
        return value[1:-1]
    if _ENCODED.fullmatch(name) and len(value) % 2 == 0 and _HEX.fullmatch(value):
        return bytes.fromhex(value).replace(b"\0", b" ").decode("utf-8", "backslashreplace")
    return value


def line_event(line: bytes) -> Event:
    """Return a syslog line as an event; one without a program's name is a message of no service."""
    text = line.decode("utf-8", "backslashreplace")
    found = taken_apart(text)
    if found is None or not found.program:
        return Event("line", {}, message=text)
    return Event("line", {}, service_of(found.program), found.message)


def entry_event(entry: bytes) -> tuple[Event | None, str]:
    """Return a journal entry as an event, and its cursor.

    Raises:
        ValueError: it is no entry.
    """
    try:
        fields: dict[str, Any] = msgspec.json.decode(entry, type=dict[str, Any])
    except UNREADABLE as error:
        raise ValueError(f"journal entry that is no JSON object: {error}") from None
    cursor = str(fields.get("__CURSOR", ""))
    message = fields.get("MESSAGE")
    if isinstance(message, list):  # journald's way of writing what is no UTF-8
        message = bytes(one for one in message if isinstance(one, int) and 0 <= one < 256).decode(
            "utf-8", "replace"
        )
    if not isinstance(message, str):
        return None, cursor
    program = fields.get("SYSLOG_IDENTIFIER") or fields.get("_COMM") or ""
    return Event("line", {}, service_of(str(program)), message), cursor


def service_of(program: str) -> str:
    """Return the service, by Sigma's name, that a program's lines are of.

    >>> service_of("CRON"), service_of("sshd-session"), service_of("/usr/sbin/vsftpd")
    ('cron', 'sshd', 'vsftpd')
    """
    name = program.rpartition("/")[2].lower()
    return _SERVICES.get(name, name)
