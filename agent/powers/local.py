"""The verbs done by this process itself; what is never blocked is looked up here, last."""

import time
from collections.abc import Callable
from ipaddress import ip_network

from . import processes
from .capture import Captured, Wanted, capture
from .firewall import Firewall
from .never import Never


class Local:
    """Powers of this process; it needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_KILL for them."""

    def __init__(
        self, never: Callable[[], Never], now: Callable[[], float], firewall: Firewall | None = None
    ) -> None:
        """Take what finds out what is never blocked, and the wall clock in seconds."""
        self._never = never
        self._now = now
        self._firewall = firewall or Firewall()

    def block(self, address: str, seconds: int, *, dry_run: bool = False) -> bool:
        """See `Powers.block`."""
        never = self._never()
        never.check(ip_network(address))
        return self._firewall.block(ip_network(address), seconds, never.guard, dry_run=dry_run)

    def unblock(self, address: str) -> bool:
        """See `Powers.unblock`."""
        return self._firewall.unblock(ip_network(address))

    def isolate(self, seconds: int, *, dry_run: bool = False) -> bool:
        """See `Powers.isolate`."""
        return self._firewall.isolate(seconds, self._never().guard, dry_run=dry_run)

    def refresh(self) -> bool:
        """See `Powers.refresh`."""
        return self._firewall.refresh(self._never().guard)

    def holds(self) -> bool:
        """See `Powers.holds`."""
        return self._firewall.holds()

    def release(self) -> bool:
        """See `Powers.release`."""
        return self._firewall.release()

    def stop(self, pid: int, program: str, *, asked_ago: float = 0.0, dry_run: bool = False) -> str:
        """See `Powers.stop`."""
        return processes.stop(pid, program, asked_ago=asked_ago, dry_run=dry_run)

    def capture(self, wanted: Wanted) -> Captured:
        """See `Powers.capture`."""
        return capture(wanted, self._now, time.monotonic)
