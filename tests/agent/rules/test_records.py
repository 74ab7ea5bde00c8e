"""Logs are written by whom they watch: every line is an event or none, and nothing in it is believed more."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.rules.records import audit_event, entry_event, line_event

SERVICE_STOP = (
    b"type=SERVICE_STOP msg=audit(1772413800.1:9): pid=1 uid=0 auid=4294967295 msg='unit=auditd "
    b'comm="systemd" exe="/usr/lib/systemd/systemd" res=success\'\x1dUID="root"'
)


def test_a_user_programs_record_tells_its_inner_fields_and_the_names_of_an_enriched_one() -> None:
    event = audit_event(SERVICE_STOP)

    assert event is not None
    told = {name: event.fields[name] for name in ("type", "unit", "comm", "res", "UID")}
    assert told == {
        "type": "SERVICE_STOP",
        "unit": "auditd",
        "comm": "systemd",
        "res": "success",
        "UID": "root",
    }


@pytest.mark.parametrize(
    ("record", "name", "expected"),
    [
        (b"type=PATH msg=audit(1.1:1): name=2F746D702F6120622E7368 nametype=CREATE", "name", "/tmp/a b.sh"),
        (b'type=PATH msg=audit(1.1:1): name="/etc/passwd"', "name", "/etc/passwd"),
        (b"type=EXECVE msg=audit(1.1:1): a0=63617400", "a0", "cat "),
        (b"type=SYSCALL msg=audit(1.1:1): syscall=59 pid=4242", "pid", "4242"),
        (b"type=PATH msg=audit(1.1:1): name=ABC", "name", "ABC"),
        (b'node=web type=PATH msg=audit(1.1:1): name="/etc/passwd"', "name", "/etc/passwd"),
    ],
)
def test_text_in_hexadecimal_is_read_and_numbers_stay_numbers(
    record: bytes, name: str, expected: str
) -> None:
    event = audit_event(record)

    assert event is not None
    assert event.fields[name] == expected


@pytest.mark.parametrize("line", [b"", b"type=EXECVE", b"node=x nothing", b"type=A: msg=audit(", b"\xff\xfe"])
def test_what_is_no_record_is_no_event(line: bytes) -> None:
    assert audit_event(line) is None


@pytest.mark.parametrize(
    ("line", "service", "message"),
    [
        (b"Mar  2 09:10:00 web CRON[77]: (root) CMD (/x)", "cron", "(root) CMD (/x)"),
        (b"2026-03-02T09:10:00.1+08:00 web sudo: li : TTY=pts/0", "sudo", "li : TTY=pts/0"),
        (b"<38>Mar  2 09:10:00 web sshd-session[9]: Accepted", "sshd", "Accepted"),
        (b"<38>1 2026-03-02T09:10:00Z web sshd 9 - - Accepted", "sshd", "Accepted"),
        (b"just words", "", "just words"),
        (b"Mar  2 09:10:00 web forged: sshd[1]: Failed", "forged", "sshd[1]: Failed"),
    ],
)
def test_a_line_is_of_the_program_that_wrote_it(line: bytes, service: str, message: str) -> None:
    event = line_event(line)

    assert (event.service, event.text("")) == (service, message)


def test_an_entry_of_the_journal_tells_its_cursor_and_its_bytes_as_text() -> None:
    entry = {"__CURSOR": "s=1", "SYSLOG_IDENTIFIER": "sshd", "MESSAGE": list(b"caf\xc3\xa9 \xff")}
    event, cursor = entry_event(msgspec.json.encode(entry))

    assert event is not None
    assert (event.service, event.text(""), cursor) == ("sshd", "café \ufffd", "s=1")
    assert entry_event(b'{"__CURSOR":"s=2"}') == (None, "s=2")
    with pytest.raises(ValueError, match="no JSON object"):
        entry_event(b"[]")


@given(data=st.binary(max_size=400))
def test_no_line_is_more_than_an_event_or_none(data: bytes) -> None:
    for framed in (data, b"type=X msg=audit(1.1:1): " + data, b"Mar  2 09:10:00 h p: " + data):
        audit_event(framed)
        assert line_event(framed).text("") is not None
        with suppress(ValueError):
            entry_event(framed)
