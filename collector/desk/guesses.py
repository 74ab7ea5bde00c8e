"""Every wrong guess makes the next one wait longer; who knows a password is not shut out by who does not.

::

    counted for               free    then 1 s, 2 s, 4 s, ... at most
    an address at a name         5    15 min
    an address at any name      20     5 min
    a name from anywhere        50     5 min, but never an address's first two tries at it

What is turned away is neither looked at nor counted, so a wait ends whatever a guesser does meanwhile. A
count is forgotten an hour after its last wrong guess, all of them when the process ends. A try counts as
wrong until it turns out right: many at once are no way around.

>>> from datetime import UTC
>>> now, guesses = datetime(2026, 3, 2, tzinfo=UTC), Guesses()
>>> [guesses.begin("li", "10.0.0.9", now).total_seconds() for _ in range(6)]
[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
>>> guesses.begin("li", "10.0.0.9", now)
Traceback (most recent call last):
collector.desk.guesses.DelayedError: too many wrong tries; try again in 1 s
>>> guesses.begin("li", "10.0.0.7", now).total_seconds()
0.0
"""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil

from msgspec import Struct

from ..errors import RetryableError

_FIRST = timedelta(seconds=1)
_NOTHING = timedelta()
_FORGOTTEN = timedelta(hours=1)
_MOST_COUNTS = 20_000
_FIRST_TRIES = 2


class _Rule(Struct, frozen=True):
    free: int
    longest: timedelta

    def delay(self, wrong: int) -> timedelta:
        """Return how long the next guess waits after so many wrong ones."""
        over = wrong - self.free
        return min(self.longest, _FIRST * 2 ** min(over - 1, 20)) if over > 0 else _NOTHING


class _Count(Struct):
    last: datetime
    until: datetime
    wrong: int = 0


_PAIR = _Rule(5, timedelta(minutes=15))
_ADDRESS = _Rule(20, timedelta(minutes=5))
_NAME = _Rule(50, timedelta(minutes=5))
_Key = tuple[str, str]


class DelayedError(RetryableError):
    """A try that is not looked at; `seconds` is how long to wait."""

    def __init__(self, wait: timedelta) -> None:
        self.seconds = ceil(wait.total_seconds())
        super().__init__(f"too many wrong tries; try again in {self.seconds} s")


class Guesses:
    """Counts wrong passwords of one process; of more than `most` counts the longest untouched go first."""

    def __init__(self, most: int = _MOST_COUNTS) -> None:
        self._counts: OrderedDict[_Key, _Count] = OrderedDict()
        self._most = most

    def begin(self, name: str, address: str, now: datetime) -> timedelta:
        """Count a try as wrong; return how long the next one waits if it is.

        Raises:
            DelayedError: it must wait, and was not counted.
        """
        rules = dict(self._rules(name, network(address), now))
        wait = max((self._count(key, now).until - now for key in rules), default=_NOTHING)
        if wait > _NOTHING:
            raise DelayedError(wait)
        delays = []
        for key, rule in rules.items():
            count = self._count(key, now)
            count.wrong += 1
            count.last, count.until = now, now + rule.delay(count.wrong)
            delays.append(count.until - now)
        return max(delays)

    def take_back(self, name: str, address: str, now: datetime) -> None:
        """Uncount a try that nobody looked at in the end, or that was right."""
        for key, _ in self._rules(name, network(address), now):
            count = self._count(key, now)
            count.wrong, count.until = max(count.wrong - 1, 0), now

    def right(self, name: str, address: str, now: datetime) -> None:
        """Forget what this address got wrong at this name: it knows the password."""
        self.take_back(name, address, now)
        self._counts.pop((name, network(address)), None)

    def _rules(self, name: str, place: str, now: datetime) -> Iterator[tuple[_Key, _Rule]]:
        yield (name, place), _PAIR
        yield ("", place), _ADDRESS
        if self._count((name, place), now).wrong >= _FIRST_TRIES:
            yield (name, ""), _NAME

    def _count(self, key: _Key, now: datetime) -> _Count:
        count = self._counts.get(key)
        if count is None or now - count.last > _FORGOTTEN:
            count = self._counts[key] = _Count(now, now)
        self._counts.move_to_end(key)
        while len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return count


def network(address: str) -> str:
    """Return what one guesser has at least: an IPv4 address, or the /64 of an IPv6 address.

    >>> network("2001:db8::7"), network("10.0.0.9"), network("")
    ('2001:db8::/64', '10.0.0.9', '')
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    return (
        str(IPv6Network((int(parsed), 64), strict=False)) if isinstance(parsed, IPv6Address) else str(parsed)
    )
