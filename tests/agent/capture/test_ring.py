import os
import struct
from collections.abc import Callable
from typing import Any

import pytest

from agent.bpf import Assembler
from agent.capture.ring import Ring
from agent.capture.sieve import interesting, nothing

pytestmark = pytest.mark.root
OnAWire = Callable[[Callable[[Any], None]], None]
ALL = Assembler().accept(65535).code()


def arrived(ring: Ring) -> int:
    return sum(block.packets for block in ring.ready())


def collected(ring: Ring, wanted: int) -> int:
    """Packets of the ring until they are as many as wanted, or two seconds are over."""
    found = 0
    for _ in range(20):
        ring.wait(100)
        found += arrived(ring)
        if found >= wanted:
            break
    return found


def test_every_packet_of_many_blocks_is_given_once(on_a_wire: OnAWire) -> None:
    def body(wire: Any) -> None:  # noqa: ANN401 - the fixture's wire
        with Ring("fsfar", 1, ALL) as ring:
            found = 0
            for _ in range(20):
                wire.send(*([bytes(12) + b"\x88\xb5" + bytes(1000)] * 100))
                found += collected(ring, 100)

            assert found == 2000
            assert ring.statistics() == (2000, 0)
            assert ring.statistics() == (0, 0)

    on_a_wire(body)


def test_what_finds_no_room_is_counted(on_a_wire: OnAWire) -> None:
    def body(wire: Any) -> None:  # noqa: ANN401 - the fixture's wire
        with Ring("fsfar", 1, ALL) as ring:
            wire.send(*([bytes(12) + b"\x88\xb5" + bytes(1400)] * 2000))
            seen, lost = ring.statistics()

            assert seen + lost == 2000
            assert lost > 500

    on_a_wire(body)


def test_the_kernel_drops_what_the_filter_refuses_and_another_can_take_its_place(on_a_wire: OnAWire) -> None:
    def body(wire: Any) -> None:  # noqa: ANN401 - the fixture's wire
        arp = b"\xff" * 6 + bytes(6) + b"\x08\x06" + bytes(28)
        other = bytes(12) + b"\x88\xb5" + bytes(50)
        with Ring("fsfar", 1, interesting()) as ring:
            wire.send(arp, other, other)
            assert collected(ring, 1) == 1
            ring.attach(nothing())
            wire.send(arp)
            ring.attach(ALL)
            wire.send(other)
            assert collected(ring, 1) == 1

    on_a_wire(body)


def test_waiting_ends_when_another_descriptor_has_something(on_a_wire: OnAWire) -> None:
    def body(_: Any) -> None:  # noqa: ANN401 - the fixture's wire
        near, far = os.pipe()
        with Ring("", 1, ALL) as ring:
            assert not ring.wait(1, near)
            os.write(far, b"x")
            assert ring.wait(10_000, near)
        os.close(near)
        os.close(far)

    on_a_wire(body)


def test_an_interface_that_is_not_there_is_an_error_and_leaves_nothing_open(on_a_wire: OnAWire) -> None:
    def body(_: Any) -> None:  # noqa: ANN401 - the fixture's wire
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting, no paths
        with pytest.raises(OSError, match="No such device"):
            Ring("nowhere", 1, ALL)
        assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - likewise

    on_a_wire(body)


def test_a_block_begins_where_its_header_says(on_a_wire: OnAWire) -> None:
    def body(wire: Any) -> None:  # noqa: ANN401 - the fixture's wire
        with Ring("fsfar", 1, ALL) as ring:
            wire.send(bytes(12) + b"\x88\xb5" + b"payload" + bytes(40))
            ring.wait(2000)
            (block,) = ring.ready()
            kept, data = struct.unpack_from("=I10xH", ring.memory, block.first + 12)
            packet = bytes(ring.memory[block.first + data : block.first + data + kept])

            assert packet == b"payload" + bytes(40)

    on_a_wire(body)
