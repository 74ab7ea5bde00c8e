"""Whether a service is down, from checks that fail and succeed: pure, and damped against flapping.

    checks   ok ok  x  x  x  x ok ok
    down                    [3 failures in a row     [2 successes in a row
    since                 ^ the first of the three  ^ until: the first of the two

Each time it goes down again within an hour, twice as many successes are asked for before it counts as up:
a service that comes for seconds is not back, and its outage is one outage.

>>> from datetime import UTC, datetime, timedelta
>>> noon, state = datetime(2026, 3, 2, 4, tzinfo=UTC), Steadiness()
>>> for minute, good in enumerate((True, False, False, False, False)):
...     state = state.after(noon + timedelta(minutes=minute), good=good, down_after=3, up_after=2)
>>> state.down_since
datetime.datetime(2026, 3, 2, 4, 1, tzinfo=datetime.timezone.utc)
"""

from datetime import datetime, timedelta

from msgspec import Struct, structs

_FLAPPING = timedelta(hours=1)
_MOST_DOUBLINGS = 4


class Steadiness(Struct, frozen=True, kw_only=True):
    """What is known of one check.

    Fields:
        fails, successes: In a row, the one or the other.
        turned_at: When the row began.
        down_since: None while it is up.
        ended_at: When the last outage ended.
        outages: How many began within an hour of the one before.
    """

    fails: int = 0
    successes: int = 0
    turned_at: datetime | None = None
    down_since: datetime | None = None
    ended_at: datetime | None = None
    outages: int = 0

    def after(self, at: datetime, *, good: bool, down_after: int, up_after: int) -> "Steadiness":
        """Return what is known after one more check."""
        return self._good(at, up_after) if good else self._bad(at, down_after)

    def _bad(self, at: datetime, down_after: int) -> "Steadiness":
        turned = self.turned_at if self.fails and self.turned_at else at
        after = structs.replace(self, fails=self.fails + 1, successes=0, turned_at=turned)
        if self.down_since is not None or after.fails < down_after:
            return after
        again = self.ended_at is not None and turned - self.ended_at <= _FLAPPING
        return structs.replace(after, down_since=turned, outages=self.outages + 1 if again else 1)

    def _good(self, at: datetime, up_after: int) -> "Steadiness":
        turned = self.turned_at if self.successes and self.turned_at else at
        after = structs.replace(self, fails=0, successes=self.successes + 1, turned_at=turned)
        asked = up_after * 2 ** min(max(self.outages - 1, 0), _MOST_DOUBLINGS)
        if self.down_since is None or after.successes < asked:
            return after
        return structs.replace(after, down_since=None, ended_at=turned)
