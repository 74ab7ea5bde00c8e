"""Who looks names up for others: hosts whom many name servers answer.

    a host      asks one, two, three servers, which answer
    a resolver  asks every server that a name leads to: some are gone, closed, or behind a way that is down

So a resolver is refused at port 53 of many addresses an hour and scans nothing, while one who tries port 53
of many addresses and is answered by few of them does. Who wants to be taken for a resolver has to be
answered by many, and hides no door but that of names.
"""

from collections import OrderedDict
from collections.abc import Iterable

from .tally import Contact

PORT = b"\0\x35"
_ANSWERED_BY = 6
_MOST_CLIENTS = 4096


class Resolvers:
    """The servers that answered each host, so many as it takes to tell; the last hosts that were."""

    def __init__(self) -> None:
        self._answered: OrderedDict[bytes, set[bytes]] = OrderedDict()

    def note(self, answered: Iterable[tuple[bytes, bytes]]) -> None:
        """Note who was answered, and by whom."""
        for client, server in answered:
            servers = self._answered.setdefault(client, set())
            self._answered.move_to_end(client)
            if len(servers) < _ANSWERED_BY:
                servers.add(server)
        while len(self._answered) > _MOST_CLIENTS:
            self._answered.popitem(last=False)

    def asks(self, contact: Contact) -> bool:
        """Say whether a contact is a resolver's question."""
        source, _, door = contact
        return door == PORT and len(self._answered.get(source, ())) >= _ANSWERED_BY
