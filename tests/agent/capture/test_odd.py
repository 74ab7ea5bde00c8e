import io
import struct
import warnings

import pytest

from agent.capture.odd import Dissector, answer, main

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.layers.dot11 import Dot11
    from scapy.layers.inet import IP, TCP
    from scapy.layers.l2 import ARP, LLC, SNAP

WIFI = 105
PACKET = IP(src="203.0.113.9", dst="10.1.1.5") / TCP(dport=22)
FRAME = bytes(Dot11(type=2, FCfield="to_DS") / LLC() / SNAP() / PACKET)


def test_the_packet_in_a_frame_of_wireless_is_found_by_the_child() -> None:
    with Dissector() as dissector:
        protocol, packet = dissector.network(WIFI, FRAME)
        again = dissector.network(WIFI, bytes(Dot11(type=2) / LLC() / SNAP() / ARP()))

    assert (protocol, packet[:1], packet[9:20]) == (0x0800, b"\x45", bytes(PACKET)[9:20])
    assert again[0] == 0x0806


def test_a_child_that_ends_is_replaced_and_not_for_ever() -> None:
    with Dissector() as dissector:
        for _ in range(4):
            dissector.network(WIFI, FRAME)
            assert dissector._child is None or dissector._ends < 3
            if dissector._child:
                dissector._child.kill()
                dissector._child.wait()
        assert dissector._ends <= 3


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("link", "frame"), [(65000, b"x"), (WIFI, b""), (WIFI, b"\xff" * 40)])
def test_what_holds_nothing_we_know_is_nothing(link: int, frame: bytes) -> None:
    assert answer(link, frame) == (0, b"")


@pytest.mark.filterwarnings("ignore")
def test_the_child_answers_frame_by_frame_until_its_input_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.setrlimit", lambda *_: None)
    asked = b"".join(struct.pack("=II", link, len(FRAME)) + FRAME for link in (WIFI, 65000))
    out = io.BytesIO()

    assert main(io.BytesIO(asked), out) == 0
    protocol, length = struct.unpack_from("=HI", out.getvalue())
    assert protocol == 0x0800
    assert out.getvalue()[6 + length :] == struct.pack("=HI", 0, 0)
