import doctest
import gzip
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from agent.clock import host_clock
from agent.sources.host import logfiles
from agent.sources.host.logfiles import LogFiles, Logs, LogsSettings
from agent.sources.rounds.matters import Finding

NOW = host_clock().now()
LINES = b"".join(b"Mar  2 09:%02d:00 portal sshd[8]: Accepted publickey for li\n" % n for n in range(60))


class Host:
    """A host whose logs were seen once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.auth, self.wtmp = root / "var/log/auth.log", root / "var/log/wtmp"
        self.journal = root / "var/log/journal/0123abcd"
        self.journal.mkdir(parents=True)
        self.auth.write_bytes(LINES)
        self.wtmp.write_bytes(b"\x02\0\0\0" + bytes(380) + b"\x07\0\0\0" * 96)
        for number in range(6):
            (self.journal / f"system@{number}.journal").write_bytes(bytes(1000))
        self.begin_journal(1, 1000)
        self.source = LogFiles(LogsSettings(), state=None, root=root)
        self.seen = msgspec.convert(self.source.look(NOW, Logs(), alone=False).notes, Logs)

    def begin_journal(self, number: int, size: int = 100) -> None:
        """Write a file of the journal with the id in its header."""
        head = b"LPKSHHRH" + bytes(16) + bytes([number]) * 16
        (self.journal / "system.journal").write_bytes(head + bytes(size - len(head)))

    def found(self, now: datetime = NOW) -> list[Finding]:
        return list(self.source.look(now, self.seen, alone=False).findings)

    def changes(self) -> list[tuple[str, str]]:
        return [(one.key, one.evidence[0]["change"]) for one in self.found()]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def cut(host: Host) -> None:
    host.auth.write_bytes(b"")


def edit(host: Host) -> None:
    """sed -i '/203.0.113.9/d' auth.log: a new file under the old name."""
    new = host.auth.with_name("sedXXXX")
    new.write_bytes(LINES[200:])
    new.replace(host.auth)


def remove(host: Host) -> None:
    host.auth.unlink()


def rewrite(host: Host) -> None:
    with host.auth.open("r+b") as file:
        file.write(b"Mar  2 09:00:00 portal CRON[1]: nothing happened here, really\n")


@pytest.mark.parametrize(
    ("deed", "change"), [(cut, "cut"), (edit, "replaced"), (remove, "removed"), (rewrite, "rewritten")]
)
def test_a_log_that_lost_something_was_cleared(host: Host, deed: Callable[[Host], None], change: str) -> None:
    deed(host)
    (finding,) = host.found()

    assert (finding.klass, finding.severity_hint, finding.passing) == ("ROPDENY", "high", True)
    assert finding.key == "logs:/var/log/auth.log"
    assert finding.evidence[0]["change"] == change
    assert finding.evidence[0]["old"] == len(LINES)


def test_a_record_of_logins_whose_beginning_was_wiped_was_cleared(host: Host) -> None:
    with host.wtmp.open("r+b") as file:
        file.write(bytes(384))

    assert host.changes() == [("logs:/var/log/wtmp", "rewritten")]


def test_a_log_that_grows_is_as_it_should_be(host: Host) -> None:
    with host.auth.open("ab") as file:
        file.write(LINES)

    assert host.found() == []


@pytest.mark.parametrize("name", ["auth.log.1", "auth.log-20260302"])
def test_a_log_that_was_rotated_by_renaming_was_not_cleared(host: Host, name: str) -> None:
    host.auth.rename(host.auth.with_name(name))
    assert host.found() == []
    host.auth.write_bytes(b"new\n")

    assert host.found() == []


def test_a_log_that_was_rotated_by_copying_was_not_cleared(host: Host) -> None:
    shutil.copy2(host.auth, host.auth.with_name("auth.log.1"))
    host.auth.write_bytes(b"")

    assert host.found() == []


def test_a_log_that_was_compressed_at_once_was_not_cleared(host: Host) -> None:
    """gzip gives its file the time of what it compressed."""
    packed = host.auth.with_name("auth.log.1.gz")
    packed.write_bytes(gzip.compress(LINES))
    os.utime(packed, (1, 1))
    host.auth.unlink()
    host.auth.write_bytes(b"")

    assert host.found() == []


def test_an_old_neighbour_excuses_nothing(host: Host) -> None:
    (host.auth.with_name("auth.log.1")).write_bytes(b"last week's\n" * 1000)
    packed = host.auth.with_name("auth.log.2.gz")
    packed.write_bytes(gzip.compress(b"older\n"))
    seen = {name: msgspec.structs.replace(one, at=one.at + 1e9) for name, one in host.seen.files.items()}
    host.seen = msgspec.structs.replace(host.seen, files=seen)
    host.auth.write_bytes(b"")

    assert host.changes() == [("logs:/var/log/auth.log", "cut")]


def test_a_journal_that_was_thrown_away_was_cleared_and_one_at_its_limit_was_not(host: Host) -> None:
    assert doctest.testmod(logfiles).failed == 0
    (host.journal / "system@0.journal").unlink()
    assert host.found() == []
    for path in host.journal.glob("system@*"):
        path.unlink()
    (finding,) = host.found()

    assert (finding.klass, finding.key, finding.count) == ("ROPDENY", "logs:/var/log/journal", 6)


def test_a_journal_whose_file_in_use_is_gone_was_cleared(host: Host) -> None:
    """rm -rf /var/log/journal/*/system.journal; journald begins another."""
    (host.journal / "system.journal").unlink()
    host.begin_journal(2)
    (finding,) = host.found()

    assert (finding.key, finding.severity_hint) == ("logs:/var/log/journal", "high")
    assert finding.evidence[0]["path"] == "/var/log/journal/0123abcd/system.journal"
    assert finding.evidence[0]["old"] == 1000


def test_a_young_journal_that_is_rotated_and_thrown_away_at_once_was_cleared(host: Host) -> None:
    """journalctl --rotate --vacuum-time=1s, where nothing had been archived yet."""
    host.seen = msgspec.structs.replace(host.seen, archived={})
    for path in host.journal.glob("system*"):
        path.unlink()
    host.begin_journal(2)

    assert host.changes() == [("logs:/var/log/journal", "removed")]


def test_a_journal_that_was_rotated_was_not_cleared(host: Host) -> None:
    (host.journal / "system.journal").rename(host.journal / "system@7.journal")
    host.begin_journal(2)
    assert host.found() == []
    (host.journal / "system@7.journal").rename(host.journal / "system@7.journal~")
    assert host.found() == []
    shutil.copy(host.journal / "system@7.journal~", host.journal / "system@8.journal")  # as on btrfs
    (host.journal / "system@7.journal~").unlink()

    assert host.found() == []


def test_a_log_that_is_rotated_into_a_folder_of_its_own_was_not_cleared(host: Host) -> None:
    (host.auth.parent / "old").mkdir()
    host.auth.rename(host.auth.parent / "old/auth.log-20260302")
    host.auth.write_bytes(b"new\n")

    assert host.found() == []


def test_a_table_of_last_logins_may_be_written_over_and_not_become_shorter(host: Host) -> None:
    lastlog = host.auth.with_name("lastlog")
    lastlog.write_bytes(bytes(292_000))
    host.seen = msgspec.convert(host.source.look(NOW, host.seen, alone=False).notes, Logs)
    with lastlog.open("r+b") as file:
        file.write(b"\x07" * 292)
    assert host.found() == []
    lastlog.write_bytes(b"")

    assert host.changes() == [("logs:/var/log/lastlog", "cut")]


def test_growth_is_written_down_now_and_then_and_a_new_file_at_once(host: Host) -> None:
    def keep(minutes: int) -> bool:
        return host.source.look(NOW + timedelta(minutes=minutes), host.seen, alone=False).keep

    assert not keep(1)
    assert keep(6)
    assert not keep(7)
    host.auth.rename(host.auth.with_name("auth.log.1"))
    host.auth.write_bytes(b"")

    assert keep(8)


def test_a_log_nobody_may_read_is_named_and_remembered(host: Host) -> None:
    host.auth.unlink()
    host.auth.mkdir()
    look = host.source.look(NOW, host.seen, alone=False)

    assert look.unreadable == (("/var/log/auth.log", "Is a directory"),)
    assert isinstance(look.notes, Logs)
    assert look.notes.files["/var/log/auth.log"] == host.seen.files["/var/log/auth.log"]
    assert NOW.tzinfo is UTC


@pytest.mark.parametrize("other", ["pipe", "nothing"])
def test_a_log_in_whose_place_nothing_is_kept_was_cleared_and_holds_up_no_other(
    host: Host, other: str
) -> None:
    """`mkfifo auth.log` or `ln -sf /dev/null auth.log`: whoever writes there writes to nobody."""
    host.auth.unlink()
    if other == "pipe":
        os.mkfifo(host.auth)
    else:
        host.auth.symlink_to("/dev/null")
    host.wtmp.write_bytes(b"")

    changes = host.changes()
    assert [key for key, _ in changes] == ["logs:/var/log/auth.log", "logs:/var/log/wtmp"]
    assert changes[0][1] in {"replaced", "cut"}  # an inode that was let go of is often given again


def test_a_pipe_among_rotated_logs_is_passed_over(host: Host) -> None:
    os.mkfifo(host.auth.with_name("auth.log.1"))
    (host.journal / "user.journal").unlink(missing_ok=True)
    os.mkfifo(host.journal / "user.journal")
    cut(host)

    assert host.changes() == [("logs:/var/log/auth.log", "cut")]
