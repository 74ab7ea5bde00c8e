"""The kernel names every program that begins, and damaged bytes are an error."""

import os
import struct
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.netlink.message import HEADER, NetlinkError
from agent.netlink.proc_events import EXEC, ProcEvents, started

CONNECTOR = struct.Struct("=IIIIHH")


def message(what: int, body: bytes) -> bytes:
    event = struct.pack("=IIQ", what, 0, 0) + body
    payload = CONNECTOR.pack(1, 1, 0, 0, len(event), 0) + event
    return HEADER.pack(HEADER.size + len(payload), 3, 0, 0, 0) + payload


def test_of_all_events_only_the_begun_programs_are_told() -> None:
    fork = message(0x00000001, struct.pack("=IIII", 1, 1, 2, 2))

    assert started(fork + message(EXEC, struct.pack("=II", 7, 7))) == [7]


@pytest.mark.parametrize("datagram", [b"\x01", message(EXEC, b"")[:-1], message(EXEC, b"\x01")])
def test_damaged_bytes_are_an_error(datagram: bytes) -> None:
    with pytest.raises(NetlinkError):
        started(datagram)


@given(data=st.binary(max_size=200))
def test_no_bytes_are_more_than_refused(data: bytes) -> None:
    with suppress(NetlinkError):
        started(data)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="process events need root")
def test_a_program_that_lives_for_a_moment_is_named() -> None:
    with ProcEvents() as events:
        child = subprocess.Popen([sys.executable, "-c", ""])
        seen: set[int] = set()
        until = time.monotonic() + 10
        while child.pid not in seen and time.monotonic() < until:
            seen |= set(events.read(0.2))
        child.wait()

    assert child.pid in seen
