"""Lines of auth.log and entries of journald as login attempts.

Account names are chosen by the attacker, so that a line is read from its end, where sshd writes the address:

>>> from datetime import UTC, datetime
>>> reader = AuthReader()
>>> hostile = "Failed password for invalid user x from 9.9.9.9 port 1 ssh2 from 203.0.113.9 port 4242 ssh2"
>>> reader.message("sshd", hostile, datetime(2026, 3, 2, tzinfo=UTC)).source_address
'203.0.113.9'
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from ipaddress import ip_address
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wire.codec import UNREADABLE

from ...clock import moment
from ...rules.syslog import taken_apart

MAX_LINE = 8192
_MAX_SHOWN = 300
_MAX_PROBES = 4096
# Zones differ by quarters of an hour, and by 26 hours at most.
_ZONES, _MOST_ZONES, _FRESH = timedelta(minutes=15), 104, timedelta(minutes=2)
_ZONED = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_END = r" from (?P<source>\S+) port (?P<port>\d+)(?: ssh2?)?(?:: .*)?$"
_SSHD = (
    (
        "failed",
        re.compile(
            r"Failed (?P<method>password|keyboard-interactive\S*) for (?:invalid user )?(?P<account>.*)"
            + _END
        ),
    ),
    ("probed", re.compile(r"(?P<method>Invalid) user (?P<account>.*)" + _END)),
    (
        "refused",
        re.compile(
            r"drop connection #\d+ from \[(?P<source>[^\]]+)\]:(?P<port>\d+) on \S+ "
            r"(?P<method>penalty): (?P<account>)failed authentication$"
        ),
    ),
    ("succeeded", re.compile(r"Accepted (?P<method>\S+) for (?P<account>.*)" + _END)),
)
_DROPBEAR = (
    (
        "failed",
        re.compile(
            r"Bad (?P<method>password) attempt for '(?P<account>.*)' from (?P<source>\S+):(?P<port>\d+)$"
        ),
    ),
    (
        "succeeded",
        re.compile(
            r"(?P<method>\w+) auth succeeded for '(?P<account>.*)'.* from (?P<source>\S+):(?P<port>\d+)$"
        ),
    ),
)
_PAM = re.compile(
    r"pam_(?:unix|sss|ldap|winbind)\((?P<service>[\w.-]+):auth\): "
    r"(?:(?P<times>\d{1,3}) more authentication failures?|authentication failure);"
    r".*?\brhost=(?P<source>\S*)(?:\s+user=(?P<account>\S+))?\s*$"
)
_SUDO = re.compile(
    r"\s*(?P<account>\S+) : (?:(?P<times>\d{1,3}) incorrect password attempts?"
    r"|user NOT in sudoers|command not allowed)"
    r" ; (?:TTY=\S* ; )?(?:PWD=.* ; )?USER="
)
# How a connection ends on which sshd did not say that a login failed: it says so of passwords only.
_ENDED = re.compile(
    r"(?:Connection (?:closed|reset) by|Disconnected from|Disconnecting) (?:authenticating|invalid) user"
    r" (?P<account>.*) (?P<source>\S+) port (?P<port>\d+)(?:: Too many authentication failures)? \[preauth\]$"
)
_TOO_MANY = re.compile(
    r"(?:error: )?maximum authentication attempts exceeded for (?:invalid user )?(?P<account>.*)"
    r" from (?P<source>\S+) port (?P<port>\d+)(?: ssh2?)? \[preauth\]$"
)
_AGAIN = re.compile(r"last message repeated (?P<times>\d{1,6}) times?$")
_REPEATED = re.compile(r"message repeated (?P<times>\d{1,6}) times: \[ ?(?P<message>.*?)\]?$")


class LineError(ValueError):
    """A line that is no log line; its text says why."""


class Attempt(Struct, frozen=True):
    """A login that failed or succeeded; `times` where syslog folded equal lines into one."""

    at: datetime
    succeeded: bool
    account: str
    source_address: str | None
    method: str
    line: str
    times: int = 1


def item(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as an incident's evidence."""
    return {
        "at": moment(attempt.at),
        "account": attempt.account,
        "source_address": attempt.source_address,
        "method": attempt.method,
        "succeeded": attempt.succeeded,
        "line": attempt.line,
    }


class JournalEntry(Struct, frozen=True):
    """What is read of a journald entry (systemd.journal-fields(7)); a binary message is a list of bytes."""

    message: Any = msgspec.field(name="MESSAGE", default=None)
    realtime: str = msgspec.field(name="__REALTIME_TIMESTAMP", default="")
    identifier: Any = msgspec.field(name="SYSLOG_IDENTIFIER", default=None)
    command: Any = msgspec.field(name="_COMM", default=None)
    uid: Any = msgspec.field(name="_UID", default=None)
    cursor: str = msgspec.field(name="__CURSOR", default="")


_journal = msgspec.json.Decoder(JournalEntry)


class AuthReader:
    """Reads lines one after the other.

    It remembers which connections probed for users that do not exist: sshd says so first and then again with
    the failed password, and that is one attempt.

    Args:
        zone: The zone of times without one (RFC 3164); None for the host's.

    Attributes:
        behind: By how much times without a zone are behind the host's, where the daemon that writes them
            lives in another zone: in a container, or since before the host's zone was set.
    """

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._probes: dict[tuple[str, str], None] = {}
        self._failed: dict[tuple[str, str], None] = {}
        self._last: Attempt | None = None
        self.behind = timedelta()

    def line(self, text: str, now: datetime, *, live: bool = False) -> Attempt | None:
        """Return the attempt a line of auth.log tells of, None for any other log line.

        `live`: the line was written a moment ago, so that a time without a zone can be held to `now`.

        Raises:
            LineError: no log line, or one with a time that is none.
        """
        if len(text) > MAX_LINE:
            raise LineError(f"line of {len(text)} characters, at most {MAX_LINE} are read")
        found = taken_apart(text)
        if not found:
            raise LineError("no syslog line: expected a time, a host and a program")
        at = self._time(found.at, now)
        if live and not _ZONED.search(found.at):
            self.behind = _behind(now - at)
            at += self.behind
        again = _AGAIN.match(found.message) if not found.program else None
        if again:
            return self._last and replace(self._last, at=at, times=int(again["times"]))
        self._last = self.message(found.program, found.message, at)
        return self._last

    def entry(self, data: bytes) -> tuple[Attempt | None, str]:
        """Return the attempt a journald entry (a JSON line) tells of, and its cursor.

        Raises:
            LineError: no JSON, or no journald entry.
        """
        try:
            entry = _journal.decode(data)
        except UNREADABLE as error:
            raise LineError(f"no journald entry: {error}") from None
        if not entry.realtime.isdigit() or len(entry.realtime) > 17:
            raise LineError(
                f"__REALTIME_TIMESTAMP is {entry.realtime[:40]!r}, expected microseconds since 1970"
            )
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(entry.realtime))
        program = _text(entry.identifier) or _text(entry.command)
        if program.startswith("sshd") and entry.uid not in {None, "0"}:
            return None, entry.cursor  # journald vouches for the user: not the one sshd runs as
        return self.message(program, _text(entry.message)[:MAX_LINE], at), entry.cursor

    def message(self, program: str, message: str, at: datetime) -> Attempt | None:
        """Return the attempt a program's message tells of, None for any other message."""
        times = 1
        if repeated := _REPEATED.match(message):
            times, message = int(repeated["times"]), repeated["message"]
        if program in {"sshd", "sshd-session", "sshd-auth"}:
            return self._ssh(_SSHD, message, at, times) or self._without_password(message, at)
        if program == "dropbear":
            return self._ssh(_DROPBEAR, message, at, times)
        if program == "sudo" and (told := _SUDO.match(message)):
            # PAM has told the first of several attempts already.
            times = max(0, int(told["times"]) - 1) if told["times"] else 1
            attempt = Attempt(at, False, told["account"], None, "sudo", message[:_MAX_SHOWN], times)
            return attempt if times else None
        found = _PAM.search(message)
        if not found or found["service"] == "sshd":
            return None
        if found["times"]:
            # What came after the first is told when the program is done; sudo says it itself.
            times = 0 if found["service"].startswith("sudo") else int(found["times"])
        if not times:
            return None
        account = found["account"] or ""
        return Attempt(
            at, False, account, _address(found["source"]), found["service"], message[:_MAX_SHOWN], times
        )

    def _ssh(
        self, patterns: tuple[tuple[str, re.Pattern[str]], ...], message: str, at: datetime, times: int
    ) -> Attempt | None:
        for what, pattern in patterns:
            found = pattern.match(message)
            if not found:
                continue
            connection = (found["source"], found["port"])
            if what != "refused":
                _remember(self._failed, connection)
            if what == "probed":
                _remember(self._probes, connection)
            elif what == "failed" and connection in self._probes:
                del self._probes[connection]
                times -= 1
            if times == 0:
                return None
            return Attempt(
                at,
                what == "succeeded",
                found["account"][:256],
                _address(found["source"]),
                found["method"].lower(),
                message[:_MAX_SHOWN],
                times,
            )
        return None

    def _without_password(self, message: str, at: datetime) -> Attempt | None:
        """Return an attempt that ended without a failed password: by keys, where no password is taken.

        A connection of which something was counted already is none.
        """
        ended = _ENDED.match(message)
        found = ended or _TOO_MANY.match(message)
        if not found:
            return None
        connection = (found["source"], found["port"])
        counted = connection in self._failed
        if ended:
            self._failed.pop(connection, None)
        else:
            _remember(self._failed, connection)
        if counted:
            return None
        account, source = found["account"][:256], _address(found["source"])
        return Attempt(at, False, account, source, "closed" if ended else "attempts", message[:_MAX_SHOWN])

    def _time(self, text: str, now: datetime) -> datetime:
        """Return a line's time; one without a year is the last such day that is not in the future."""
        try:
            if text[0].isdigit():
                return self._aware(datetime.fromisoformat(text))
            for year in (now.year + 1, now.year, now.year - 1, now.year - 4):
                try:
                    at = self._aware(datetime.strptime(f"{year} {text}", "%Y %b %d %H:%M:%S"))  # noqa: DTZ007 - made aware around it
                except ValueError:
                    if " 29 " in text:
                        continue  # 29 February needs its own year
                    raise
                if at <= now + timedelta(days=1):
                    return at
        except (ValueError, OverflowError):
            raise LineError(f"{text!r} is no time of a calendar") from None
        raise LineError(f"time {text!r} fits no year")

    def _aware(self, at: datetime) -> datetime:
        if at.tzinfo is None:
            at = at.replace(tzinfo=self._zone) if self._zone else at.astimezone()
        return at.astimezone(UTC)


def _behind(lag: timedelta) -> timedelta:
    """Return the difference of zones that a lag is, none where it is another.

    >>> _behind(timedelta(hours=8, seconds=3)), _behind(timedelta(minutes=6)), _behind(timedelta(hours=-8))
    (datetime.timedelta(seconds=28800), datetime.timedelta(0), datetime.timedelta(days=-1, seconds=57600))
    """
    steps = round(lag / _ZONES)
    between = steps * _ZONES
    return between if abs(steps) <= _MOST_ZONES and abs(lag - between) <= _FRESH else timedelta()


def _remember(place: dict[tuple[str, str], None], connection: tuple[str, str]) -> None:
    place[connection] = None
    while len(place) > _MAX_PROBES:
        del place[next(iter(place))]


def _text(value: object) -> str:
    """Return a journal field as text: a string, or bytes as a list of numbers."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, int) and 0 <= one < 256 for one in value):
        return bytes(value).decode("utf-8", "replace")
    return ""


def _address(text: str) -> str | None:
    """Return an address in its one form; a host name (UseDNS) as it stands, bounded."""
    if not text:
        return None
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return text[:255]
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
