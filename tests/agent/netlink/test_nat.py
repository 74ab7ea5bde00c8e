import subprocess
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.root
def test_the_old_iptables_is_named_though_its_rules_cannot_be_read(
    tmp_path: Path, own_network: OwnNetwork
) -> None:
    async def scene() -> None:
        (tmp_path / "proc/net").mkdir(parents=True)
        (tmp_path / "proc/net/ip_tables_names").write_text("filter\nnat\n")

        assert translations(tmp_path) == (Translation("ip", "nat", "", "table_present", ""),)

    own_network(scene)
