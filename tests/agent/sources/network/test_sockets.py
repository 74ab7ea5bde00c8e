import os
import socket
import subprocess
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from agent.clock import host_clock
from agent.netlink.inet_diag import CLOSE_WAIT, ESTABLISHED, Socket
from agent.sources.network.sockets import Ledger, Sockets, SocketsSettings

Watching = Callable[..., AbstractAsyncContextManager[Any]]
OwnNetwork = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
T = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
TALK = Socket("tcp", ESTABLISHED, "10.0.0.5", 40000, "203.0.113.9", 443, 0, 33, 77)
OWNERS = {77: {"pid": 9, "name": "php-fpm", "program": "/usr/sbin/php-fpm", "uid": 33}}


def told(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def later(one: Socket, **fields: Any) -> Socket:  # noqa: ANN401 - fields of a socket
    return msgspec.structs.replace(one, **fields)


def test_connections_of_one_process_to_one_place_are_one_row_with_their_number() -> None:
    ledger = Ledger()
    assert ledger.note([TALK, later(TALK, local_port=40001)], OWNERS, T) is True
    (row,) = ledger.rows()

    assert (row["process"], row["pid"], row["remote_address"]) == ("php-fpm", 9, "203.0.113.9")
    assert (row["count"], row["open"], row["first_seen"]) == (2, True, "2026-03-02T01:10:00Z")


def test_a_talk_that_goes_on_is_no_news_and_moves_last_seen() -> None:
    ledger = Ledger()
    ledger.note([TALK], OWNERS, T)

    assert ledger.unknown([TALK]) == set()
    assert ledger.note([TALK], {}, T + timedelta(seconds=30)) is False
    assert ledger.rows()[0]["last_seen"] == "2026-03-02T01:10:30Z"
    assert ledger.rows()[0]["process"] == "php-fpm"


def test_a_talk_that_ended_is_told_once_and_then_forgotten() -> None:
    ledger = Ledger()
    ledger.note([TALK], OWNERS, T)
    assert ledger.note([], {}, T + timedelta(seconds=30)) is True
    (row,) = ledger.rows()
    assert (row["open"], row["last_seen"]) == (False, "2026-03-02T01:10:00Z")
    ledger.forget_ended()

    assert ledger.rows() == []
    assert ledger.note([], {}, T + timedelta(seconds=60)) is False


def test_a_connection_that_is_closing_stays_with_the_row_it_belongs_to() -> None:
    ledger = Ledger()
    ledger.note([TALK], OWNERS, T)
    closing = later(TALK, state=CLOSE_WAIT, inode=0, uid=0)
    assert ledger.note([closing], {}, T + timedelta(seconds=30)) is True
    (row,) = ledger.rows()

    assert (row["process"], row["count"], row["open"]) == ("php-fpm", 1, False)


def test_a_talk_shorter_than_a_look_is_seen_while_its_connection_lingers() -> None:
    ledger = Ledger()

    assert ledger.note([later(TALK, state=6, inode=0)], {}, T) is True
    (row,) = ledger.rows()
    assert (row["process"], row["count"], row["open"]) == (None, 1, False)


async def test_what_stays_inside_is_not_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        (report,) = (await Sockets().once(host_clock().now())).observations

    assert "127.0.0.1" not in {row["remote_address"] for row in report.body["connections"]}


@pytest.mark.root
def test_a_talk_to_the_outside_agrees_with_ss_and_is_told_with_its_process(
    own_network: OwnNetwork, watching: Watching
) -> None:
    async def scene() -> None:
        for address in ("203.0.113.5/32", "10.1.1.5/32"):
            told("ip", "addr", "add", address, "dev", "lo")
        with (
            socket.create_server(("203.0.113.5", 0)) as far,
            socket.create_server(("10.1.1.5", 0)) as near,
            socket.create_connection(near.getsockname()),
        ):
            async with watching(Sockets(SocketsSettings(poll=0.1))) as heard:
                await heard.until(lambda one: one.kind == "sockets")
                with socket.create_connection(far.getsockname()):
                    report = await heard.until(lambda one: one.body["connections"])
                    lines = told("ss", "-tnH", "state", "established", "dst", "203.0.113.5").splitlines()
                    ours = {
                        (row["local_address"], f"{row['remote_address']}:{row['remote_port']}")
                        for row in report.body["connections"]
                    }
                    theirs = {(line.split()[2].rsplit(":", 1)[0], line.split()[3]) for line in lines}
                    assert f"203.0.113.5:{far.getsockname()[1]}" in {remote for _, remote in ours & theirs}
                    assert os.getpid() in {row["pid"] for row in report.body["connections"]}
                    assert not {row for row in ours if row[1].startswith("10.")}
                await heard.until(
                    lambda one: (
                        one.body["connections"] and not any(r["open"] for r in one.body["connections"])
                    )
                )

    own_network(scene)


def test_a_hundred_thousand_connections_are_bounded_in_rows_and_cost_no_stall() -> None:
    ledger = Ledger()
    many = [
        later(TALK, local_port=n % 60_000, remote_address=f"198.{n >> 16}.{n >> 8 & 255}.{n & 255}")
        for n in range(100_000)
    ]
    began = time.process_time()
    assert ledger.note(many, {}, T) is True
    assert ledger.note(many, {}, T) is False

    assert len(ledger.rows()) == 10_000
    assert time.process_time() - began < 5
