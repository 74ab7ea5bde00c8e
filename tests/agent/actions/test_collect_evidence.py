import hashlib
import os
import socket
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from cryptography.hazmat.primitives.hashes import SM3, Hash

from agent.actions import Asked, CollectEvidence, Finished, Node, build
from agent.settings import LogFile, OrdersSettings, Pushed
from tests.agent.actions.asking import Noted
from wire.messages import Order
from wire.orders import read_params
from wire.vocabulary import OrderKind

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


def order(*, dry_run: bool = False, **params: object) -> Asked:
    asked = Order(
        id="o1",
        node="node-1",
        kind="collect_evidence",
        params=params,
        issued_at=NOW,
        deadline=NOW,
        dry_run=dry_run,
    )
    return Asked(asked, read_params("collect_evidence", params), NOW)


def document(finished: Finished) -> dict[str, Any]:
    manifest, *chunks = finished.evidence
    data = b"".join(b64decode(chunk["data"]) for chunk in chunks)
    sm3 = Hash(SM3())
    sm3.update(data)
    assert manifest["size"] == len(data)
    assert manifest["sha256"] == hashlib.sha256(data).hexdigest()
    assert manifest["sm3"] == sm3.finalize().hex()
    assert manifest["chunks"] == len(chunks) == chunks[-1]["chunk"] + 1
    assert all(len(chunk["data"]) <= 128 * 1024 for chunk in chunks)
    decoded: dict[str, Any] = msgspec.json.decode(data)
    return decoded


def test_only_what_the_settings_allow_can_be_ordered(tmp_path: Path) -> None:
    node = Node(
        powers=Noted(),
        sources=(),
        restart=lambda _: None,
        renew=lambda: None,
        pushed=Pushed(tmp_path),
        check=lambda _: None,
        reload=lambda: None,
    )
    assert list(build(OrdersSettings(), node)) == ["collect_evidence"]
    assert build(OrdersSettings(allow=()), node) == {}
    assert set(build(OrdersSettings(allow=get_args(OrderKind)), node)) == set(get_args(OrderKind))


def test_evidence_holds_sockets_processes_and_routes_and_proves_itself_by_both_digests() -> None:
    finished = CollectEvidence((), 1024 * 1024).carry_out(order())

    taken = document(finished)["taken"]
    assert finished.detail["items"] == ["sockets", "processes", "routes"]
    assert os.getpid() in [row["pid"] for row in taken["processes"]]
    assert "lo" in [row.get("name") for row in taken["routes"] if row["table_of"] == "links"]
    parts = [row["table_of"] for row in taken["routes"]]
    assert list(dict.fromkeys(parts)) == ["links", "addresses", "rules", "routes"]
    widths = [
        int(row["destination"].rpartition("/")[2]) for row in taken["routes"] if row["table_of"] == "routes"
    ]
    assert widths == sorted(widths)


def test_a_listening_socket_is_in_the_evidence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        rows = document(CollectEvidence((), 1024 * 1024).carry_out(order(items=["sockets"])))["taken"][
            "sockets"
        ]

    assert (port, 10) in [(row["local_port"], row["state"]) for row in rows]


def test_the_end_of_a_log_is_quoted_by_its_name_and_what_was_left_out_is_counted(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_bytes(b"first\n" + b"x" * 100_000 + "\nlast 末行\xff".encode("latin-1", "replace") + b"\xff")
    action = CollectEvidence((LogFile(name="auth", path=str(log)),), 8192)

    found = document(action.carry_out(order(items=[])))

    assert found["taken"]["log:auth"].startswith("xxx")
    assert "last" in found["taken"]["log:auth"]
    assert found["cut"]["log:auth"] > 90_000


@pytest.mark.parametrize("asked", ["/etc/shadow", "../etc/shadow", "other"])
def test_a_log_that_the_settings_do_not_name_is_not_read_whatever_it_is_called(asked: str) -> None:
    found = document(CollectEvidence((), 65536).carry_out(order(items=[], logs=[asked])))

    assert found["taken"] == {}
    assert found["unreadable"][0]["what"] == f"log:{asked}"


def test_a_log_that_is_missing_or_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    logs = (
        LogFile(name="gone", path=str(tmp_path / "gone")),
        LogFile(name="pipe", path=str(tmp_path / "pipe")),
    )

    found = document(CollectEvidence(logs, 65536).carry_out(order(items=[])))

    assert [entry["what"] for entry in found["unreadable"]] == ["log:gone", "log:pipe"]


@pytest.mark.parametrize("most", [4096, 20_000, 300_000])
def test_evidence_is_never_larger_than_the_settings_say(tmp_path: Path, most: int) -> None:
    log = tmp_path / "log"
    log.write_bytes(bytes(range(256)) * 4000)
    action = CollectEvidence((LogFile(name="log", path=str(log)),), most)

    assert action.carry_out(order()).detail["size"] <= most


def test_a_dry_run_tells_what_would_be_collected_and_reads_nothing(tmp_path: Path) -> None:
    action = CollectEvidence((LogFile(name="gone", path=str(tmp_path / "gone")),), 65536)

    finished = action.carry_out(order(dry_run=True, items=["routes"]))

    assert finished == Finished({"would": "collect", "items": ["routes", "log:gone"]})
