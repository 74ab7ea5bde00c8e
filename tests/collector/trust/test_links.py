import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import PermanentError
from collector.trust.links import KEY_FILE, LinkError, Links
from wire.ids import uuid7

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
NOTICE = uuid7(NOON)
LINKS = Links(b"k" * 32)


def test_a_link_names_its_notice_until_its_end() -> None:
    word = LINKS.write(NOTICE, NOON)

    assert LINKS.read(word, NOON) == NOTICE
    with pytest.raises(LinkError, match="time of this link is over"):
        LINKS.read(word, NOON + timedelta(seconds=1))


def test_the_same_notice_has_the_same_link_at_every_attempt() -> None:
    assert LINKS.write(NOTICE, NOON) == LINKS.write(NOTICE, NOON)


@given(place=st.integers(0, 47), letter=st.sampled_from("ABCXYZabcxyz0189-_"))
def test_no_letter_of_a_link_can_be_changed(place: int, letter: str) -> None:
    word = LINKS.write(NOTICE, NOON)
    other = word[:place] + letter + word[place + 1 :]
    if other != word:
        with pytest.raises(LinkError):
            LINKS.read(other, NOON)


@given(word=st.text(max_size=60) | st.binary(min_size=36, max_size=36).map(lambda noise: noise.hex()[:48]))
def test_noise_is_no_link(word: str) -> None:
    with pytest.raises(LinkError):
        LINKS.read(word, NOON)


def test_another_collectors_link_is_no_link_here() -> None:
    with pytest.raises(LinkError):
        Links(b"x" * 32).read(LINKS.write(NOTICE, NOON), NOON)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    word = Links.at(tmp_path).write(NOTICE, NOON)

    assert Links.at(tmp_path).read(word, NOON) == NOTICE
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [KEY_FILE]


def test_a_key_that_others_read_or_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    Links.at(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(PermanentError, match="chmod 0600"):
        Links.at(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o600)
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(PermanentError, match="found 5 bytes, expected 32"):
        Links.at(tmp_path)
