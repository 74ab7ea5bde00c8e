import doctest
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sources.logs import authlog
from agent.sources.logs.authlog import Attempt, AuthReader, LineError

GOLDEN = Path(__file__).parents[3] / "golden"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def read(message: str, program: str = "sshd") -> Attempt | None:
    return AuthReader().message(program, message, NOW)


def test_the_recorded_log_holds_these_attempts_and_these_refused_lines() -> None:
    reader = AuthReader(UTC)
    attempts, refused = [], []
    for number, line in enumerate((GOLDEN / "auth.log").read_text().splitlines(), start=1):
        if line:
            try:
                attempts.append(reader.line(line, NOW))
            except LineError as error:
                refused.append((number, str(error)))
    found = [one for one in attempts if one]

    assert [(one.account, one.method, one.times, one.succeeded) for one in found] == [
        ("root", "password", 1, False),
        ("oracle", "invalid", 1, False),
        ("root", "password", 1, False),
        ("root", "password", 5, False),
        ("x from 9.9.9.9 port 1 ssh2", "password", 1, False),
        ("root", "keyboard-interactive/pam", 1, False),
        ("root", "password", 1, True),
        ("li", "sudo", 1, False),
        ("li", "publickey", 1, True),
    ]
    assert {one.source_address for one in found[:7]} == {"203.0.113.9"}
    assert found[0].at == datetime(2026, 3, 2, 1, 10, 2, tzinfo=UTC)
    assert [number for number, _ in refused] == [13, 14]


def test_the_recorded_journal_holds_these_attempts_and_these_refused_entries() -> None:
    reader = AuthReader()
    found, cursors, refused = [], [], []
    for number, line in enumerate((GOLDEN / "journal.jsonl").read_bytes().splitlines(), start=1):
        try:
            attempt, cursor = reader.entry(line)
        except LineError as error:
            refused.append((number, str(error)))
            continue
        cursors.append(cursor)
        found += [attempt] if attempt else []

    assert [one.source_address for one in found] == ["2001:db8::9", "2001:db8::9", "203.0.113.9"]
    assert "203.0.113.66" not in {one.source_address for one in found}  # a user's own `logger -t sshd`
    assert found[1].account == "\x1b"
    assert cursors == ["s=1;i=1", "s=1;i=2", "s=1;i=3", "s=1;i=4", "s=1;i=6", "s=1;i=8"]
    assert refused[0] == (5, "__REALTIME_TIMESTAMP is 'soon', expected microseconds since 1970")
    assert refused[1][0] == 7


@pytest.mark.parametrize(
    "message",
    [
        "Accepted publickey for li from 10.1.1.20 port 50000 ssh2: ED25519 SHA256:abc",
        "Connection closed by 203.0.113.9 port 4 [preauth]",
        "Received disconnect from 203.0.113.9 port 4:11: Bye Bye [preauth]",
        "Failed publickey for li from 10.1.1.20 port 50000 ssh2: RSA SHA256:abc",
        "pam_unix(sshd:auth): authentication failure; logname= uid=0 rhost=203.0.113.9 user=root",
        "Server listening on 0.0.0.0 port 22.",
    ],
)
def test_what_is_no_failed_login_is_not_counted(message: str) -> None:
    attempt = read(message)

    assert attempt is None or attempt.succeeded


KEYS_ONLY = [
    "Connection closed by authenticating user root 203.0.113.9 port 9 [preauth]",
    "Connection reset by authenticating user root 203.0.113.9 port 9 [preauth]",
    "Disconnecting authenticating user root 203.0.113.9 port 9: Too many authentication failures [preauth]",
    "error: maximum authentication attempts exceeded for root from 203.0.113.9 port 9 ssh2 [preauth]",
    "Disconnected from invalid user root 203.0.113.9 port 9 [preauth]",
    "Connection closed by invalid user root 203.0.113.9 port 9 [preauth]",
]


@pytest.mark.parametrize("message", KEYS_ONLY)
@pytest.mark.parametrize("program", ["sshd", "sshd-session"])
def test_an_attempt_that_sshd_tells_by_the_end_of_its_connection_alone_counts(
    message: str, program: str
) -> None:
    attempt = read(message, program)

    assert attempt is not None
    assert (attempt.account, attempt.source_address, attempt.succeeded) == ("root", "203.0.113.9", False)


@pytest.mark.parametrize(
    ("messages", "times"),
    [
        ([KEYS_ONLY[3], KEYS_ONLY[2]], 1),
        ([KEYS_ONLY[3], KEYS_ONLY[2], KEYS_ONLY[3], KEYS_ONLY[2]], 2),
        (["Failed password for root from 203.0.113.9 port 9 ssh2", KEYS_ONLY[3], KEYS_ONLY[2]], 1),
        (["Invalid user root from 203.0.113.9 port 9", KEYS_ONLY[5]], 1),
        (
            [
                "User root from 203.0.113.9 not allowed because not listed in AllowUsers",
                KEYS_ONLY[2].replace("authenticating", "invalid"),
            ],
            1,
        ),
    ],
)
def test_a_connection_counts_what_it_tried_and_its_end_no_second_time(
    messages: list[str], times: int
) -> None:
    reader = AuthReader()
    attempts = [reader.message("sshd", message, NOW) for message in messages]

    assert sum(one.times for one in attempts if one) == times


def test_whom_sshd_turns_away_for_what_he_failed_at_goes_on_trying() -> None:
    dropped = "drop connection #3 from [2001:db8::9]:4242 on [2001:db8::1]:22 penalty: "
    attempt = read(dropped + "failed authentication")

    assert attempt is not None
    assert (attempt.source_address, attempt.account, attempt.succeeded) == ("2001:db8::9", "", False)
    assert read(dropped + "exceeded LoginGraceTime") is None
    assert read("drop connection #9 from [10.1.1.2]:4242 on [10.1.1.1]:22 past MaxStartups") is None


def test_failures_that_pam_tells_at_the_end_are_counted_and_those_of_sudo_no_second_time() -> None:
    more = "2 more authentication failures; logname= uid=0 euid=0 tty=ftp ruser=li rhost=203.0.113.9  user=li"
    vsftpd = read(f"pam_unix(vsftpd:auth): {more}", "vsftpd")

    assert vsftpd is not None
    assert (vsftpd.times, vsftpd.source_address, vsftpd.account) == (2, "203.0.113.9", "li")
    assert read(f"pam_unix(sudo:auth): {more}", "sudo") is None


def test_a_line_that_repeats_the_last_one_counts_as_often_as_it_says() -> None:
    reader = AuthReader(UTC)
    head = "Mar  2 01:10:02 portal "
    again = head + "last message repeated 4 times"
    assert reader.line(again, NOW) is None
    reader.line(head + "sshd[1]: Failed password for root from 203.0.113.9 port 1 ssh2", NOW)
    repeated = reader.line(again, NOW)
    assert repeated is not None
    assert (repeated.times, repeated.source_address) == (4, "203.0.113.9")
    reader.line(head + "CRON[2]: pam_unix(cron:session): session closed for user root", NOW)

    assert reader.line(again, NOW) is None


@pytest.mark.parametrize(
    "head",
    [
        "<38>1 2026-03-02T01:10:02Z portal sshd 831 - - ",
        "\ufeffMar  2 01:10:02 portal sshd[831]: ",
        "Mar  2 01:10:02 portal auth.info sshd[831]: ",
    ],
)
def test_a_line_of_any_daemons_form_is_read(head: str) -> None:
    attempt = AuthReader(UTC).line(head + "Failed password for root from ::ffff:203.0.113.9 port 1 ssh2", NOW)

    assert attempt is not None
    assert (attempt.at, attempt.source_address) == (datetime(2026, 3, 2, 1, 10, 2, tzinfo=UTC), "203.0.113.9")


def test_a_desktops_login_is_read_although_gdm_forgets_half_a_bracket() -> None:
    failed = "pam_unix(gdm-password:auth): authentication failure; uid=0 tty=/dev/tty1 ruser= rhost=  user=li"
    attempt = AuthReader(UTC).line(f"Mar  2 01:10:02 portal gdm-password][831]: {failed}", NOW)

    assert attempt is not None
    assert (attempt.account, attempt.method) == ("li", "gdm-password")


@pytest.mark.parametrize("rest", ["-- MARK --", "last message repeated 2 times", "a tag of words: text"])
def test_a_line_of_nobody_is_no_attempt_and_not_refused(rest: str) -> None:
    assert AuthReader(UTC).line(f"Mar  2 01:10:02 portal {rest}", NOW) is None


def test_another_programs_line_can_not_pose_as_sshds() -> None:
    assert read("Failed password for root from 203.0.113.9 port 1 ssh2", program="nginx") is None


@pytest.mark.parametrize(
    ("program", "message", "source", "account"),
    [
        (
            "login",
            "pam_unix(login:auth): authentication failure; tty=tty1 ruser= rhost=  user=root",
            None,
            "root",
        ),
        (
            "vsftpd",
            "pam_unix(vsftpd:auth): authentication failure; ruser=x rhost=203.0.113.9",
            "203.0.113.9",
            "",
        ),
        ("dropbear", "Bad password attempt for 'admin' from 203.0.113.9:5022", "203.0.113.9", "admin"),
        ("sshd", "Failed password for root from gw.example port 9 ssh2", "gw.example", "root"),
        ("sshd", "Failed password for root from fe80::1%eth0 port 9 ssh2", "fe80::1", "root"),
    ],
)
def test_other_doors_are_read_too(program: str, message: str, source: str | None, account: str) -> None:
    attempt = read(message, program)

    assert attempt is not None
    assert not attempt.succeeded
    assert (attempt.source_address, attempt.account) == (source, account)


def test_a_line_without_a_year_is_of_the_last_such_day() -> None:
    reader = AuthReader(UTC)
    december = "Dec 31 23:59:58 portal sshd[1]: Failed password for root from 203.0.113.9 port 1 ssh2"
    attempt = reader.line(december, datetime(2027, 1, 1, 0, 0, 5, tzinfo=UTC))
    assert attempt is not None
    assert attempt.at == datetime(2026, 12, 31, 23, 59, 58, tzinfo=UTC)

    leap = "Feb 29 12:00:00 portal sshd[1]: Failed password for root from 203.0.113.9 port 1 ssh2"
    attempt = reader.line(leap, datetime(2024, 3, 1, tzinfo=UTC))
    assert attempt is not None
    assert attempt.at == datetime(2024, 2, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize("hours", [8.0, 5.75, -9.5])
def test_a_fresh_line_whose_daemon_lives_in_another_zone_is_of_now(hours: float) -> None:
    """rsyslogd keeps the zone in which it was started."""
    reader = AuthReader(UTC)
    written = NOW - timedelta(hours=hours, seconds=2)
    line = f"{written:%b} {written.day:2} {written:%H:%M:%S} portal sshd[1]: "
    line += "Failed password for root from 203.0.113.9 port 1 ssh2"
    fresh, old = reader.line(line, NOW, live=True), reader.line(line, NOW)

    assert fresh is not None
    assert old is not None
    assert (fresh.at, old.at) == (NOW - timedelta(seconds=2), written)
    assert reader.behind == timedelta(hours=hours)
    zoned = f"{written.isoformat()} portal sshd[1]: Accepted publickey for li from 10.1.1.2 port 1 ssh2"
    kept = reader.line(zoned, NOW, live=True)
    assert kept is not None
    assert kept.at == written


def test_a_line_over_the_limit_is_refused() -> None:
    with pytest.raises(LineError, match="at most 8192"):
        AuthReader().line("Mar  2 01:10:02 portal sshd[1]: " + "x" * 9000, NOW)


@given(st.text(max_size=400))
def test_any_text_is_a_line_or_refused(text: str) -> None:
    with suppress(LineError):
        AuthReader(UTC).line(text, NOW)
    with suppress(LineError):
        AuthReader(UTC).line(f"Mar  2 01:10:02 portal sshd[1]: {text}", NOW)


@given(st.binary(max_size=400))
def test_any_bytes_are_an_entry_or_refused(data: bytes) -> None:
    with suppress(LineError):
        AuthReader().entry(data)


@given(st.text(alphabet="abc from203.9 port1ssh2:\n", max_size=60))
def test_no_account_name_moves_the_address(account: str) -> None:
    attempt = read(f"Failed password for invalid user {account} from 203.0.113.9 port 4242 ssh2")

    assert attempt is None or attempt.source_address == "203.0.113.9"


def test_the_examples_of_the_file_are_true() -> None:
    assert doctest.testmod(authlog).failed == 0


@pytest.mark.parametrize(
    ("message", "account", "times"),
    [
        (
            "  li : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/home/li ; USER=root ; COMMAND=/bin/sh",
            "li",
            2,
        ),
        ("www-data : user NOT in sudoers ; PWD=/var/www ; USER=root ; COMMAND=/usr/bin/id", "www-data", 1),
        ("    wang : command not allowed ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/su", "wang", 1),
    ],
)
def test_sudo_tells_who_may_not(message: str, account: str, times: int) -> None:
    attempt = read(message, "sudo")

    assert attempt is not None
    assert (attempt.account, attempt.method, attempt.times, attempt.source_address) == (
        account,
        "sudo",
        times,
        None,
    )


@pytest.mark.parametrize(
    "message",
    [
        "      li : TTY=pts/0 ; PWD=/home/li ; USER=root ; COMMAND=/usr/bin/apt update",
        "      li : 1 incorrect password attempt ; TTY=pts/0 ; PWD=/home/li ; USER=root ; COMMAND=/bin/sh",
        "pam_unix(sudo:session): session opened for user root(uid=0) by li(uid=1000)",
    ],
)
def test_sudo_that_did_what_it_was_asked_is_no_attempt_and_the_first_failure_is_pams(message: str) -> None:
    assert read(message, "sudo") is None


def test_a_connection_that_ends_without_a_login_is_an_attempt_once() -> None:
    """A server that takes keys only writes no failed password; one that did is not counted again."""
    reader = AuthReader()
    keys = "Connection closed by authenticating user root 203.0.113.9 port 4711 [preauth]"
    failed = "Failed password for root from 203.0.113.9 port 4712 ssh2"
    told = [
        reader.message("sshd", message, NOW)
        for message in (keys, failed, keys.replace("port 4711", "port 4712"))
    ]

    assert [one and (one.account, one.source_address, one.method) for one in told] == [
        ("root", "203.0.113.9", "closed"),
        ("root", "203.0.113.9", "password"),
        None,
    ]


def test_a_login_by_key_that_ends_is_no_attempt() -> None:
    reader = AuthReader()
    reader.message("sshd", "Accepted publickey for li from 10.1.1.20 port 50001 ssh2: ED25519 SHA256:x", NOW)

    assert read("Disconnected from user li 10.1.1.20 port 50001") is None
