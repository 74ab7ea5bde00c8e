import doctest
import io
import os
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from agent.bpf import Assembler
from agent.capture import child, sieve
from agent.capture.child import WRONG, Capture, Job, main
from agent.capture.ring import Ring
from agent.clock import host_clock
from agent.detection.arp import ArpSettings
from agent.detection.traffic import TrafficSettings


def test_the_purse_is_as_its_example_says() -> None:
    assert doctest.testmod(child).attempted
    assert doctest.testmod(child).failed == 0


def test_what_can_not_be_captured_is_one_sentence_and_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child.resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(child.os, "nice", lambda _: 0)
    said: list[str] = []
    job = io.BytesIO(msgspec.json.encode(Job(interface="nowhere")) + b"\n")

    assert main(job, 1, said.append) == WRONG
    assert said[0].startswith("nowhere: ")
    assert "CAP_NET_RAW" in said[0]


@pytest.mark.root
def test_who_takes_more_than_its_share_rests_and_says_so(on_a_wire: Callable[[Any], None]) -> None:
    """A share of next to nothing, over a window of next to nothing: the first step overdraws it."""
    lines: list[bytes] = []

    def body(wire: Any) -> None:  # noqa: ANN401 - the fixture's wire
        job = Job(interface="fsfar", ring_megabytes=1, cpu_share=1e-9, window=0.001, cool_down=3600.0)
        stop, end = os.pipe()
        told = threading.Event()

        def write(line: bytes) -> None:
            lines.append(line)
            told.set()

        with Ring("fsfar", 1, sieve.interesting()) as ring:
            threading.Thread(target=lambda: (told.wait(10), os.close(end)), daemon=True).start()
            Capture(job, ring, write).run(stop, host_clock().now)
            wire.send(b"\xff" * 6 + bytes(6) + b"\x08\x06" + bytes(28))
            assert ring.statistics() == (0, 0)
        os.close(stop)

    on_a_wire(body)
    found = [msgspec.json.decode(line) for line in lines]
    (gap,) = [one["told"]["body"] for one in found if "told" in one]
    assert gap["why"].startswith("overdrawn")
    assert found[-1]["status"]["lost"] == 0


@pytest.mark.root
def test_an_address_that_goes_between_this_hosts_cards_is_not_told_and_a_strangers_is(
    on_a_wire: Callable[[Any], None],
) -> None:
    """What a bond of this host in mode balance-alb does, seen on its own links."""
    lines: list[bytes] = []
    cards = [bytes([2, 0, 0, 0, 0, number]) for number in (1, 2)]
    bond, spoofed = bytes([10, 1, 1, 5]), bytes([10, 1, 1, 1])

    def claim(address: bytes, mac: bytes) -> bytes:
        head = b"\0\x01\x08\0\x06\x04\0\2"
        return b"\xff" * 6 + mac + b"\x08\x06" + head + mac + address + bytes(6) + address

    def body(wire: Any) -> None:  # noqa: ANN401 - the fixture's wire
        stop, end = os.pipe()
        os.close(end)
        job = Job(interface="fsfar", ring_megabytes=1, traffic=TrafficSettings(arp=ArpSettings(changes=1)))
        with Ring("fsfar", 1, sieve.interesting()) as ring:
            for mac in cards:
                wire.send(claim(bond, mac), claim(spoofed, mac if mac == cards[0] else b"\2\0\0\0\0\7"))
            ring.wait(5000)
            Capture(job, ring, lines.append, lambda: frozenset(cards)).run(stop, host_clock().now)
        os.close(stop)

    on_a_wire(body)
    told = [one["told"]["body"] for line in lines if "told" in (one := msgspec.json.decode(line))]
    assert [body["key"] for body in told] == ["arp:10.1.1.1"]


@pytest.mark.root
def test_a_rest_that_an_earlier_child_began_goes_on(on_a_wire: Callable[[Any], None]) -> None:
    lines: list[bytes] = []

    def body(wire: Any) -> None:  # noqa: ANN401 - the fixture's wire
        job = Job(interface="fsfar", ring_megabytes=1, rest=3600.0)
        stop, end = os.pipe()

        def write(line: bytes) -> None:
            lines.append(line)
            if len(lines) == 1:
                wire.send(b"\xff" * 6 + bytes(6) + b"\x08\x06" + bytes(28))
                os.close(end)

        with Ring("fsfar", 1, sieve.interesting()) as ring:
            Capture(job, ring, write).run(stop, host_clock().now)
        os.close(stop)

    on_a_wire(body)
    status = [msgspec.json.decode(line)["status"] for line in lines]
    assert [(one["resting"], one["packets"]) for one in status] == [(True, 0), (True, 0)]


@pytest.mark.root
def test_packets_the_kernel_had_no_room_for_are_a_gap_and_an_incident(
    on_a_wire: Callable[[Any], None],
) -> None:
    lines: list[bytes] = []

    def body(wire: Any) -> None:  # noqa: ANN401 - the fixture's wire
        stop, end = os.pipe()
        os.close(end)
        with Ring("fsfar", 1, Assembler().accept(65535).code()) as ring:
            wire.send(*([bytes(12) + b"\x88\xb5" + bytes(1400)] * 2000))
            Capture(Job(interface="fsfar"), ring, lines.append).run(stop, host_clock().now)
        os.close(stop)

    on_a_wire(body)
    told = [one["told"] for line in lines if "told" in (one := msgspec.json.decode(line))]
    assert [one["kind"] for one in told] == ["gap", "incident"]
    assert told[0]["body"]["count"] > 500
    assert (told[1]["body"]["key"], told[1]["body"]["class"]) == ("packets:loss", "DETECH")
