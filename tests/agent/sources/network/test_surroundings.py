from pathlib import Path

import pytest

from agent.sources.network.surroundings import forwarding, proxies, read_text, resolvers


def put(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_resolvers_behind_a_local_stub_are_named_too(tmp_path: Path) -> None:
    put(tmp_path, "etc/resolv.conf", "# made by hand\nsearch gov.example\nnameserver 127.0.0.53\n")
    put(tmp_path, "run/systemd/resolve/resolv.conf", "nameserver 10.1.1.53\nnameserver 8.8.8.8\n")

    assert resolvers(tmp_path) == [
        {"address": "127.0.0.53", "source": "/etc/resolv.conf"},
        {"address": "10.1.1.53", "source": "/run/systemd/resolve/resolv.conf"},
        {"address": "8.8.8.8", "source": "/run/systemd/resolve/resolv.conf"},
    ]


def test_a_host_without_files_has_neither_resolvers_nor_proxies_nor_forwarding(tmp_path: Path) -> None:
    assert resolvers(tmp_path) == []
    assert proxies(tmp_path, {}) == []
    assert forwarding(tmp_path) == {
        "ipv4": False,
        "ipv6": False,
        "interfaces": [],
        "ipv4_links": [],
        "ipv6_links": [],
    }


def test_proxies_are_found_wherever_they_are_set_and_told_without_their_password(tmp_path: Path) -> None:
    put(tmp_path, "etc/environment", 'PATH=/bin\nhttps_proxy="http://user:secret@proxy.example:3128"\n')
    put(tmp_path, "etc/profile.d/proxy.sh", "export http_proxy=http://10.0.0.9:8080\n#x=1\n")
    put(tmp_path, "etc/apt/apt.conf.d/80proxy", 'Acquire::http::Proxy "http://apt:pw@10.0.0.8:3142";\n')
    put(tmp_path, "etc/yum.conf", "[main]\nproxy=http://10.0.0.7:3128\n")

    found = proxies(tmp_path, {"ALL_PROXY": "socks5://me:pw@10.0.0.6:1080", "HOME": "/root"})

    assert {(one["name"], one["value"], one["source"]) for one in found} == {
        ("all_proxy", "socks5://10.0.0.6:1080", "environment"),
        ("https_proxy", "http://proxy.example:3128", "/etc/environment"),
        ("http_proxy", "http://10.0.0.9:8080", "/etc/profile.d/proxy.sh"),
        ("http", "http://10.0.0.8:3142", "/etc/apt/apt.conf.d/80proxy"),
        ("proxy", "http://10.0.0.7:3128", "/etc/yum.conf"),
    }


def test_forwarding_names_the_links_that_forward(tmp_path: Path) -> None:
    for link, value in (("all", "0"), ("default", "1"), ("eth0", "1"), ("eth1", "0")):
        put(tmp_path, f"proc/sys/net/ipv4/conf/{link}/forwarding", f"{value}\n")
    put(tmp_path, "proc/sys/net/ipv6/conf/all/forwarding", "1\n")
    put(tmp_path, "proc/sys/net/ipv6/conf/eth1/forwarding", "1\n")
    put(tmp_path, "proc/sys/net/ipv6/conf/eth2/force_forwarding", "1\n")

    assert forwarding(tmp_path) == {
        "ipv4": False,
        "ipv6": True,
        "interfaces": ["eth0", "eth1"],
        "ipv4_links": ["eth0"],
        "ipv6_links": ["eth2"],
    }


def test_a_folder_in_a_files_place_is_no_file_and_a_long_file_is_cut(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    put(tmp_path, "long", "x" * 100)

    assert read_text(tmp_path / "folder") is None
    assert read_text(tmp_path / "long", 10) == "x" * 10


def test_a_file_that_may_not_be_read_is_an_error_to_be_named(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/resolv.conf").symlink_to(tmp_path / "etc/resolv.conf")

    with pytest.raises(OSError, match="symbolic links"):
        resolvers(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "setting"),
    [
        (
            "etc/opt/edge/policies/managed/p.json",
            '{"ProxyMode": "fixed_servers", "ProxyServer": "10.0.0.5:3128"}',
            ("proxyserver", "10.0.0.5:3128"),
        ),
        (
            "etc/firefox/policies/policies.json",
            '{"policies": {"Proxy": {"Mode": "manual", "HTTPProxy": "10.0.0.5:3128"}}}',
            ("httpproxy", "10.0.0.5:3128"),
        ),
        ("etc/brave/policies/managed/p.json", '{"ProxyPacUrl": "http://a.cn/p"}', ("pac", "http://a.cn/p")),
        ("etc/environment.d/p.conf", "http_proxy=http://10.0.0.5:80\n", ("http_proxy", "http://10.0.0.5:80")),
    ],
)
def test_policies_of_browsers_and_of_the_manager_are_read(
    tmp_path: Path, name: str, text: str, setting: tuple[str, str]
) -> None:
    put(tmp_path, name, text)
    (found,) = proxies(tmp_path, {})

    assert (found["name"], found["value"], found["source"]) == (*setting, f"/{name}")
