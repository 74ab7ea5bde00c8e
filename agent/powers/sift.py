"""An in-kernel filter (classic BPF) for one network and one port; frames begin at the network layer.

    jump if the packet is not of the family -> other family
    either end inside the network?  no -> drop        (each word of the prefix masked and compared)
    TCP or UDP, no later fragment, either port?       no -> drop        (of IPv6 behind its other headers)
    keep `keep` bytes

>>> import ipaddress
>>> from agent.bpf import passed
>>> from agent.powers.sift import program
>>> rules = program(ipaddress.ip_network("192.0.2.0/24"), None, 96)
>>> packet = bytes([0x45] + [0] * 11 + [192, 0, 2, 7] + [10, 0, 0, 1])
>>> passed(rules, packet), passed(rules, packet[:12] + bytes(8))
(96, 0)
"""

from ipaddress import IPv4Network, IPv6Network

from ..bpf import ETH_IPV4, ETH_IPV6, TCP, UDP, Assembler
from ..extensions import walk

Network = IPv4Network | IPv6Network


def program(network: Network | None, port: int | None, keep: int) -> bytes:
    """Return the filter as `struct sock_filter[]`; packets that pass are cut to `keep` bytes."""
    made = Assembler()
    if network is None and port is None:
        return made.accept(keep).code()
    made.load_protocol().jump_if(ETH_IPV4, "family4").jump_if(ETH_IPV6, "family6", "drop")
    for version in (4, 6):
        made.label(f"family{version}")
        _family(made, version, network, port)
    return made.label("keep").accept(keep).label("drop").drop().code()


def _family(made: Assembler, version: int, network: Network | None, port: int | None) -> None:
    if network is not None and network.version != version:
        made.jump("drop")
        return
    if network is not None:
        first, second = (12, 16) if version == 4 else (8, 24)
        far, ports = f"far{version}", f"ports{version}"
        _inside(made, network, first, far)
        made.jump(ports).label(far)
        _inside(made, network, second, "drop")
        made.label(ports)
    if port is None:
        made.jump("keep")
    else:
        _ports(made, version, port)


def _inside(made: Assembler, network: Network, offset: int, otherwise: str) -> None:
    for before in range(0, network.max_prefixlen, 32):
        shift = network.max_prefixlen - before - 32
        mask, value = (int(one) >> shift & 0xFFFFFFFF for one in (network.netmask, network.network_address))
        if mask:
            made.load_word(offset + before // 8).keep_bits(mask).jump_if(value, "", otherwise)


def _ports(made: Assembler, version: int, port: int) -> None:
    """Ask for either port, in IPv6 behind what headers there are."""
    held = f"held{version}"
    if version == 4:
        made.load_half(6).jump_if_any(0x1FFF, "drop").header_ends(0).load_byte(9)
    else:
        walk(made, ((TCP, held), (UDP, held)), "last").label("last")
    made.jump_if(TCP, held).jump_if(UDP, "", "drop").label(held)
    made.load_half_behind(0).jump_if(port, "keep").load_half_behind(2).jump_if(port, "keep", "drop")
