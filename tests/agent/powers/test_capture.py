"""A slice of traffic, of what was asked for alone, as a file that others read."""

from __future__ import annotations

import io
import itertools
import os
import socket
import threading

import pytest
from scapy.layers.inet import UDP
from scapy.utils import RawPcapReader

from agent.powers.capture import Wanted, capture

# One loopback, which brings what one test sent to the next one late: each has a port of its own.
pytestmark = [pytest.mark.root, pytest.mark.xdist_group("loopback-capture")]


@pytest.fixture(autouse=True)
def _root() -> None:
    if os.geteuid():
        pytest.skip("needs root")


def captured(wanted: Wanted, payloads: list[bytes], port: int) -> tuple[list[bytes], str]:
    """Send datagrams over loopback while looking; the clock ends the look once they were sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        ticks = itertools.count()

        def steady() -> float:
            tick = next(ticks)
            if tick == 1:
                for payload in payloads:
                    sender.sendto(payload, ("127.0.0.1", port))
            return 0.0 if tick < 2 + 2 * len(payloads) else 1e9

        found = capture(wanted, lambda: 1_772_413_800.5, steady)
    assert found.packets == len(packets(found.pcap))
    return packets(found.pcap), found.ended_by


def packets(pcap: bytes) -> list[bytes]:
    with RawPcapReader(io.BytesIO(pcap)) as reader:
        assert reader.linktype == 113
        return [data for data, _ in reader]


def wanted(**changes: object) -> Wanted:
    plain = {"seconds": 5, "packet_bytes": 256, "most_bytes": 100_000, "interface": "lo", "port": 45123}
    return Wanted(**(plain | changes))  # type: ignore[arg-type]


def test_what_was_asked_for_is_kept_and_other_software_reads_it() -> None:
    found, ended_by = captured(wanted(), [b"beacon"], 45123)

    assert ended_by == "time"
    assert len(found) == 2  # loopback shows each going out and coming in
    assert all(data.endswith(b"beacon") for data in found)
    assert UDP(found[0][16 + 20 :]).dport == 45123


def test_packets_are_cut_to_the_asked_length() -> None:
    found, _ = captured(wanted(packet_bytes=64, port=45125), [b"x" * 1000], 45125)

    assert {len(data) for data in found} == {16 + 64}


def test_the_file_never_grows_beyond_its_bound() -> None:
    found, ended_by = captured(wanted(most_bytes=400, port=45127), [b"x" * 100] * 10, 45127)

    assert ended_by == "bytes"
    assert 24 + sum(len(data) + 16 for data in found) <= 400


def test_what_was_not_asked_for_never_comes_out_of_the_kernel() -> None:
    assert captured(wanted(port=45128), [b"other"], 45129)[0] == []
    assert captured(wanted(address="198.51.100.0/24", port=45131), [b"other"], 45131)[0] == []


def test_a_missing_interface_is_an_error() -> None:
    with pytest.raises(OSError, match="No such device"):
        capture(wanted(interface="none0"), lambda: 0.0, lambda: 0.0)


def test_looking_ends_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.powers.capture._LOOK_SECONDS", 0.01)
    before = threading.active_count()

    capture(wanted(port=1), lambda: 0.0, iter([0.0, 0.0, 1e9]).__next__)

    assert threading.active_count() == before
