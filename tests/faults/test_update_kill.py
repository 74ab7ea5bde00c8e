"""An updater that is killed at any step leaves a release that starts, and the next one ends what it began."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from agent.release import Release, Slots, Updater, Ways
from agent.release.choice import Host
from agent.release.mirror import Mirror
from agent.release.slots import Link, Slot
from tests.agent.release.conftest import Signer

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
FORK = multiprocessing.get_context("fork")


class Steps:
    """Counts what is done to the disk and the host; the process dies as it comes to the step it is given."""

    def __init__(self, kill_at: int) -> None:
        self._kill_at = kill_at
        self._taken = 0

    def step(self, *_: object) -> None:
        self._taken += 1
        if self._taken == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


class Watched(Slots):
    """The folder of releases, with a step before and after each of its changes."""

    def __init__(self, folder: Path, steps: Steps) -> None:
        super().__init__(folder)
        self._steps = steps

    def clear(self, slot: Slot) -> Path:
        self._steps.step()
        return super().clear(slot)

    def complete(self, slot: Slot, release: Release) -> None:
        self._steps.step()
        super().complete(slot, release)
        self._steps.step()

    def point(self, link: Link, slot: Slot) -> None:
        self._steps.step()
        super().point(link, slot)
        self._steps.step()


def update(folder: Path, signer: Signer, kill_at: int, dumb: str) -> None:
    """Update in this process; `dumb` is the version that no collector answers."""
    steps, times, answered = Steps(kill_at), count(), folder / "answered"
    slots = Watched(folder, steps)

    def install(_: Path, slot: Path) -> None:
        steps.step()
        (slot / "bin").mkdir()
        steps.step()

    def restart() -> None:
        steps.step()
        release = slots.release(slots.named("current"))
        if release and release.version != dumb:
            answered.write_text(release.installed)
        steps.step()

    ways = Ways(
        install=install,
        check=steps.step,
        restart=restart,
        proved=lambda: answered.read_text() if answered.exists() else None,
        now=lambda: (steps.step(), AT)[1],  # asked right before the outcome is written down
        steady=lambda: next(times),
        sleep=steps.step,
        new_id=lambda: os.urandom(8).hex(),
    )
    mirror = Mirror(str(signer.folder), signer.root, folder / "mirror", most=10**7)
    Updater(slots, mirror, ways, Host("any", "any"), patience=2).update()


def ended(folder: Path, signer: Signer, kill_at: int, dumb: str) -> int | None:
    """Update in a child; return its exit code."""
    child = FORK.Process(target=update, args=(folder, signer, kill_at, dumb))
    child.start()
    child.join(60)
    return child.exitcode


def node(tmp_path: Path) -> Iterator[Slots]:
    for number in count(1):
        folder = tmp_path / f"opt-{number}"
        (folder / "a" / "bin").mkdir(parents=True)
        slots = Slots(folder)
        slots.complete("a", Release("0.1.0", "first"))
        slots.point("good", "a")
        slots.point("current", "a")
        yield slots


def assert_startable(slots: Slots) -> None:
    assert slots.release(slots.named("good")) is not None
    assert slots.release(slots.named("current")) is not None
    assert all((slots.folder / link / "bin").is_dir() for link in ("current", "good"))


@pytest.mark.parametrize("dumb", ["", "0.2.0"], ids=["answered", "silent"])
def test_killed_at_every_step_an_update_leaves_what_starts_and_is_ended_by_the_next(
    tmp_path: Path, dumb: str
) -> None:
    signer = Signer(tmp_path)
    signer.offer("0.2.0")
    killed = 0
    for kill_at, slots in enumerate(node(tmp_path), 1):
        code = ended(slots.folder, signer, kill_at, dumb)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        killed += 1
        assert_startable(slots)

        assert ended(slots.folder, signer, 0, dumb) == 0
        assert_startable(slots)
        running = slots.release(slots.named("current"))
        assert slots.named("current") == slots.named("good")
        assert running is not None
        assert running.version == ("0.1.0" if dumb else "0.2.0"), kill_at

    assert killed >= 12
