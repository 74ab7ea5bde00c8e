import doctest
import os
from pathlib import Path

import pytest

from agent.sources.host import startplaces
from agent.sources.host.startplaces import SORTS, key_files, places, sort_of


def test_the_examples_run() -> None:
    assert doctest.testmod(startplaces).failed == 0


@pytest.mark.parametrize(
    ("line", "anywhere", "homes"),
    [
        ("AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys2", (), ()),
        ("authorizedkeysfile=/var/keys/%u/%U.pub", ("var/keys/*/*.pub",), ()),
        ("AuthorizedKeysFile %h/.keys .config/[k]", (), (".keys", ".config/[[]k]")),
        ("# AuthorizedKeysFile /tmp/keys", (), ()),
        ("AuthorizedKeysFile none", (), ()),
        ('AuthorizedKeysFile "/etc/ssh/keys/%u" # of all', ("etc/ssh/keys/*",), ()),
    ],
)
def test_where_sshd_reads_keys_is_what_its_settings_say(
    line: str, anywhere: tuple[str, ...], homes: tuple[str, ...]
) -> None:
    assert key_files(f"Port 22\n{line}\n") == (anywhere, homes)


def test_what_lies_below_usr_is_looked_at_once_where_lib_is_a_link_to_it(tmp_path: Path) -> None:
    unit = tmp_path / "usr/lib/systemd/system/portal.service"
    unit.parent.mkdir(parents=True)
    unit.touch()
    (tmp_path / "lib").symlink_to("usr/lib")

    assert [one.path for one in places(tmp_path) if one.path.name == "portal.service"] == [unit]
    (tmp_path / "lib").unlink()
    old = tmp_path / "lib/systemd/system/ssh.service"
    old.parent.mkdir(parents=True)
    old.touch()
    assert old in [one.path for one in places(tmp_path)]


def test_every_place_is_of_its_sort_when_it_is_gone_too() -> None:
    for sort in SORTS:
        for pattern in (*sort.patterns, *sort.later):
            assert sort_of("/" + pattern.replace("*", "x")).name == sort.name
    assert sort_of("/home/li/.config/systemd/user/x.service").name == "systemd"
    assert sort_of("/home/li/.ssh/authorized_keys").name == "keys"


def test_settings_of_sshd_that_are_a_pipe_hold_nobody(tmp_path: Path) -> None:
    (tmp_path / "etc/ssh").mkdir(parents=True)
    os.mkfifo(tmp_path / "etc/ssh/sshd_config")

    assert [one for one in places(tmp_path) if one.path.name == "authorized_keys"] == []
