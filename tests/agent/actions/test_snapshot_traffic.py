"""A slice of traffic in evidence."""

from base64 import b64decode

from agent.actions.snapshot_traffic import SnapshotTraffic
from agent.powers import Wanted
from tests.agent.actions.asking import Noted, asked


def test_the_file_comes_as_evidence_and_says_what_is_in_it() -> None:
    powers = Noted()
    order = asked("snapshot_traffic", seconds=20, interface="eth0", port=53, packet_bytes=96)

    finished = SnapshotTraffic(powers, 4096).carry_out(order)

    assert powers.did == [("capture", Wanted(20, 96, 4096, "eth0", None, 53))]
    manifest, piece = finished.evidence
    assert (manifest["name"], manifest["size"], b64decode(piece["data"])) == ("traffic.pcap", 4, b"pcap")
    assert manifest["items"] == ["3 packets of eth0, 1 dropped, ended by time"]


def test_it_never_looks_beyond_the_orders_deadline() -> None:
    powers = Noted()

    SnapshotTraffic(powers, 4096).carry_out(asked("snapshot_traffic", seconds=300))

    assert powers.did[0][1].seconds == 59


def test_a_dry_run_looks_at_nothing() -> None:
    powers = Noted()

    finished = SnapshotTraffic(powers, 4096).carry_out(asked("snapshot_traffic", dry_run=True))

    assert finished.detail == {"would": "capture", "seconds": 30, "most_bytes": 4096}
    assert powers.did == []
