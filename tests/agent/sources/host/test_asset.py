import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from pathlib import Path
from typing import Any

from agent.clock import host_clock
from agent.sources.host.asset import Asset, AssetSettings, DeclaredAsset

Watching = Callable[..., AbstractAsyncContextManager[Any]]


def services(body: dict[str, Any]) -> dict[tuple[str, int], str | None]:
    return {(one["protocol"], one["port"]): one["process"] for one in body["listening_services"]}


async def test_the_host_is_told_with_what_it_was_declared_to_be() -> None:
    portal = DeclaredAsset(id="portal", name="门户网站", mlps_grade=3, filing_number="11010199001-00001")
    (report,) = (
        await Asset(AssetSettings(unit="district", assets=(portal,))).once(host_clock().now())
    ).observations

    assert report.kind == "asset"
    assert report.body["host_name"] == socket.gethostname()
    assert report.body["unit"] == "district"
    assert report.body["assets"] == [
        {
            "id": "portal",
            "name": "门户网站",
            "mlps_grade": 3,
            "filing_number": "11010199001-00001",
            "classified": False,
        }
    ]
    assert "127.0.0.1" in {one["address"] for one in report.body["addresses"]}


async def test_a_listening_service_is_told_with_its_process_and_not_its_pid() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        (report,) = (await Asset().once(host_clock().now())).observations
    (row,) = [one for one in report.body["listening_services"] if one["port"] == port]

    assert row["protocol"] == "tcp"
    assert row["address"] == "127.0.0.1"
    assert row["process"]
    assert "pid" not in row


async def test_a_udp_port_of_a_client_is_no_service() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        service.bind(("127.0.0.1", 20514))
        client.bind(("127.0.0.1", 40514))
        (report,) = (await Asset().once(host_clock().now())).observations

    assert ("udp", 20514) in services(report.body)
    assert ("udp", 40514) not in services(report.body)


async def test_a_new_service_is_told_and_an_unchanged_host_is_not(watching: Watching) -> None:
    async with watching(Asset(AssetSettings(poll=0.05))) as heard:
        await heard.until(lambda one: one.kind == "asset")
        with socket.create_server(("127.0.0.1", 0)) as server:
            wanted = ("tcp", server.getsockname()[1])
            await heard.until(lambda one: one.kind == "asset" and wanted in services(one.body))
        bodies = [one.body for one in heard.heard]

        assert all(before != after for before, after in pairwise(bodies))


async def test_an_empty_root_is_an_unknown_host_and_no_crash(tmp_path: Path) -> None:
    (report,) = (await Asset(root=tmp_path).once(host_clock().now())).observations

    assert report.body["os_release"]["family"] == "unknown"
    assert report.body["machine_id"] is None


async def test_a_release_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").symlink_to("os-release")
    reading = await Asset(root=tmp_path).once(host_clock().now())

    assert "os release" in {one.what for one in reading.unreadable}
    assert reading.observations[0].body["os_release"] is None
