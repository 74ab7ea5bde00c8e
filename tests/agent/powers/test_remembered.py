"""What a reboot or a flush of all tables ended is put back for what is left, in the kernel of a namespace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.clock import Clock
from agent.powers import FirewallError, ForbiddenError, Local, Never, Remembered
from agent.powers.firewall import Kept
from agent.powers.remembered import Book, Held, added, aged
from tests.agent.powers.conftest import COLLECTOR, STRANGER, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.agent.powers.conftest import Host

NEVER = Never(reasons=((ip_network(COLLECTOR), "the collector"),), kept=(Kept(ip_network(COLLECTOR), 8443),))
ALL = ("block_address", "isolate_node")
OTHER = "198.18.9.7"


class Node:
    """A node with a kernel of its own and clocks that a test moves."""

    def __init__(self, host: Host, folder: Path) -> None:
        self.host = host
        self.file = folder / "blocks.json"
        self.boot, self.up, self.wall = "first", 1000.0, datetime(2026, 3, 2, tzinfo=UTC)
        self.never = NEVER
        self.forbidden = ""
        self.start()

    def start(self) -> None:
        clock = Clock(now=lambda: self.wall, monotonic=lambda: self.up, boot_id=self.boot)
        self.powers = Remembered(Local(self._never, lambda: 0.0, self.host.firewall), self.file, clock)

    def _never(self) -> Never:
        if self.forbidden:
            raise ForbiddenError(self.forbidden)
        return self.never

    def passes(self, seconds: float) -> None:
        self.up += seconds
        self.wall += timedelta(seconds=seconds)

    def flush(self) -> None:
        run("ip", "netns", "exec", self.host.name, "nft", "flush", "ruleset")

    def reboot(self, down: float, clock_off: float = 0.0) -> None:
        self.flush()
        self.boot, self.up = "second", 5.0
        self.wall += timedelta(seconds=down + clock_off)
        self.start()


@pytest.fixture
def node(host: Host, tmp_path: Path) -> Node:
    return Node(host, tmp_path)


def left(node: Node) -> dict[str, int]:
    return {str(block.network): block.seconds for block in node.host.firewall.blocks()}


@pytest.mark.root
def test_a_reboot_ends_neither_a_block_nor_isolation_before_their_time(node: Node) -> None:
    node.powers.block(STRANGER, 3600)
    node.powers.isolate(1000)
    node.reboot(down=400)
    before = node.host.reaches(STRANGER, 80)

    told = node.powers.restore(ALL)

    assert before
    assert not node.host.reaches(STRANGER, 80)
    assert node.host.reaches(COLLECTOR, 8443)
    assert 3190 <= left(node)[f"{STRANGER}/32"] <= 3200
    assert 590 <= node.host.firewall.isolated() <= 600
    assert told == [
        f"the kernel had lost the block of {STRANGER}: put back for the 3200 s that were left",
        "the kernel had lost the isolation: put back for the 600 s that were left",
    ]
    assert node.powers.restore(ALL) == []


@pytest.mark.root
def test_what_another_program_flushed_is_put_back_while_the_agent_runs(node: Node) -> None:
    node.powers.block(STRANGER, 600)
    node.passes(60)
    assert node.powers.restore(ALL) == []
    node.flush()
    node.passes(40)

    (told,) = node.powers.restore(ALL)

    assert "500 s" in told
    assert 490 <= left(node)[f"{STRANGER}/32"] <= 500


@pytest.mark.root
def test_a_kernel_that_has_our_table_is_left_alone_also_where_a_person_took_a_block_out(node: Node) -> None:
    node.powers.block(STRANGER, 600)
    node.powers.block(OTHER, 600)
    node.host.firewall.unblock(ip_network(OTHER))

    assert node.powers.restore(ALL) == []
    assert list(left(node)) == [f"{STRANGER}/32"]


@pytest.mark.root
def test_what_was_released_or_unblocked_never_comes_back(node: Node) -> None:
    node.powers.block(STRANGER, 600)
    node.powers.isolate(600)
    assert (node.powers.unblock(STRANGER), node.powers.release()) == (True, True)
    node.reboot(down=10)

    assert node.powers.restore(ALL) == []
    assert not node.host.firewall.holds()


@pytest.mark.root
def test_a_release_that_the_kernel_refuses_is_not_put_back_either(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.powers.isolate(600)
    with monkeypatch.context() as broken:
        broken.setattr(node.host.firewall, "_argv", ("false",))
        with pytest.raises(FirewallError):
            node.powers.release()
    node.reboot(down=10)

    assert node.powers.restore(ALL) == []


@pytest.mark.root
def test_what_is_over_is_over(node: Node) -> None:
    node.powers.isolate(600)
    node.reboot(down=600)

    assert node.powers.restore(ALL) == []
    assert not node.host.firewall.holds()
    assert not node.file.exists()


@pytest.mark.root
def test_settings_that_no_longer_allow_it_are_obeyed_and_it_is_told(node: Node) -> None:
    node.powers.block(STRANGER, 600)
    node.powers.isolate(600)
    node.reboot(down=10)

    told = node.powers.restore(("block_address",))

    assert "the isolation is not put back: this node's settings no longer allow isolate_node" in told
    assert node.host.firewall.isolated() == 0
    assert list(left(node)) == [f"{STRANGER}/32"]


@pytest.mark.root
def test_what_cannot_be_put_back_yet_is_told_and_tried_again_for_what_is_left(node: Node) -> None:
    node.powers.isolate(600)
    node.powers.block(STRANGER, 600)
    node.reboot(down=10)
    node.forbidden = "the collector c can't be resolved"
    told = node.powers.restore(ALL)
    node.forbidden = ""
    node.passes(90)
    node.start()

    again = node.powers.restore(ALL)

    assert len(told) == 2
    assert all("can't be resolved" in why for why in told)
    assert len(again) == 2
    assert node.host.firewall.isolated() <= 500


@pytest.mark.root
def test_a_kill_between_two_that_are_put_back_loses_neither(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.powers.block(STRANGER, 600)
    node.powers.block(OTHER, 600)
    node.reboot(down=10)
    block, calls = node.powers._powers.block, []

    def dies(address: str, seconds: int, *, dry_run: bool = False) -> bool:
        calls.append(address)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return block(address, seconds, dry_run=dry_run)

    with monkeypatch.context() as killed:
        killed.setattr(node.powers._powers, "block", dies)
        with pytest.raises(KeyboardInterrupt):
            node.powers.restore(ALL)
    node.start()
    node.powers.restore(ALL)

    assert set(left(node)) == {f"{STRANGER}/32", f"{OTHER}/32"}


@pytest.mark.root
@pytest.mark.parametrize("clock_off", [-86400.0 * 365, 86400.0 * 365])
def test_a_wrong_clock_after_the_boot_prolongs_nothing(node: Node, clock_off: float) -> None:
    node.powers.isolate(600)
    node.passes(300)
    node.powers.restore(ALL)
    node.reboot(down=30, clock_off=clock_off)

    told = node.powers.restore(ALL)

    assert node.host.firewall.isolated() <= 295
    assert ["not known" in why for why in told] == ([True] if clock_off < 0 else [])


@pytest.mark.root
@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"boot":"first","monotonic":1,"wall":1,"held":[{"address":"x","left":9}]}']
)
def test_a_damaged_file_is_told_once_and_stops_no_order(node: Node, content: bytes) -> None:
    node.file.write_bytes(content)

    (told,) = node.powers.restore(ALL)

    assert "none of them is put back" in told
    assert node.powers.restore(ALL) == []
    node.file.write_bytes(content)
    assert node.powers.block(STRANGER, 60)
    assert node.powers.unblock(STRANGER)


@pytest.mark.root
def test_a_dry_run_is_remembered_by_nobody(node: Node) -> None:
    node.powers.block(STRANGER, 60, dry_run=True)
    node.powers.isolate(60, dry_run=True)

    assert not node.file.exists()


@pytest.mark.root
def test_a_block_that_cannot_be_written_down_stands_and_one_that_cannot_be_crossed_out_is_told(
    node: Node, tmp_path: Path
) -> None:
    node.file = tmp_path / "no folder" / "blocks.json"
    node.start()

    assert node.powers.block(STRANGER, 60)
    assert list(left(node)) == [f"{STRANGER}/32"]
    assert node.powers.unblock(STRANGER)


steps = st.lists(
    st.tuples(st.sampled_from(["runs", "reboots"]), st.floats(0, 500), st.floats(-1e6, 1e6)), max_size=12
)


@given(steps, st.integers(10, 2000))
@settings(max_examples=60, deadline=None)
def test_however_often_it_is_put_back_it_was_never_in_force_longer_than_was_said(
    way: list[tuple[str, float, float]], seconds: int
) -> None:
    """Looked at each step; the wall clock is set to anything at every boot."""
    book = Book(boot="0", monotonic=0.0, wall=0.0, held=(Held("192.0.2.9", float(seconds)),))
    boot, up, wall, force = 0, 0.0, 0.0, 0.0
    for what, passed, off in way:
        if what == "reboots":
            boot, up, wall = boot + 1, 0.0, wall + off
        else:
            force += min(passed, book.held[0].left) if book.held else 0.0
            up, wall = up + passed, wall + passed
        book = aged(book, str(boot), up, wall)
    assert force + sum(one.left for one in book.held) <= seconds + 1e-6


def test_a_wider_block_takes_in_narrower_ones_as_in_the_kernel() -> None:
    held = added((), "192.0.2.9", 600)
    assert added(held, "192.0.2.9", 60) == held
    assert added(held, "192.0.2.0/24", 60) == (Held("192.0.2.0/24", 600),)
    assert added((Held("192.0.2.9", 600, due=True),), "192.0.2.0/24", 60) == (Held("192.0.2.0/24", 60),)
    assert added((), "", 60) == (Held("", 60),)
    assert added(held, "2001:db8::1", 5) == (*held, Held("2001:db8::1", 5))
