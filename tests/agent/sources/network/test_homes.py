import os
import time
from pathlib import Path

import pytest

from agent.sources.network.homes import Homes, homes
from agent.sources.network.surroundings import proxies
from tests.agent.sources.network.test_dconf import DATABASE

PASSWD = """root:x:0:0:root:/root:/bin/bash
www-data:x:33:33::/var/www:/usr/sbin/nologin
li:x:1000:1000::/home/li:/bin/bash
wang:x:1001:1001::/home/wang:/bin/bash
afar:x:1002:1002::/net/afar:/bin/bash
broken line
nobody:x:65534:65534::/:/usr/sbin/nologin
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path, "etc/passwd", PASSWD)
    put(tmp_path, "proc/self/mounts", "/dev/sda1 / ext4 rw 0 0\nnas:/homes /net nfs4 rw 0 0\n")
    return tmp_path


def put(root: Path, name: str, content: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_homes_are_those_of_root_and_people_on_this_hosts_own_disks(root: Path) -> None:
    assert homes(root) == [root / "root", root / "home/li", root / "home/wang"]


FIREFOX = """user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "10.9.9.4");
user_pref("network.proxy.http_port", 8080);
user_pref("browser.startup.homepage", "https://private.example");
"""
CHROMIUM = '{"profile":{"name":"Li"},"proxy":{"mode":"fixed_servers","server":"10.9.9.5:3128"},"x":{"a":1}}'


@pytest.mark.parametrize(
    ("name", "content", "settings"),
    [
        (
            ".bashrc",
            "alias a=b\nexport https_proxy=http://10.9.9.1:80\n",
            [("https_proxy", "http://10.9.9.1:80")],
        ),
        (".pam_environment", "ALL_PROXY DEFAULT=socks5://10.9.9.1\n", [("all_proxy", "socks5://10.9.9.1")]),
        (
            ".config/environment.d/50-p.conf",
            "http_proxy=http://10.9.9.2:80\n",
            [("http_proxy", "http://10.9.9.2:80")],
        ),
        (
            ".config/fish/config.fish",
            "set -gx http_proxy http://10.9.9.2:80\n",
            [("http_proxy", "http://10.9.9.2:80")],
        ),
        (".config/dconf/user", DATABASE, [("pac", "http://wpad.example.net/proxy.pac")]),
        (".config/dconf/user", DATABASE[:40], []),
        (
            ".config/kioslaverc",
            "[Proxy Settings]\nProxyType=1\nhttpProxy=http://10.9.9.3 3128\n",
            [("httpproxy", "http://10.9.9.3:3128")],
        ),
        (
            ".config/kioslaverc",
            "ProxyType=2\nProxy Config Script=http://10.9.9.3/p.pac\n",
            [("pac", "http://10.9.9.3/p.pac")],
        ),
        (".config/kioslaverc", "ProxyType=0\nhttpProxy=http://10.9.9.3 3128\n", []),
        (".mozilla/firefox/abc.default/prefs.js", FIREFOX, [("http", "10.9.9.4:8080")]),
        (".mozilla/firefox/abc.default/prefs.js", FIREFOX.replace('type", 1', 'type", 5'), []),
        (
            ".mozilla/firefox/a/prefs.js",
            'user_pref("network.proxy.type", 2);\nuser_pref("network.proxy.autoconfig_url", "http://10.9.9.4/p.pac");\n',
            [("pac", "http://10.9.9.4/p.pac")],
        ),
        (".config/chromium/Default/Preferences", CHROMIUM, [("server", "10.9.9.5:3128")]),
        (
            ".config/google-chrome/Default/Preferences",
            '{"proxy":{"mode":"pac_script","pac_url":"http://10.9.9.6/p.pac"}}',
            [("pac", "http://10.9.9.6/p.pac")],
        ),
        (".config/chromium/Default/Preferences", '{"proxy":{"mode":"direct"}}', []),
        (".bashrc", b"\xff\xfe\x00 no_such=1\n", []),
    ],
)
def test_what_people_set_for_themselves_is_found_and_nothing_else_of_theirs(
    root: Path, name: str, content: str | bytes, settings: list[tuple[str, str]]
) -> None:
    put(root, f"home/li/{name}", content)
    found = proxies(root, {}, Homes(root).proxies())

    assert [(one["name"], one["value"], one["source"]) for one in found] == [
        (what, value, f"/home/li/{name}") for what, value in settings
    ]


def test_a_file_is_read_again_when_it_changed_and_forgotten_when_it_is_gone(root: Path) -> None:
    kept = Homes(root)
    path = put(root, "home/li/.bashrc", "export http_proxy=http://10.9.9.1:80\n")
    first = kept.proxies()
    again = kept.proxies()
    path.write_text("export http_proxy=http://10.9.9.100:80\n")
    changed = kept.proxies()
    path.unlink()

    assert first == again
    assert [value for _, value, _ in changed] == ["http://10.9.9.100:80"]
    assert kept.proxies() == []


def test_links_pipes_and_folders_in_a_files_place_are_passed_over_without_waiting(root: Path) -> None:
    secret = put(root, "etc/secret", "export http_proxy=http://10.9.9.1:80\n")
    home = root / "home/li"
    home.mkdir(parents=True)
    (home / ".bashrc").symlink_to(secret)
    os.mkfifo(home / ".profile")
    (home / ".zshrc").mkdir()

    assert Homes(root).proxies() == []


def test_a_home_on_a_network_is_not_looked_into(root: Path) -> None:
    put(root, "net/afar/.bashrc", "export http_proxy=http://10.9.9.1:80\n")

    assert Homes(root).proxies() == []


@pytest.mark.parametrize(
    "line", ["\n", " \n", "export ", "a" * 50, 'user_pref("network.proxy.a", ', '"proxy":{']
)
def test_a_file_made_to_be_slow_is_not(root: Path, line: str) -> None:
    text = line * (1_000_000 // len(line))
    for name in (".bashrc", ".mozilla/firefox/a/prefs.js", ".config/chromium/a/Preferences"):
        put(root, f"home/li/{name}", text)
    before = time.process_time()

    assert Homes(root).proxies() == []
    assert time.process_time() - before < 5


def test_a_home_that_may_not_be_looked_into_is_counted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(root, "home/li/.bashrc", "export http_proxy=http://10.9.9.1:80\n")
    kept = Homes(root)
    kept.proxies()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may look anywhere
    before, _ = kept.closed, kept.proxies()

    assert (before, kept.closed) == (0, 1)


def test_a_home_behind_a_folder_that_may_not_be_entered_is_counted_and_blinds_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(root, "root/.bashrc", "export http_proxy=http://10.9.9.1:80\n")
    looks, entered = Path.exists, os.access

    def exists(path: Path) -> bool:
        if path.parent.name == "home":
            raise PermissionError(13, "Permission denied")
        return looks(path)

    monkeypatch.setattr(Path, "exists", exists)
    monkeypatch.setattr(os, "access", lambda path, mode: path.parent.name != "home" and entered(path, mode))
    kept = Homes(root)

    assert [value for _, value, _ in kept.proxies()] == ["http://10.9.9.1:80"]
    assert kept.closed == 2
