"""Keeps a slice of the traffic as a pcap file in evidence, within what the node's own settings allow."""

from wire.orders import SnapshotTraffic as SnapshotParams
from wire.vocabulary import OrderKind

from ..powers import Powers, Wanted
from .packing import packed
from .port import Asked, Finished

NAME = "traffic.pcap"


class SnapshotTraffic:
    """The action `snapshot_traffic`."""

    kind: OrderKind = "snapshot_traffic"

    def __init__(self, powers: Powers, most_bytes: int) -> None:
        """Take the bytes a file may have."""
        self._powers = powers
        self._most = most_bytes

    def carry_out(self, asked: Asked) -> Finished:
        """Look for the asked seconds, but no longer than to the deadline, and pack what was seen."""
        params = asked.params
        assert isinstance(params, SnapshotParams)  # noqa: S101 - the kind's own struct
        seconds = min(params.seconds, int((asked.order.deadline - asked.at).total_seconds()) - 1)
        wanted = Wanted(
            seconds=max(1, seconds),
            packet_bytes=params.packet_bytes,
            most_bytes=self._most,
            interface=params.interface,
            address=params.address,
            port=params.port,
        )
        if asked.order.dry_run:
            return Finished({"would": "capture", "seconds": wanted.seconds, "most_bytes": self._most})
        taken = self._powers.capture(wanted)
        where = params.interface or "every interface"
        told = f"{taken.packets} packets of {where}, {taken.dropped} dropped, ended by {taken.ended_by}"
        return packed(asked.order.id, NAME, taken.pcap, [told])
