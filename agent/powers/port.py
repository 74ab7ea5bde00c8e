"""The port: the verbs that change a host, or look into its packets."""

from typing import Protocol

from .capture import Captured, Wanted


class ForbiddenError(PermissionError):
    """What is never done on this node, whoever asks."""


class Powers(Protocol):
    """The fixed verbs. Each blocks its thread; each done twice leaves what doing it once leaves."""

    def check_block(self, address: str) -> None:
        """Find out whether an address may be blocked; raises `ForbiddenError`."""
        ...

    def block(self, address: str, seconds: int) -> bool:
        """Drop what goes to and comes from an address or network; False: it was blocked as long already.

        Raises:
            ForbiddenError: it touches what is never blocked.
            FirewallError: the kernel or `nft` refused.
        """
        ...

    def unblock(self, address: str) -> bool:
        """End a block; False: there was none."""
        ...

    def isolate(self, seconds: int) -> bool:
        """Let through the collectors alone; False: it was isolated as long already."""
        ...

    def release(self) -> bool:
        """End an isolation; False: there was none."""
        ...

    def stop(self, pid: int, program: str, *, dry_run: bool = False) -> str:
        """End a process that runs `program`: `ended`, `killed` or `gone` (`running` in a dry run).

        Raises:
            ForbiddenError: it is the agent's own, or the first.
        """
        ...

    def capture(self, wanted: Wanted) -> Captured:
        """Return the packets of a while as a pcap file."""
        ...
