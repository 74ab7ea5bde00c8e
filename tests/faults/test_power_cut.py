"""A power cut under a node or a collector: what was not yet on the disk is gone, and nothing is lost.

Its folder is a file system of its own in an image. At the moment of the kill the image is copied: what the
file system had not written down is not in it, which is what a disk holds after a power cut. The process goes
on from the copy, a node as another boot. (A disk that lies about its cache is not imitated: `fsync` is
believed.)
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.failpoints import COLLECTOR_STEPS, NODE_STEPS
from tests.faults.test_every_step import assert_whole, outcome, shown
from tests.faults.way_of_a_report import Place, killed, stop

LIVES = 3
MEGABYTES = 24
OPTIONS = "loop,commit=600,noatime"  # the kernel writes nothing down by itself while a test lasts
pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(180)]


def made(image: Path) -> Path:
    """A file system that writes nothing down by itself for ten minutes."""
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        pytest.skip("mounting an image needs root and mkfs.ext4")
    with image.open("wb") as file:
        file.truncate(MEGABYTES * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    return image


@contextmanager
def mounted(image: Path, place: Path) -> Iterator[None]:
    place.mkdir(exist_ok=True)
    mount = ["mount", "-o", OPTIONS, str(image), str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no loop device to mount an image by")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def cut(image: Path, number: int) -> Path:
    """What the disk holds at this moment."""
    held = image.with_name(f"{number}.img")
    shutil.copy(image, held)
    return held


def test_the_cut_takes_what_was_not_synced_and_leaves_what_was(tmp_path: Path) -> None:
    """The measure itself: without it the test below would pass on a disk that forgets nothing."""
    image = made(tmp_path / "0.img")
    with mounted(image, tmp_path / "disk"):
        for name in ("synced", "written"):
            (tmp_path / "disk" / name).write_text(name)
            if name == "synced":
                for path in (tmp_path / "disk" / name, tmp_path / "disk"):
                    descriptor = os.open(path, os.O_RDONLY)
                    os.fsync(descriptor)
                    os.close(descriptor)
        held = cut(image, 1)
    with mounted(held, tmp_path / "after"):
        assert (tmp_path / "after" / "synced").read_text() == "synced"
        assert not (tmp_path / "after" / "written").exists()


class Disk:
    """A file system that is cut off from power and goes on from what it held then."""

    def __init__(self, folder: Path) -> None:
        self._image = made(folder / "0.img")
        self._place = folder / "disk"
        self._cuts = 0

    @contextmanager
    def __call__(self) -> Iterator[Path]:
        with mounted(self._image, self._place):
            yield self._place

    def cut(self) -> None:
        self._cuts += 1
        self._image = cut(self._image, self._cuts)
        subprocess.run(["umount", str(self._place)], check=True)
        subprocess.run(["mount", "-o", OPTIONS, str(self._image), str(self._place)], check=True)


@pytest.mark.parametrize("step", [step for step in NODE_STEPS if "commit" in step])
def test_a_node_loses_nothing_it_said_was_accepted(step: str, tmp_path: Path) -> None:
    power = Disk(tmp_path)
    with power() as disk:
        place = Place(tmp_path / "place", outbox_folder=disk / "node")
        os.sync()  # enrolled long ago
        collector = place.collector_lives()
        kills = 0
        for life in range(1, LIVES + 1):
            kills += killed(place.node_lives(step, life, boot=f"boot-{life}"))
            power.cut()
        assert not killed(place.node_lives(boot="boot-last"))
        stop(collector)

        found = outcome(place, kills)
    shown(f"power cut, {step}", found)
    assert_whole(found)


@pytest.mark.parametrize("step", [step for step in COLLECTOR_STEPS if "commit" in step])
def test_a_collector_has_what_it_acknowledged(step: str, tmp_path: Path) -> None:
    """An agent lets go of what was acknowledged: nobody else would have it."""
    power = Disk(tmp_path)
    with power() as disk:
        place = Place(tmp_path / "place", log_folder=disk / "collector")
        os.sync()
        node = place.node_lives()
        kills = 0
        for life in range(1, LIVES + 1):
            kills += killed(place.collector_lives(step, life))
            power.cut()
        collector = place.collector_lives()
        assert not killed(node)
        stop(collector)

        found = outcome(place, kills)
    shown(f"power cut, {step}", found)
    assert_whole(found)
