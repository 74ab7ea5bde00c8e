"""An in-kernel filter (classic BPF) for one network and one port; frames begin at the network layer.

    jump if the packet is not of the family -> other family
    either end inside the network?  no -> drop        (each word of the prefix masked and compared)
    TCP or UDP, no later fragment, either port?       no -> drop
    keep `keep` bytes

>>> from agent.powers.sift import matches, program
>>> import ipaddress
>>> rules = program(ipaddress.ip_network("192.0.2.0/24"), None, 96)
>>> packet = bytes([0x45] + [0] * 11 + [192, 0, 2, 7] + [10, 0, 0, 1])
>>> matches(rules, packet, 0x0800), matches(rules, packet[:12] + bytes(8), 0x0800)
(96, 0)
"""

import struct
from ipaddress import IPv4Network, IPv6Network

IPV4, IPV6 = 0x0800, 0x86DD
_LD_W, _LD_H, _LD_B, _LDX_MSH = 0x20, 0x28, 0x30, 0xB1
_LD_H_X = 0x48
_AND, _JEQ, _JSET, _RET, _JA = 0x54, 0x15, 0x45, 0x06, 0x05
_PROTOCOL = 0xFFFFF000  # SKF_AD_OFF + SKF_AD_PROTOCOL
_PORTS = (6, 17)
Network = IPv4Network | IPv6Network
Step = tuple[int, int, str, str]  # code, operand, label if true, label if false; "" goes on


def program(network: Network | None, port: int | None, keep: int) -> bytes:
    """Return the filter as `struct sock_filter[]`; packets that pass are cut to `keep` bytes."""
    steps: dict[str, list[Step]] = {"start": []}
    if network is None and port is None:
        steps["start"] = [(_RET, keep, "", "")]
        return _assembled(steps)
    steps["start"] = [(_LD_H, _PROTOCOL, "", ""), (_JEQ, IPV4, "", "six"), *_family(4, network, port)]
    steps["six"] = [(_JEQ, IPV6, "", "drop"), *_family(6, network, port)]
    steps["keep"] = [(_RET, keep, "", "")]
    steps["drop"] = [(_RET, 0, "", "")]
    return _assembled(steps)


def _family(version: int, network: Network | None, port: int | None) -> list[Step]:
    if network is not None and network.version != version:
        return [(_JA, 0, "drop", "")]
    steps: list[Step] = []
    if network is not None:
        first, second = (12, 16) if version == 4 else (8, 24)
        there = f"ports{version}"
        steps += [*_inside(network, first, f"far{version}"), (_JA, 0, there, "")]
        steps += [(0, 0, f"far{version}:", ""), *_inside(network, second, "drop"), (0, 0, f"{there}:", "")]
    return steps + (_ports(version, port) if port else [(_JA, 0, "keep", "")])


def _inside(network: Network, offset: int, otherwise: str) -> list[Step]:
    steps: list[Step] = []
    words = len(network.network_address.packed) // 4
    for word in range(words):
        (mask,) = struct.unpack_from("!I", network.netmask.packed, word * 4)
        (value,) = struct.unpack_from("!I", network.network_address.packed, word * 4)
        if mask:
            steps += [(_LD_W, offset + word * 4, "", ""), (_AND, mask, "", ""), (_JEQ, value, "", otherwise)]
    return steps


def _ports(version: int, port: int) -> list[Step]:
    """Steps for either port; an IPv6 packet with headers between is not looked into."""
    first, second = _PORTS
    held = f"held{version}"
    if version == 4:
        return [
            (_LD_B, 9, "", ""),
            (_JEQ, first, held, ""),
            (_JEQ, second, "", "drop"),
            (0, 0, f"{held}:", ""),
            (_LD_H, 6, "", ""),
            (_JSET, 0x1FFF, "drop", ""),
            (_LDX_MSH, 0, "", ""),
            (_LD_H_X, 0, "", ""),
            (_JEQ, port, "keep", ""),
            (_LD_H_X, 2, "", ""),
            (_JEQ, port, "keep", "drop"),
        ]
    return [
        (_LD_B, 6, "", ""),
        (_JEQ, first, held, ""),
        (_JEQ, second, "", "drop"),
        (0, 0, f"{held}:", ""),
        (_LD_H, 40, "", ""),
        (_JEQ, port, "keep", ""),
        (_LD_H, 42, "", ""),
        (_JEQ, port, "keep", "drop"),
    ]


def _assembled(parts: dict[str, list[Step]]) -> bytes:
    """Put the parts one behind the other and turn labels into distances, which are forward and below 256."""
    flat: list[Step] = []
    places: dict[str, int] = {}
    for name, steps in parts.items():
        places[name] = len(flat)
        for step in steps:
            if step[2].endswith(":"):
                places[step[2].removesuffix(":")] = len(flat)
            else:
                flat.append(step)
    made = bytearray()
    for here, (code, operand, true, false) in enumerate(flat):
        yes, no = (places[label] - here - 1 if label else 0 for label in (true, false))
        if code == _JA:
            made += struct.pack("=HBBI", code, 0, 0, yes)
        else:
            made += struct.pack("=HBBI", code, yes, no, operand)
    return bytes(made)


def matches(instructions: bytes, packet: bytes, protocol: int) -> int:
    """Run a filter as the kernel does; return the bytes it keeps. For tests and for a reader."""
    accumulator = index = at = 0
    while True:
        code, yes, no, operand = struct.unpack_from("=HBBI", instructions, at * 8)
        at += 1
        if code == _RET:
            return int(operand)
        if code == _JA:
            at += operand
        elif code in {_JEQ, _JSET}:
            true = accumulator == operand if code == _JEQ else accumulator & operand
            at += yes if true else no
        elif code == _AND:
            accumulator &= operand
        elif code == _LDX_MSH:
            index = 4 * (packet[operand] & 0xF)
        elif operand == _PROTOCOL:
            accumulator = protocol
        else:
            size = {_LD_W: 4, _LD_H: 2, _LD_B: 1, _LD_H_X: 2}[code]
            start = operand + (index if code == _LD_H_X else 0)
            if start + size > len(packet):
                return 0
            accumulator = int.from_bytes(packet[start : start + size])
