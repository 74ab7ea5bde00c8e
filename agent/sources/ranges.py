"""Which addresses are inside: the settings' ranges, and those that can never be the internet."""

from collections.abc import Collection
from ipaddress import ip_network

from ..netlink import inet_diag
from ..netlink.message import NetlinkError

INTERNAL = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
NEVER_OUTSIDE = (
    "0.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "224.0.0.0/3",
    "::/127",
    "fe80::/10",
    "ff00::/8",
)
_REMEMBERED = 10_000


class Ranges:
    """A set of internal networks, asked with raw addresses of 4 or 16 bytes.

    `beacons` are the places that the active check asks: our own questions are no use of a way.

    >>> from socket import AF_INET, inet_pton
    >>> Ranges(["10.0.0.0/8"]).outside(inet_pton(AF_INET, "203.0.113.9"))
    True
    """

    def __init__(
        self,
        internal: "tuple[str, ...] | list[str]" = INTERNAL,
        never_outside: tuple[str, ...] = NEVER_OUTSIDE,
        beacons: Collection[tuple[str, int]] = (),
    ) -> None:
        self._beacons = frozenset(beacons)
        packed: list[tuple[bytes, int]] = []
        self._networks: dict[int, list[tuple[int, int]]] = {4: [], 16: []}
        for text in (*internal, *never_outside):
            network = ip_network(text)
            mask = int(network.netmask)
            self._networks[network.max_prefixlen // 8].append((int(network.network_address), mask))
            packed.append((network.network_address.packed, network.prefixlen))
        self._known: dict[bytes, bool] = {}
        self._bytecode = inet_diag.leave_out(packed)

    def outside(self, address: bytes) -> bool:
        """Say whether the address lies in none of the networks; answers are remembered."""
        known = self._known.get(address)
        if known is None:
            number = int.from_bytes(address, "big")
            known = all(number & mask != start for start, mask in self._networks[len(address)])
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[address] = known
        return known

    def asks(self, address: str, port: int) -> bool:
        """Say whether the active check asks there."""
        return (address, port) in self._beacons

    def talks(self, mask: int) -> list[inet_diag.Socket]:
        """Return the sockets of the states in `mask` that talk to the outside.

        Raises:
            NetlinkError: the kernel refused, or its answer could not be read.
            OSError: no netlink socket here, or no answer.
        """
        try:
            found = inet_diag.sockets(mask, self.outside, bytecode=self._bytecode)
            return [one for one in found if not self.asks(one.remote_address, one.remote_port)]
        except NetlinkError:
            if not self._bytecode:
                raise
            self._bytecode = b""  # a kernel that does not filter: everything is read and judged here
            return self.talks(mask)
