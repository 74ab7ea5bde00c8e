import shutil
import subprocess
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.netlink import iptables
from agent.netlink.message import NetlinkError, pack_attribute
from agent.netlink.nat import RuleChanges, Translation, decode_rule, translations

OwnNetwork = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
RULES = """
table ip nat {
  chain out {
    type nat hook postrouting priority 100;
    oifname "eth1" masquerade
    ip saddr 10.0.0.0/8 snat to 198.18.0.2
  }
  chain in {
    type nat hook prerouting priority -100;
    tcp dport 80 dnat to 10.0.0.5
  }
}
"""


def nft(rules: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=rules.encode(), check=True)


OLD = """*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:tethered - [0:0]
-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.5
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -o wlan0 -j tethered
-A tethered -o usb0 -j MASQUERADE
-A tethered -o ppp+ -j SNAT --to-source 198.18.0.2
COMMIT
"""


def old_iptables(family: str, rules: str) -> None:
    subprocess.run([f"{family}tables-legacy-restore"], input=rules.encode(), check=True, capture_output=True)


def expression(name: bytes, data: bytes = b"") -> bytes:
    return pack_attribute(1, pack_attribute(1, name + b"\0") + pack_attribute(2, data))


def rule(*expressions: bytes) -> bytes:
    where = pack_attribute(1, b"nat\0") + pack_attribute(2, b"POSTROUTING\0")
    return b"\x02\0\0\0" + where + pack_attribute(4, b"".join(expressions))


MASQUERADE = rule(expression(b"target", pack_attribute(1, b"MASQUERADE\0")))


def test_a_rule_of_iptables_over_nftables_is_one_too() -> None:
    assert decode_rule(MASQUERADE) == Translation("ip", "nat", "POSTROUTING", "masquerade", "")


def test_a_rule_that_lets_nobody_out_is_none() -> None:
    accept = rule(expression(b"target", pack_attribute(1, b"DNAT\0")), expression(b"counter"))

    assert decode_rule(accept) is None


def comparison(value: bytes, operation: int = 0) -> bytes:
    data = pack_attribute(2, operation.to_bytes(4)) + pack_attribute(3, pack_attribute(1, value))
    return expression(b"cmp", data)


OUT = expression(b"meta", pack_attribute(2, (7).to_bytes(4)))


@pytest.mark.parametrize(
    ("conditions", "outgoing"),
    [
        ((OUT, comparison(b"eth1\0")), "eth1"),
        ((OUT, comparison(b"eth1\0", operation=1)), ""),  # all but eth1
        ((OUT, comparison(b"eth")), ""),  # "eth*"
        # one of several names, and then a source: what is compared with it is no link
        ((OUT, expression(b"lookup"), expression(b"payload"), comparison(b"\x0a\0\0\0")), ""),
    ],
)
def test_only_a_whole_name_that_has_to_be_equal_is_the_link_of_a_rule(
    conditions: tuple[bytes, ...], outgoing: str
) -> None:
    found = decode_rule(rule(*conditions, expression(b"masq")))

    assert found == Translation("ip", "nat", "POSTROUTING", "masquerade", outgoing)


@given(st.binary(max_size=200) | st.integers(0, len(MASQUERADE)).map(lambda n: MASQUERADE[:n]))
def test_garbage_and_cut_rules_are_refused_or_read_in_part(data: bytes) -> None:
    with suppress(NetlinkError):
        decode_rule(data)


@pytest.mark.root
def test_the_kernels_own_rules_are_read_and_a_change_is_heard(own_network: OwnNetwork) -> None:
    async def scene() -> None:
        changes = RuleChanges()
        assert translations(Path("/nowhere")) == ()
        nft(RULES)

        assert changes.drain()
        assert translations(Path("/nowhere")) == (
            Translation("ip", "nat", "out", "masquerade", "eth1"),
            Translation("ip", "nat", "out", "snat", ""),
        )
        changes.close()

    own_network(scene)


def named(root: Path, *families: str) -> Path:
    (root / "proc/net").mkdir(parents=True)
    for family in families:
        (root / f"proc/net/{family}_tables_names").write_text("filter\nnat\n")
    return root


@pytest.mark.root
@pytest.mark.skipif(not shutil.which("iptables-legacy-restore"), reason="needs iptables-legacy")
def test_rules_of_the_old_iptables_are_read_with_their_chains_and_links(
    tmp_path: Path, own_network: OwnNetwork
) -> None:
    # /proc/net is the network of the process; the test's own is that of its thread.
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/net").symlink_to("/proc/thread-self/net")

    async def scene() -> None:
        old_iptables("ip", OLD)
        v6 = "\n".join(line for line in OLD.splitlines() if "." not in line) + "\n"
        old_iptables("ip6", v6)

        assert translations(tmp_path) == (
            Translation("ip", "nat", "POSTROUTING", "masquerade", ""),
            Translation("ip", "nat", "tethered", "masquerade", "usb0"),
            Translation("ip", "nat", "tethered", "snat", ""),
            Translation("ip6", "nat", "tethered", "masquerade", "usb0"),
        )

    own_network(scene)


@pytest.mark.root
def test_to_look_makes_no_table_where_there_was_none(own_network: OwnNetwork) -> None:
    def tables() -> str:
        return Path("/proc/thread-self/net/ip_tables_names").read_text("ascii")

    async def scene() -> None:
        translations(Path("/nowhere"))

        assert tables() == ""

    own_network(scene)


@pytest.mark.root
def test_the_old_iptables_is_named_where_its_rules_cannot_be_read(
    tmp_path: Path, own_network: OwnNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(iptables, "read", refuse)

    async def scene() -> None:
        expected = (Translation("ip", "nat", "", "table_present", ""),)
        assert translations(named(tmp_path, "ip")) == expected

    own_network(scene)


@pytest.mark.root
def test_a_rule_for_all_links_but_one_is_for_no_single_one(own_network: OwnNetwork) -> None:
    async def scene() -> None:
        nft(RULES.replace('oifname "eth1"', 'oifname != "eth1"'))

        assert translations(Path("/nowhere"))[0] == Translation("ip", "nat", "out", "masquerade", "")

    own_network(scene)
