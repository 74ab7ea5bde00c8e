import os
from pathlib import Path

import pytest

from agent.sources.host.packaged import Packages

UNPACKED = 1_772_413_800.0


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host on which `cron` was unpacked, and `base` long before."""
    info = tmp_path / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    for name, at in (("cron", UNPACKED), ("base", UNPACKED - 1e6)):
        path = info / f"{name}.list"
        path.write_text(f"/.\n/etc/pam.d/{name}\n/bin/{name}\n")
        os.utime(path, (at, at))
    return tmp_path


def test_what_changed_when_its_package_was_unpacked_came_with_it(host: Path) -> None:
    packages = Packages(host)

    assert packages.known
    assert packages.brought("/etc/pam.d/cron", UNPACKED + 30)
    assert packages.brought("/usr/bin/cron", UNPACKED - 30)


def test_what_changed_later_and_what_no_list_names_did_not(host: Path) -> None:
    packages = Packages(host)

    assert not packages.brought("/etc/pam.d/cron", UNPACKED + 3600)
    assert not packages.brought("/etc/pam.d/base", UNPACKED)
    assert not packages.brought("/etc/pam.d/evil", UNPACKED)
    assert not packages.brought("/etc/pam.d/cro", UNPACKED)


def test_where_there_is_no_dpkg_nothing_is_known(tmp_path: Path) -> None:
    assert not Packages(tmp_path).known
    assert not Packages(tmp_path).brought("/etc/pam.d/cron", UNPACKED)
