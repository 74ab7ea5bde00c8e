from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct
from msgspec.structs import replace

from collector.errors import PermanentError
from collector.trust.checkpoints import (
    KEY,
    Checkpoint,
    Witness,
    holds,
    journal_key,
    keep_newest,
    known_key,
    newest_kept,
    sign,
)

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECRET = Ed25519PrivateKey.from_private_bytes(bytes(32))


class Entry(Struct, frozen=True, kw_only=True):
    n: int
    chain: str = "a"
    at: datetime = NINE
    previous: str = ""

    @property
    def hash(self) -> str:
        return f"hash of {self.n}"

    def sealed_fields(self) -> dict[str, object]:
        return {}


def series(*ends: int) -> list[Checkpoint]:
    made: list[Checkpoint] = []
    for n, end in enumerate(ends, 1):
        heads = [("a", end, f"hash of {end}")]
        previous = made[-1].signature if made else ""
        made.append(sign(SECRET, Checkpoint(at=NINE, owner="p", n=n, heads=heads, previous=previous)))
    return made


def found(checkpoints: list[Checkpoint], entries: int) -> list[tuple[str, str, int]]:
    witness = Witness(checkpoints, series(1)[0].key)
    for n in range(1, entries + 1):
        witness.feed(Entry(n=n))
    return [(one.why, one.expected, one.n) for one in witness.breaks()]


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    one, other = journal_key(tmp_path), journal_key(tmp_path)

    assert one.private_bytes_raw() == other.private_bytes_raw()
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["no hex", "abcd"])
def test_a_damaged_key_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / KEY).write_text(content)

    with pytest.raises(PermanentError, match=KEY):
        journal_key(tmp_path)


def test_a_journal_that_goes_on_beyond_its_checkpoints_is_whole() -> None:
    assert found(series(2, 5), 7) == []


def test_the_first_checkpoint_that_a_chain_falls_short_of_is_named() -> None:
    assert found(series(2, 5, 9), 4) == [("cut", "9 (checkpoint p/2)", 4)]
    assert found(series(2, 5), 0) == [("removed", "5 (checkpoint p/1)", 0)]


def test_a_changed_checkpoint_does_not_hold() -> None:
    first, second = series(2, 5)
    forged = replace(second, heads=[("a", 2, "hash of 2")])

    assert holds(second)
    assert not holds(forged)
    assert [one[0] for one in found([first, forged], 2)] == ["signature"]


@pytest.mark.parametrize("field", [{"key": "zz"}, {"signature": "00"}, {"key": ""}])
def test_what_is_no_key_or_signature_does_not_hold(field: dict[str, str]) -> None:
    assert not holds(replace(series(1)[0], **field))


def test_a_checkpoint_signed_by_another_key_proves_nothing() -> None:
    other = sign(Ed25519PrivateKey.generate(), series(2)[0])

    assert holds(other)
    assert [one[0] for one in found([other], 2)] == ["signature"]


def test_where_no_collector_has_run_there_is_no_key_and_none_is_made(tmp_path: Path) -> None:
    assert known_key(tmp_path) == ""
    assert not list(tmp_path.iterdir())
    assert known_key(tmp_path) != sign(journal_key(tmp_path), series(1)[0]).key
    assert known_key(tmp_path) == sign(journal_key(tmp_path), series(1)[0]).key


def test_a_checkpoint_taken_from_the_middle_is_missed() -> None:
    first, _, third = series(1, 2, 3)

    assert found([first, third], 3) == [("gap", "2", 3)]


def test_the_newest_is_kept_as_it_was_and_nonsense_is_named(tmp_path: Path) -> None:
    assert newest_kept(tmp_path) is None
    made = sign(
        journal_key(tmp_path), Checkpoint(at=NINE, owner="a", n=1, heads=[("c", 1, "h")], previous="")
    )
    keep_newest(tmp_path, made)

    assert newest_kept(tmp_path) == made
    (tmp_path / "journal.checkpoint").write_text("{}")
    with pytest.raises(PermanentError, match=r"journal\.checkpoint: .*newest checkpoint"):
        newest_kept(tmp_path)
