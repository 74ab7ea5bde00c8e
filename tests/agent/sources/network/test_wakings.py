import asyncio
import socket
import subprocess
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from agent.sources.network.wakings import _EAR_RESTS, Files, _hear, wakings

OwnNetwork = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
MASQUERADE = "table ip t { chain c { type nat hook postrouting priority 100; masquerade; }; }"


def host(root: Path) -> Path:
    (root / "etc/postfix").mkdir(parents=True)
    (root / "etc/resolv.conf").write_text("nameserver 10.0.0.1\n")
    return root


def do(*words: str, said: str = "") -> None:
    subprocess.run(words, input=said.encode(), check=True, capture_output=True)


@pytest.mark.parametrize("name", ["etc/resolv.conf", "etc/environment", "etc/postfix/main.cf"])
def test_a_file_that_names_a_way_out_is_heard(tmp_path: Path, name: str) -> None:
    files = Files(host(tmp_path))
    (tmp_path / name).write_text("changed\n")

    assert files.drain() is True
    assert files.drain() is False
    files.close()


def test_a_file_put_in_the_place_of_another_is_heard(tmp_path: Path) -> None:
    files = Files(host(tmp_path))
    (tmp_path / "etc/new").write_text("nameserver 8.8.8.8\n")
    assert files.drain() is False
    (tmp_path / "etc/new").rename(tmp_path / "etc/resolv.conf")

    assert files.drain() is True
    files.close()


def test_other_files_are_no_reason_to_look(tmp_path: Path) -> None:
    files = Files(host(tmp_path))
    (tmp_path / "etc/passwd").write_text("root:x:0:0\n")

    assert files.drain() is False
    files.close()


@pytest.mark.root
@pytest.mark.parametrize(
    "cause",
    [
        lambda: do("ip", "link", "add", "near", "type", "veth", "peer", "name", "far"),
        lambda: do("ip", "route", "add", "203.0.113.0/24", "dev", "lo"),
        lambda: do("nft", "-f", "-", said=MASQUERADE),
    ],
    ids=["link", "route", "translation"],
)
def test_the_kernel_wakes_it(tmp_path: Path, own_network: OwnNetwork, cause: Callable[[], None]) -> None:
    async def scene() -> None:
        with wakings(asyncio.get_running_loop(), host(tmp_path)) as heard:
            assert heard.deaf == {}
            await asyncio.to_thread(cause)
            async with asyncio.timeout(5):
                await heard.changed.wait()

    own_network(scene)


async def test_a_flood_wakes_it_a_bounded_number_of_times_and_the_first_event_at_once() -> None:
    loop, read = asyncio.get_running_loop(), []
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    near.setblocking(False)
    far.setblocking(False)

    def drain() -> None:
        read.append(loop.time())
        with suppress(BlockingIOError):
            while near.recv(9):
                pass

    end = _hear(loop, near, drain)
    begun = loop.time()
    far.send(b"event")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(read) == 1
    while loop.time() < begun + 0.2:
        with suppress(BlockingIOError):
            far.send(b"event")
        await asyncio.sleep(0)
    end()

    assert 2 <= len(read) <= 2 + 0.2 / _EAR_RESTS
    assert not loop.remove_reader(near)
    near.close()
    far.close()


@pytest.mark.parametrize(
    ("name", "heard"),
    [
        ("home/li/.profile", True),
        ("home/li/.config/dconf/user", True),
        ("home/li/.config/kioslaverc", True),
        ("home/li/.config/environment.d/proxy.conf", True),
        ("home/li/.bash_history", False),
        ("home/li/.config/user-dirs.dirs", False),
    ],
)
def test_a_proxy_in_a_home_is_heard_and_the_rest_of_it_is_not(
    tmp_path: Path,
    name: str,
    heard: bool,  # noqa: FBT001 - a case
) -> None:
    root = host(tmp_path)
    (root / "etc/passwd").write_text("li:x:1000:1000::/home/li:/bin/sh\n")
    for folder in ("dconf", "environment.d"):
        (root / "home/li/.config" / folder).mkdir(parents=True)
    files = Files(root)
    files.watch_homes()
    (root / name).write_text("x")

    assert files.drain() is heard
    files.close()
