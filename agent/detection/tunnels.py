"""Finds tunnels through DNS: a client asks a domain for ever new, long names, for the names are the data.

    mail.example.gov.cn                                      asked again and again
    4f2a9c...60 letters....e1.t.example.net                  never asked twice

Within `window` a client has to ask a domain for `names` different names, most of them only once, with
`length` letters on average before the domain, in long labels (names that people made have short ones).
Reverse lookups (arpa) are left out, and so are the domains that the operator names: some virus scanners
look up hashes that way.
"""

from collections import OrderedDict
from datetime import datetime, timedelta

from msgspec import Struct

from ..bounded import Count, Rate, Seconds
from ..clock import moment
from .dns import shown
from .repeats import Finding
from .tally import text

CLASS = "ABTRAFFIC"
_MAX_PAIRS = 5_000
_MAX_NAMES = 2_000
_SHOWN = 5
_ONCE = 0.7
_LONG_LABEL = 20
# Second labels that belong to the registry: example.gov.cn, example.co.uk.
_REGISTRY = frozenset(
    {"com", "net", "org", "gov", "edu", "ac", "mil", "co", "or", "ne", "go", "bj", "sh", "gd", "tj"}
)


class TunnelSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When questions for names are a tunnel.

    Fields:
        window: Seconds that are looked at together.
        names: Different names of one domain, asked by one client.
        length: Letters before the domain, on average.
        ignore: Domains that may do so.
    """

    window: Seconds = 600.0
    names: Count = 40
    length: Rate = 30.0
    ignore: tuple[str, ...] = ()


class _Asked(Struct):
    """What a client asked of a domain since `begin`."""

    begin: datetime
    names: set[int]
    questions: int = 0
    letters: int = 0
    longest: int = 0
    told: int = 0
    samples: list[str] = []


class Tunnels:
    """What each client asked of each domain."""

    def __init__(self, settings: TunnelSettings) -> None:
        self._settings = settings
        self._window = timedelta(seconds=settings.window)
        self._ignored = frozenset(domain.lower().rstrip(".") for domain in settings.ignore)
        self._asked: OrderedDict[tuple[bytes, str], _Asked] = OrderedDict()

    def step(self, names: dict[tuple[bytes, bytes], int], at: datetime) -> list[Finding]:
        """Take the names asked for in a moment."""
        return [
            found for (client, wire), times in names.items() if (found := self._ask(client, wire, times, at))
        ]

    def _ask(self, client: bytes, wire: bytes, times: int, at: datetime) -> Finding | None:
        labels = labels_of(wire)
        domain, below = split(labels)
        if not below or labels[-1] == "arpa" or self._is_ignored(labels):
            return None
        asked = self._entry((client, domain), at)
        asked.questions += times
        if len(asked.names) < _MAX_NAMES and (name := hash(wire)) not in asked.names:
            asked.names.add(name)
            asked.letters += len(below)
            asked.longest += max(map(len, below.split(".")))
            asked.samples = [*asked.samples, f"{below}.{domain}"][-_SHOWN:]
        return self._judge(client, domain, asked, at)

    def _is_ignored(self, labels: list[str]) -> bool:
        return any(".".join(labels[at:]) in self._ignored for at in range(len(labels)))

    def _entry(self, key: tuple[bytes, str], at: datetime) -> _Asked:
        asked = self._asked.get(key)
        if asked is None or at - asked.begin > self._window:
            asked = self._asked[key] = _Asked(at, set())
        self._asked.move_to_end(key)
        while len(self._asked) > _MAX_PAIRS:
            self._asked.popitem(last=False)
        return asked

    def _judge(self, client: bytes, domain: str, asked: _Asked, at: datetime) -> Finding | None:
        different = len(asked.names)
        if (
            different < self._settings.names
            or different < _ONCE * asked.questions
            or asked.letters < self._settings.length * different
            or asked.longest < _LONG_LABEL * different
            or different == asked.told
        ):
            return None
        new, asked.told = different - asked.told, different
        who = text(client)
        return Finding(
            key=f"dns_tunnel:{who}:{domain}",
            group="dns_tunnel",
            incident_class=CLASS,
            severity="high",
            at=at,
            source_address=who,
            target=domain,
            times=new,
            item={
                "at": moment(at),
                "since": moment(asked.begin),
                "names": different,
                "questions": asked.questions,
                "length": round(asked.letters / different, 1),
                "samples": asked.samples,
            },
        )


def labels_of(wire: bytes) -> list[str]:
    r"""Return the labels of a name as on the wire, without its end; none where it is malformed.

    >>> labels_of(b"\x03WWW\x03gov\x02cn")
    ['www', 'gov', 'cn']
    """
    labels = []
    at = 0
    while at < len(wire):
        length = wire[at]
        label = wire[at + 1 : at + 1 + length]
        if length > 63 or len(label) < length:
            return []
        labels.append(shown(label))
        at += 1 + length
    return labels


def split(labels: list[str]) -> tuple[str, str]:
    """Return the registered domain and what stands before it.

    >>> split(["a", "b", "example", "gov", "cn"]), split(["a", "example", "net"])
    (('example.gov.cn', 'a.b'), ('example.net', 'a'))
    """
    own = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _REGISTRY else 2
    return ".".join(labels[-own:]), ".".join(labels[:-own])
