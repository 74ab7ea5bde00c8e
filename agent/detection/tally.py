"""What a moment's packets come to, counted: addresses and ports stay bytes until a detector asks."""

from functools import lru_cache
from ipaddress import ip_address

from .tls import CLIENT_HELLO, HANDSHAKE, TlsError, server_name

Contact = tuple[bytes, bytes, bytes]
"""Who, whom, and the port of the latter; addresses of 4 or 16 bytes, ports of 2."""

_FIRST_OF_CLIENTS = 1024
_REQUEST = 1
_MOST_ANSWERS = 512
_MOST_HELLOS = 2_000
_LONGEST_NAME = 256
_SOURCES_MAC, _TARGETS_MAC = 1, 2
_MOST_OPTIONS = 8
_MULTICAST = 0xFF
_HANDSHAKE, _CLIENT_HELLO = bytes([HANDSHAKE]), bytes([CLIENT_HELLO])


class Tally:
    """Packets of one step, by kind.

    Attributes:
        asked: TCP connections asked for (SYN), or probed for by packets that belong to none.
        opened: The same contacts where the other side agreed (SYN and ACK).
        refused: The same contacts where it did not (RST), or broke off later.
        bounced: Contacts by UDP that came back as unreachable.
        datagrams: UDP but names, scaled up where they were sampled.
        names: Names asked for in DNS, as on the wire, by who asked.
        answers: Answers to such questions, to whom and what; the first of a step.
        answered: Who was answered from port 53, and by whom; the first of a step.
        hellos: TLS servers that were greeted: who, whom, and by which name.
        unread: Who greeted one by a name that could not be read, how often.
        greetings: All greetings of TLS, whether they have a name or not.
        claims: Who says to have an address (ARP, neighbour messages of IPv6): address and MAC.
        sought: ARP requests and neighbour solicitations: who asks, and for whom.
        replies: What answers them to somebody else: address and MAC claimed, and to whom.
        packets: All that were counted.
    """

    __slots__ = (
        "answered",
        "answers",
        "asked",
        "bounced",
        "claims",
        "datagrams",
        "greetings",
        "hellos",
        "names",
        "opened",
        "packets",
        "refused",
        "replies",
        "sought",
        "unread",
    )

    def __init__(self) -> None:
        self.asked: dict[Contact, int] = {}
        self.opened: dict[Contact, int] = {}
        self.refused: dict[Contact, int] = {}
        self.bounced: dict[Contact, int] = {}
        self.datagrams: dict[Contact, int] = {}
        self.names: dict[tuple[bytes, bytes], int] = {}
        self.answers: list[tuple[bytes, bytes]] = []
        self.answered: set[tuple[bytes, bytes]] = set()
        self.hellos: dict[tuple[bytes, bytes, str], int] = {}
        self.unread: dict[bytes, int] = {}
        self.greetings = 0
        self.claims: dict[tuple[bytes, bytes], int] = {}
        self.sought: set[tuple[bytes, bytes]] = set()
        self.replies: dict[tuple[bytes, bytes, bytes], int] = {}
        self.packets = 0

    def tcp(self, source: bytes, target: bytes, ports: tuple[bytes, bytes], flags: int) -> None:
        """Count a TCP packet by its flags."""
        if flags & 0x04:
            counter, contact = self.refused, (target, source, ports[0])
        elif flags & 0x12 == 0x12:
            counter, contact = self.opened, (target, source, ports[0])
        elif flags & 0x10:
            return
        else:
            counter, contact = self.asked, (source, target, ports[1])
        counter[contact] = counter.get(contact, 0) + 1

    def udp(self, contact: Contact, times: int) -> None:
        """Count a datagram."""
        self.datagrams[contact] = self.datagrams.get(contact, 0) + times

    def unreachable(self, source: bytes, target: bytes, ports: tuple[bytes, bytes]) -> None:
        """Count a datagram that an ICMP error quotes, but for one that was an answer: its asker had gone."""
        if int.from_bytes(ports[0], "big") >= _FIRST_OF_CLIENTS:
            contact = (source, target, ports[1])
            self.bounced[contact] = self.bounced.get(contact, 0) + 1

    def advertisement(self, target: bytes, message: bytes) -> None:
        """Count a neighbour advertisement (RFC 4861) that carries a MAC, to whom it may be."""
        address, mac = bytes(message[8:24]), _option(message, 24, _TARGETS_MAC)
        if not mac:
            return
        self.claims[address, mac] = self.claims.get((address, mac), 0) + 1
        if target[0] != _MULTICAST and target != address:
            self.replies[address, mac, target] = self.replies.get((address, mac, target), 0) + 1

    def solicitation(self, source: bytes, message: bytes) -> None:
        """Count a neighbour solicitation: somebody seeks an address, and mostly says its own MAC."""
        if len(message) < 24:
            return
        self.sought.add((source, bytes(message[8:24])))
        self._says_its_mac(source, _option(message, 24, _SOURCES_MAC))

    def router(self, source: bytes, message: bytes) -> None:
        """Count a router advertisement: its sender claims its own address."""
        self._says_its_mac(source, _option(message, 16, _SOURCES_MAC))

    def _says_its_mac(self, source: bytes, mac: bytes) -> None:
        if mac and any(source):
            self.claims[source, mac] = self.claims.get((source, mac), 0) + 1

    def dns(self, source: bytes, message: bytes) -> None:
        """Count a question by its name; other messages are none."""
        # Header: id, flags (bit 15 an answer), four counts. The name begins behind it.
        if len(message) < 17 or message[2] & 0x80:
            return
        end = message.find(b"\0", 12, 12 + _LONGEST_NAME)
        if end < 0:
            return
        key = (source, bytes(message[12:end]))
        self.names[key] = self.names.get(key, 0) + 1

    def dns_answer(self, ends: tuple[bytes, bytes], door: bytes, message: bytes) -> None:
        """Keep an answer, and count it as the datagram it is: floods come from port 53 as well."""
        self.udp((*ends, door), 1)
        if len(self.answers) < _MOST_ANSWERS and len(message) >= 17 and message[2] & 0x80:
            self.answers.append((ends[1], message))
            self.answered.add((ends[1], ends[0]))

    def hello(self, source: bytes, target: bytes, data: bytes) -> None:
        """Count what a client sent to a server of TLS, if it is a greeting; the first of a step are read."""
        if data[:1] != _HANDSHAKE or data[1:2] != b"\3" or data[5:6] != _CLIENT_HELLO:
            return
        self.greetings += 1
        try:
            name = server_name(data) if self.greetings <= _MOST_HELLOS else None
        except TlsError:
            name = None
        if name is None:
            self.unread[source] = self.unread.get(source, 0) + 1
        elif name:
            key = (source, target, name)
            self.hellos[key] = self.hellos.get(key, 0) + 1

    def arp(self, packet: bytes) -> None:
        """Count an ARP packet for Ethernet and IPv4: its sender claims an address."""
        if len(packet) < 28 or packet[:6] != b"\0\x01\x08\0\x06\x04":
            return
        sender, mac, target = bytes(packet[14:18]), bytes(packet[8:14]), bytes(packet[24:28])
        self.claims[sender, mac] = self.claims.get((sender, mac), 0) + 1
        if packet[7] == _REQUEST:
            self.sought.add((sender, target))
        elif sender != target:
            self.replies[sender, mac, target] = self.replies.get((sender, mac, target), 0) + 1


def _option(message: bytes, at: int, kind: int) -> bytes:
    """Return the MAC that an option of a neighbour message holds, empty where there is none."""
    # Kind, length in units of 8 bytes, then what it says (RFC 4861, 4.6).
    for _ in range(_MOST_OPTIONS):
        if at + 8 > len(message) or not message[at + 1]:
            break
        if message[at] == kind:
            return bytes(message[at + 2 : at + 8]) if message[at + 1] == 1 else b""
        at += 8 * message[at + 1]
    return b""


@lru_cache(maxsize=8192)
def text(address: bytes) -> str:
    """Return an address of 4 or 16 bytes as people write it.

    >>> text(bytes([10, 0, 0, 1])), text(bytes(15) + bytes([1]))
    ('10.0.0.1', '::1')
    """
    return str(ip_address(address))


def port(number: bytes) -> int:
    """Return a port."""
    return int.from_bytes(number, "big")
