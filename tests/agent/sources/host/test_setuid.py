import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.clock import host_clock
from agent.sources.host import setuid
from agent.sources.host.setuid import Known, Setuid, SetuidSettings
from agent.sources.rounds.matters import Finding

NOW = host_clock().now()


class Host:
    """A host with su, looked through once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.capabilities: dict[str, bytes] = {}
        self.put("usr/bin/su", 0o4755)
        self.put("usr/bin/ls", 0o755)
        (root / "tmp").mkdir()
        self.known = self.after(Known())

    def allow(self, name: str, value: str) -> None:
        """Give a program capabilities, as setcap does."""
        self.put(name, 0o755)
        self.capabilities[str(self.root / name)] = bytes.fromhex(value)

    def put(self, name: str, mode: int) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x7fELF")
        path.chmod(mode)
        return path

    def source(self, **settings: Any) -> Setuid:  # noqa: ANN401 - fields of the settings
        return Setuid(SetuidSettings(**settings), state=None, root=self.root, capabilities=self._of)

    def _of(self, path: str) -> bytes:
        return self.capabilities.get(path, b"")

    def after(self, known: Known) -> Known:
        """Look until a walk is whole."""
        source = self.source()
        while known.swept_at is None:
            known = msgspec.convert(source.look(NOW, known, alone=False).notes or known, Known)
        return known

    def found(self, hours: float = 7, **settings: Any) -> list[Finding]:  # noqa: ANN401 - likewise
        at = NOW + timedelta(hours=hours)
        return list(self.source(**settings).look(at, self.known, alone=False).findings)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "host")


def test_the_first_look_knows_what_is_there_and_tells_nothing(host: Host) -> None:
    assert host.known.files == {"/usr/bin/su": f"4755 {os.getuid()}:{os.getgid()}"}
    assert host.source().look(NOW, Known(), alone=False).findings == ()
    assert host.found() == []


def test_a_program_that_came_to_run_as_another_is_told_at_the_next_sweep(host: Host) -> None:
    host.put("usr/local/bin/.rootbash", 0o4755)
    assert host.found(hours=1) == []
    (finding,) = host.found(hours=7)

    assert (finding.klass, finding.severity_hint, finding.passing) == ("NABACKIMPL", "high", True)
    assert finding.evidence[0] | {"at": "", "owner": ""} == {
        "at": "",
        "path": "/usr/local/bin/.rootbash",
        "change": "created",
        "mode": "4755",
        "owner": "",
    }


def test_where_anybody_may_write_it_is_told_at_the_next_round_and_even_at_the_first(host: Host) -> None:
    host.put("tmp/a/sh", 0o4755)

    assert [one.target for one in host.found(hours=0.1)] == ["/tmp/a/sh"]
    assert [one.target for one in host.source().look(NOW, Known(), alone=False).findings] == ["/tmp/a/sh"]


def test_an_upgrade_of_a_known_program_is_no_change_and_a_new_mode_is(host: Host) -> None:
    host.put("usr/bin/su", 0o755).unlink()
    host.put("usr/bin/su", 0o4755)
    assert host.found() == []
    host.put("usr/bin/su", 0o6755)

    assert host.found()[0].evidence[0]["change"] == "modified"


def test_a_bit_on_what_is_no_program_is_no_matter(host: Host) -> None:
    host.put("tmp/notes", 0o2644)
    (host.root / "tmp/team").mkdir(mode=0o2775)
    (host.root / "tmp/link").symlink_to("/usr/bin/su")

    assert host.found(hours=0.1) == []


def test_circles_odd_names_and_other_roots_are_looked_through_once(host: Host) -> None:
    (host.root / "tmp/loop").symlink_to(host.root / "tmp")
    odd = os.fsencode(host.root / "tmp") + b"/\xff\n"
    with open(odd, "wb"):  # noqa: PTH123 - bytes
        os.chmod(odd, 0o4700)  # noqa: PTH101 - bytes

    assert [one.target for one in host.found(hours=0.1)] == ["/tmp/bytes:ff0a"]


def test_a_disk_is_walked_in_slices_and_what_a_slice_finds_is_told_at_once(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setuid, "_SLICE", 10)
    for number in range(50):
        (host.root / f"usr/{number}").touch()
    host.put("usr/bin/.x", 0o4755)
    source, known, told = host.source(), host.known, []
    for minutes in range(400, 424, 2):
        look = source.look(NOW + timedelta(minutes=minutes), known, alone=False)
        known = msgspec.convert(look.notes or known, Known)
        told.append(len(look.findings))

    assert sum(told) == 1
    assert known.swept_at == NOW + timedelta(minutes=400)
    assert set(known.files) == {"/usr/bin/su", "/usr/bin/.x"}


def test_a_program_that_is_gone_is_forgotten_and_told_when_it_comes_again(host: Host) -> None:
    (host.root / "usr/bin/su").unlink()
    source, known = host.source(), host.known
    for minutes in (400, 402, 404):
        known = msgspec.convert(
            source.look(NOW + timedelta(minutes=minutes), known, alone=False).notes or known, Known
        )
    assert known.files == {}
    host.put("usr/bin/su", 0o4755)
    (finding,) = source.look(NOW + timedelta(minutes=900), known, alone=False).findings

    assert finding.target == "/usr/bin/su"


def test_a_tree_without_end_is_bounded_and_named(host: Host) -> None:
    for number in range(30):
        (host.root / f"usr/{number}").touch()
    look = host.source(max_files=20).look(NOW + timedelta(hours=7), host.known, alone=False)

    assert look.unreadable == (("files", "more than max_files = 20; the rest is not looked at"),)
    assert isinstance(look.notes, Known)
    assert "/usr/bin/su" in look.notes.files


def test_what_a_package_brought_is_less_grave_and_what_was_changed_beside_it_is_not(host: Host) -> None:
    """apt-get install at"""
    host.put("usr/bin/at", 0o6755)
    host.put("var/lib/dpkg/info/at.list", 0o644).write_text("/.\n/usr/bin/at\n")
    assert [one.severity_hint for one in host.found()] == ["low"]
    host.put("usr/bin/find", 0o4755)

    assert [(one.severity_hint, one.count) for one in host.found()] == [("high", 2)]


def test_programs_in_layers_of_images_are_told_only_where_anybody_can_reach_them(host: Host) -> None:
    """docker pull debian"""
    store = host.root / "var/lib/docker"
    host.put("var/lib/docker/overlay2/abc/diff/usr/bin/su", 0o4755)
    (store / "overlay2").chmod(0o710)
    store.chmod(0o710)
    assert host.found() == []
    store.chmod(0o755)
    (store / "overlay2").chmod(0o755)

    assert host.found()[0].target == "/var/lib/docker/overlay2/abc/diff/usr/bin/su"


def test_what_an_operator_allows_is_not_told(host: Host) -> None:
    host.put("tmp/sh", 0o4755)

    assert host.found(hours=0.1, allow=("/tmp/sh",)) == []


SETUID_EP = "0100000280000000000000000000000000000000"
NET_RAW_EP = "0100000200200000000000000000000000000000"


def test_a_program_that_came_to_have_a_capability_is_told_beside_setuid_ones(host: Host) -> None:
    host.allow("usr/local/bin/python", SETUID_EP)
    (finding,) = host.found()

    assert (finding.klass, finding.severity_hint) == ("NABACKIMPL", "high")
    assert finding.evidence[0]["capabilities"] == "cap_setuid+ep"
    assert (finding.evidence[0]["mode"], finding.evidence[0]["change"]) == ("0755", "created")


def test_a_known_program_that_is_given_a_capability_is_told_and_one_that_has_it_is_not(host: Host) -> None:
    host.allow("usr/bin/ping", NET_RAW_EP)
    host.known = host.after(Known())
    assert host.found() == []
    host.allow("usr/bin/ping", SETUID_EP)

    assert host.found()[0].evidence[0]["change"] == "modified"


def test_what_makes_nobody_another_user_is_told_as_less_grave(host: Host) -> None:
    host.allow("tmp/ping", NET_RAW_EP)
    assert host.found(hours=0.1)[0].severity_hint == "medium"
    host.put("tmp/sh", 0o4755)

    assert host.found(hours=0.1)[0].severity_hint == "high"


def test_capabilities_of_what_can_not_be_started_are_no_matter(host: Host) -> None:
    host.allow("tmp/notes", SETUID_EP)
    (host.root / "tmp/notes").chmod(0o644)

    assert host.found(hours=0.1) == []


def test_notes_of_an_agent_that_knew_no_capabilities_are_completed_and_what_comes_later_is_told(
    host: Host,
) -> None:
    host.allow("usr/bin/ping", NET_RAW_EP)
    host.put("usr/bin/new", 0o4755)
    old = Known(host.known.files, host.known.swept_at)
    source, told = host.source(), []
    known = old
    for minutes in (420, 422, 424):
        look = source.look(NOW + timedelta(minutes=minutes), known, alone=False)
        known = msgspec.convert(look.notes or known, Known)
        told += look.findings
    assert [one.target for one in told] == ["/usr/bin/new"]
    assert known.capabilities
    host.allow("usr/bin/late", NET_RAW_EP)

    assert [one.target for one in source.look(NOW + timedelta(hours=15), known, alone=False).findings] == [
        "/usr/bin/late"
    ]


@pytest.mark.root
def test_the_kernels_own_attribute_is_read(host: Host) -> None:
    path = host.put("tmp/python", 0o755)
    try:
        os.setxattr(path, "security.capability", bytes.fromhex(SETUID_EP))
    except OSError as error:
        pytest.skip(f"no capabilities of files here: {error}")
    look = Setuid(state=None, root=host.root).look(NOW, host.known, alone=False)

    assert look.findings[0].evidence[0]["capabilities"] == "cap_setuid+ep"
