import io
import struct
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.capture.pcap import MAX_FRAME, Frame, PcapError, frames

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.layers.l2 import Ether
    from scapy.utils import PcapNgWriter, PcapWriter

AT = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


def classic(*packets: bytes, order: str = "<", magic: int = 0xA1B2C3D4, fraction: int = 5) -> bytes:
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    seconds = int(AT.timestamp())
    return head + b"".join(
        struct.pack(order + "4I", seconds, fraction, len(one), len(one)) + one for one in packets
    )


def block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


SECTION = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(link: int, options: bytes = b"") -> bytes:
    return block(1, struct.pack("<HHI", link, 0, 0) + options)


def packet(number: int, ticks: int, data: bytes) -> bytes:
    return block(6, struct.pack("<5I", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)) + data)


def read(data: bytes) -> list[Frame]:
    return list(frames(io.BytesIO(data)))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "fraction"), [(0xA1B2C3D4, 500_000), (0xA1B23C4D, 500_000_000)])
def test_a_classic_file_is_read_in_both_orders_and_both_clocks(order: str, magic: int, fraction: int) -> None:
    found = read(classic(b"one", b"two", order=order, magic=magic, fraction=fraction))

    assert [(one.number, one.link, one.data) for one in found] == [(1, 1, b"one"), (2, 1, b"two")]
    assert found[0].at == AT.replace(microsecond=500_000)


def test_a_pcapng_file_is_read_with_the_clock_of_each_interface() -> None:
    nanoseconds = struct.pack("<HHB3x", 9, 1, 9)
    halves = struct.pack("<HHB3x", 9, 1, 0x81)
    seconds = int(AT.timestamp())
    data = SECTION + interface(1) + interface(101, nanoseconds) + interface(113, halves)
    data += packet(0, seconds * 10**6, b"one") + block(5, b"statistics") + packet(1, seconds * 10**9, b"two")
    data += packet(2, seconds * 2 + 1, b"three") + block(3, struct.pack("<I", 4) + b"four")

    assert [(one.number, one.link, one.data) for one in read(data)] == [
        (1, 1, b"one"),
        (2, 101, b"two"),
        (3, 113, b"three"),
        (4, 1, b"four"),
    ]
    assert [one.at for one in read(data)] == [AT, AT, AT.replace(microsecond=500_000), None]


def test_what_scapy_writes_is_read(tmp_path: Path) -> None:
    for writer, name in ((PcapWriter, "a.pcap"), (PcapNgWriter, "a.pcapng")):
        with writer(str(tmp_path / name)) as out:
            out.write(Ether(b"x" * 60))
        with (tmp_path / name).open("rb") as file:
            (found,) = frames(file)

        assert (found.link, found.data) == (1, b"x" * 60)


@pytest.mark.parametrize(
    ("data", "why", "before"),
    [
        (b"", "nothing", 0),
        (b"GIF89a", "47494638", 0),
        (classic()[:10], "too early", 0),
        (classic(b"one") + b"\0" * 7, "within its header", 1),
        (classic(b"one", b"two")[:-1], "1 bytes too early", 1),
        (classic(b"one") + struct.pack("<4I", 0, 0, MAX_FRAME + 1, 0), "damaged", 1),
        (SECTION + packet(0, 0, b""), "interface 0", 0),
        (SECTION + b"\1\0\0\0\xff\xff\xff\xff", "damaged", 0),
        (SECTION + interface(1) * 1025, "more than 1024", 0),
        (SECTION + interface(1) + packet(0, 0, b"one") + b"\6\0", "within a block", 1),
        (SECTION + interface(1) + block(6, struct.pack("<5I", 0, 0, 0, 999, 999)), "damaged", 0),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "byte order", 0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_damaged_file_gives_what_stands_before_the_damage(data: bytes, why: str, before: int) -> None:
    found: list[Frame] = []
    with pytest.raises(PcapError, match=why):
        found += frames(io.BytesIO(data))

    assert len(found) == before


@given(st.one_of(st.binary(max_size=400), st.binary(max_size=200).map(lambda rest: classic(b"one") + rest)))
def test_any_file_ends(data: bytes) -> None:
    try:
        assert len(read(data)) <= len(data)
    except PcapError as error:
        assert str(error)  # noqa: PT017 - both ends are right


@given(st.lists(st.tuples(st.integers(0, 7), st.binary(max_size=40)), max_size=6))
def test_any_blocks_end(blocks: list[tuple[int, bytes]]) -> None:
    data = SECTION + interface(1) + b"".join(block(kind, body) for kind, body in blocks)
    try:
        assert len(read(data)) <= len(blocks)
    except PcapError as error:
        assert str(error)  # noqa: PT017 - likewise
