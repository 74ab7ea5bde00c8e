import os
from pathlib import Path

import pytest

from agent.sources.host.host import hardware, host_name, kernel, machine_id, os_release

# os-release as the distributions ship it, and what stands beside it.
RELEASES = {
    "kylin": (
        (
            'NAME="Kylin Linux Advanced Server"\nVERSION="V10 (Lance)"\nID="kylin"\nVERSION_ID="V10"\n'
            'PRETTY_NAME="Kylin Linux Advanced Server V10 (Lance)"\n'
        ),
        {"etc/kylin-release": "Kylin Linux Advanced Server release V10 (Lance)\n"},
    ),
    "uos": (
        'PRETTY_NAME="UnionTech OS Server 20"\nNAME="UnionTech OS Server 20"\nVERSION_ID="20"\nID=uos\n',
        {},
    ),
    "openeuler": (
        (
            'NAME="openEuler"\nVERSION="22.03 (LTS-SP3)"\nID="openEuler"\nVERSION_ID="22.03"\n'
            'PRETTY_NAME="openEuler 22.03 (LTS-SP3)"\n'
        ),
        {"etc/openEuler-release": "openEuler release 22.03 (LTS-SP3)\n"},
    ),
    "anolis": (
        (
            'NAME="Anolis OS"\nVERSION="8.8"\nID="anolis"\nID_LIKE="rhel fedora centos"\nVERSION_ID="8.8"\n'
            'PRETTY_NAME="Anolis OS 8.8"\n'
        ),
        {},
    ),
    "debian": ('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n', {}),
    "rhel": ('NAME="CentOS Stream"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="9"\n', {}),
    "unknown": ('NAME="Something of its own"\nID=own\n', {}),
}
HIDDEN = {
    "kylin": ("ID=ubuntu\nNAME=Ubuntu\n", {"etc/.kyinfo": "[dist]\nname=Kylin\nmilestone=Desktop-V10-SP1\n"}),
    "uos": ("ID=debian\nNAME=Debian\n", {"etc/os-version": "[Version]\nSystemName=UOS Desktop\n"}),
    "openeuler": ("ID=centos\n", {"etc/euleros-release": "EulerOS release 2.0 (SP10)\n"}),
}


def host(root: Path, release: str, beside: dict[str, str]) -> Path:
    (root / "etc").mkdir()
    (root / "etc/os-release").write_text(release)
    for name, text in beside.items():
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize("family", RELEASES)
def test_a_distribution_is_recognised_by_its_os_release(tmp_path: Path, family: str) -> None:
    found = os_release(host(tmp_path, *RELEASES[family]))

    assert found["family"] == family
    assert found["source"] == "/etc/os-release"


@pytest.mark.parametrize("family", HIDDEN)
def test_one_that_carries_anothers_os_release_is_known_by_the_file_beside_it(
    tmp_path: Path, family: str
) -> None:
    assert os_release(host(tmp_path, *HIDDEN[family]))["family"] == family


def test_debian_with_its_own_files_beside_stays_debian(tmp_path: Path) -> None:
    beside = {"etc/lsb-release": "DISTRIB_ID=Ubuntu\n"}

    assert os_release(host(tmp_path, RELEASES["debian"][0], beside))["family"] == "debian"


def test_a_host_with_nothing_but_a_release_file_has_a_name(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/neokylin-release").write_text("NeoKylin Linux Advanced Server release V7Update6\n")
    found = os_release(tmp_path)

    assert (found["family"], found["source"]) == ("kylin", "/etc/neokylin-release")
    assert found["pretty_name"].startswith("NeoKylin")


def test_this_host_has_a_kernel_memory_and_a_disk() -> None:
    found = hardware(Path("/"))

    assert kernel()["release"] == os.uname().release
    assert found["cpu_count"] >= 1
    assert found["memory_bytes"] > 1 << 20
    assert all(disk["bytes"] >= 0 for disk in found["disks"])


def test_cpu_and_maker_are_read_from_the_given_root(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor : 0\nModel Name : Loongson-3A5000\n")
    (tmp_path / "sys/class/dmi/id").mkdir(parents=True)
    (tmp_path / "sys/class/dmi/id/sys_vendor").write_text("Inspur\n")
    found = hardware(tmp_path)

    assert (found["cpu_model"], found["vendor"], found["product"]) == ("Loongson-3A5000", "Inspur", None)


def test_names_and_ids_are_empty_where_the_host_has_none(tmp_path: Path) -> None:
    assert host_name(tmp_path) == os.uname().nodename
    assert machine_id(tmp_path) is None
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("3d1219c7c4c5404aaa1f6d2a48adfda4\n")
    assert machine_id(tmp_path) == "3d1219c7c4c5404aaa1f6d2a48adfda4"
