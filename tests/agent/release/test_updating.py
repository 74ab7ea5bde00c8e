"""From one release to the next and back: a real mirror, real links, an agent that answers or does not."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.release import BundleError, Outcome, Release, Slots, Updater, Ways, read_standing
from agent.release.choice import Host
from agent.release.mirror import Mirror
from agent.texts import SaidError

from .conftest import Signer

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@dataclass
class Node:
    """A host: what starts from `current` is reached by a collector, unless its version is dumb."""

    slots: Slots
    dumb: set[str] = field(default_factory=set)
    restarts: list[str] = field(default_factory=list)
    answered: str | None = None
    time: float = 0.0
    made: int = 0

    def ways(self) -> Ways:
        return Ways(
            install=self._lay,
            check=lambda _: None,
            restart=self._restart,
            proved=lambda: self.answered,
            now=lambda: AT,
            steady=lambda: self.time,
            sleep=self._sleep,
            new_id=self._new_id,
        )

    def updater(self, mirror: Mirror) -> Updater:
        return Updater(self.slots, mirror, self.ways(), Host("linux_x86_64", "cp311"), patience=180)

    def running(self) -> str | None:
        release = self.slots.release(self.slots.named("current"))
        return release.version if release else None

    def _lay(self, _: Path, slot: Path) -> None:
        (slot / "bin").mkdir()

    def _restart(self) -> None:
        release = self.slots.release(self.slots.named("current"))
        if release:
            self.restarts.append(release.version)
            self.answered = self.answered if release.version in self.dumb else release.installed

    def _sleep(self, seconds: float) -> None:
        self.time += seconds

    def _new_id(self) -> str:
        self.made += 1
        return f"installation-{self.made}"


@pytest.fixture
def node(slots: Slots) -> Node:
    return Node(slots)


def states(outcome: Outcome) -> tuple[bool, str, str, str]:
    one = outcome.standing
    return (outcome.changed, one.state, one.before, one.version)


def test_a_release_that_a_collector_answers_stays(node: Node, mirror: Mirror, signer: Signer) -> None:
    signer.offer("0.2.0")
    assert states(node.updater(mirror).update()) == (True, "installed", "0.1.0", "0.2.0")
    assert (node.running(), node.slots.named("good"), node.restarts) == ("0.2.0", "b", ["0.2.0"])
    assert states(node.updater(mirror).update())[0] is False

    signer.offer("0.3.0")
    node.updater(mirror).update()
    assert (node.running(), node.slots.named("good")) == ("0.3.0", "a")


def test_a_release_that_no_collector_answers_is_taken_back_and_not_tried_again(
    node: Node, mirror: Mirror, signer: Signer
) -> None:
    signer.offer("0.2.0")
    node.dumb = {"0.2.0"}
    assert states(node.updater(mirror).update()) == (True, "rolled_back", "0.1.0", "0.2.0")
    assert (node.running(), node.restarts, node.time) == ("0.1.0", ["0.2.0", "0.1.0"], 180)
    assert "within 180 s" in read_standing(node.slots.folder).why

    assert node.updater(mirror).update().changed is False
    signer.offer("0.2.1")
    assert states(node.updater(mirror).update()) == (True, "installed", "0.1.0", "0.2.1")


def test_the_word_of_an_earlier_installation_proves_nothing(
    node: Node, mirror: Mirror, signer: Signer
) -> None:
    signer.offer("0.2.0")
    node.dumb, node.answered = {"0.2.0"}, "first"
    assert node.updater(mirror).update().standing.state == "rolled_back"


def test_a_version_that_is_withdrawn_is_left_even_for_an_older_one(
    node: Node, mirror: Mirror, signer: Signer
) -> None:
    signer.offer("0.1.0")
    signer.offer("0.2.0")
    node.updater(mirror).update()
    signer.at(datetime.now(UTC)).withdraw("0.2.0", signer.keys)  # noqa: TID251 - TUF looks at the real clock
    assert states(node.updater(mirror).update()) == (True, "installed", "0.2.0", "0.1.0")


def test_a_release_that_does_not_take_the_nodes_settings_never_starts(
    node: Node, mirror: Mirror, signer: Signer
) -> None:
    def refuse(_: Path) -> None:
        raise BundleError("release_misfit", why="settings.mirror: unknown")

    signer.offer("0.2.0")
    ways = Ways(**{name: getattr(node.ways(), name) for name in Ways.__struct_fields__} | {"check": refuse})
    updater = Updater(node.slots, mirror, ways, Host("any", "any"), patience=180)
    with pytest.raises(BundleError, match=r"settings\.mirror"):
        updater.update()
    assert (node.running(), node.restarts, node.slots.release("b")) == ("0.1.0", [], None)
    assert read_standing(node.slots.folder).state == "refused"


def test_a_full_disk_leaves_what_runs(node: Node, mirror: Mirror, signer: Signer) -> None:
    def full(_bundle: Path, slot: Path) -> None:
        (slot / "bin").mkdir()
        raise OSError(28, "No space left on device")

    signer.offer("0.2.0")
    ways = Ways(**{name: getattr(node.ways(), name) for name in Ways.__struct_fields__} | {"install": full})
    with pytest.raises(OSError, match="No space"):
        Updater(node.slots, mirror, ways, Host("any", "any"), patience=180).update()
    assert (node.running(), list(node.slots.path("b").iterdir())) == ("0.1.0", [])
    assert node.updater(mirror).update().standing.state == "installed"


def test_a_trial_that_was_cut_off_is_brought_to_its_end_first(node: Node, mirror: Mirror) -> None:
    node.slots.clear("b")
    node.slots.complete("b", Release("0.2.0", "cut off"))
    node.slots.point("current", "b")
    node.answered = "cut off"
    assert states(node.updater(mirror).update()) == (True, "installed", "0.1.0", "0.2.0")
    assert node.slots.named("good") == "b"


def test_a_program_that_lost_its_folder_is_left_for_the_good_one(node: Node, mirror: Mirror) -> None:
    node.slots.point("current", "b")
    assert node.updater(mirror).update().standing.state == "rolled_back"
    assert node.running() == "0.1.0"


def test_a_folder_without_a_good_release_is_refused_with_what_to_do(node: Node, mirror: Mirror) -> None:
    (node.slots.folder / "good").unlink()
    with pytest.raises(SaidError, match="--adopt"):
        node.updater(mirror).update()


def test_a_disk_that_takes_no_word_of_it_hides_no_refusal(node: Node, mirror: Mirror, signer: Signer) -> None:
    def refuse(_: Path) -> None:
        (node.slots.folder / "update.json.new").mkdir()  # as a disk that takes no file
        raise BundleError("release_misfit", why="settings.mirror: unknown")

    signer.offer("0.2.0")
    ways = Ways(**{name: getattr(node.ways(), name) for name in Ways.__struct_fields__} | {"check": refuse})
    with pytest.raises(BundleError, match=r"settings\.mirror"):
        Updater(node.slots, mirror, ways, Host("any", "any"), patience=180).update()


def test_a_mirror_that_can_not_be_believed_is_written_down_until_it_can(
    node: Node, mirror: Mirror, signer: Signer
) -> None:
    node.updater(mirror).update()
    timestamp = signer.folder / "metadata/timestamp.json"
    good = timestamp.read_bytes()
    timestamp.write_bytes(good.replace(b"version", b"Version", 1))
    with pytest.raises(SaidError):
        node.updater(mirror).update()
    standing = read_standing(node.slots.folder)
    assert (standing.state, standing.version, standing.before) == ("refused", "", "0.1.0")
    assert standing.why

    timestamp.write_bytes(good)
    assert node.updater(mirror).update().changed is False
    assert read_standing(node.slots.folder).state == "current"
