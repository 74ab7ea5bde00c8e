"""The port: the verbs that change a host, or look into its packets."""

from typing import Protocol

from .capture import Captured, Wanted


class ForbiddenError(PermissionError):
    """What is never done on this node, whoever asks."""


class Powers(Protocol):
    """The fixed verbs. Each blocks its thread; each done twice leaves what doing it once leaves."""

    def block(self, address: str, seconds: int, *, dry_run: bool = False) -> bool:
        """Drop what goes to and comes from an address or network; False: it was blocked as long already.

        In a dry run the kernel judges it, and nothing is done: what fails then would fail in earnest.

        Raises:
            ForbiddenError: it touches what is never blocked.
            FirewallError: the kernel or `nft` refused.
        """
        ...

    def unblock(self, address: str) -> bool:
        """End a block; False: there was none."""
        ...

    def isolate(self, seconds: int, *, dry_run: bool = False) -> bool:
        """Let through the collectors alone; False: it was isolated as long already.

        Raises:
            ForbiddenError: what has to stay reachable can't be found out.
            FirewallError: the kernel or `nft` refused.
        """
        ...

    def refresh(self) -> bool:
        """Find out anew what is never blocked and what isolation lets through; False: nothing stands."""
        ...

    def holds(self) -> bool:
        """Whether the kernel has our table; False: nothing was blocked since its boot, or all was flushed.

        Raises:
            FirewallError: it can't be found out.
        """
        ...

    def release(self) -> bool:
        """End an isolation; False: there was none."""
        ...

    def stop(self, pid: int, program: str, *, asked_ago: float = 0.0, dry_run: bool = False) -> str:
        """End a process that runs `program`: `ended`, `killed` or `gone` (`running` in a dry run).

        Args:
            pid: Its number.
            program: Path of what it runs.
            asked_ago: Seconds since it was asked for; one that began since is another.
            dry_run: Only look.

        Raises:
            ForbiddenError: it is the agent's own, the first, or another that got its number.
        """
        ...

    def capture(self, wanted: Wanted) -> Captured:
        """Return the packets of a while as a pcap file."""
        ...
