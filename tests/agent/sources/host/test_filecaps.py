import doctest
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sources.host import filecaps
from agent.sources.host.filecaps import UNREAD, attribute, mild, words


def test_the_examples_are_true() -> None:
    assert doctest.testmod(filecaps).attempted
    assert doctest.testmod(filecaps).failed == 0


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0x02000000, 1 << 13, 0, 0, 0), "cap_net_raw+p"),
        ((0x02000001, 1 << 12 | 1 << 13, 0, 0, 0), "cap_net_admin,cap_net_raw+ep"),
        ((0x02000001, 1 << 21, 1 << 21, 1 << 7, 0), "cap_bpf+ep cap_sys_admin+eip"),
        ((0x02000000, 0, 1 << 7, 0, 0), "cap_setuid+i"),
        ((0x02000001, 0, 0, 1 << 9, 0), "cap_41+ep"),
        ((0x03000001, 1 << 7, 0, 0, 0, 1000), "cap_setuid+ep [rootid=1000]"),
        ((0x03000001, 1 << 7, 0, 0, 0, 0), "cap_setuid+ep"),
        ((0x01000001, 1 << 7, 0), "cap_setuid+ep"),
        ((0x02000001, 0, 0, 0, 0), ""),
        ((0x04000001, 1 << 7, 0, 0, 0), UNREAD),
        ((0x02000001, 1 << 7, 0), UNREAD),
    ],
)
def test_every_version_is_told_as_getcap_tells_it(numbers: tuple[int, ...], expected: str) -> None:
    assert words(struct.pack(f"<{len(numbers)}I", *numbers)) == expected


def test_only_what_makes_nobody_another_user_is_mild() -> None:
    assert mild("cap_net_bind_service+ep cap_net_raw+i [rootid=1000]")
    for text in ("cap_sys_admin+ep", "cap_net_raw+ep cap_setuid+i", "cap_41+ep", UNREAD):
        assert not mild(text)


@given(st.binary(max_size=40))
def test_any_bytes_give_words_on_one_line(value: bytes) -> None:
    assert words(value).isprintable()


def test_what_is_gone_or_has_none_has_none(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()

    assert attribute(str(tmp_path / "plain")) == attribute(str(tmp_path / "gone")) == b""
