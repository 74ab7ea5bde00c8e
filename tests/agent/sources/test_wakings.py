import asyncio
import subprocess
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from agent.sources.wakings import Files, wakings

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
