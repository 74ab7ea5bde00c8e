"""Signed checkpoints: where the journal's chains ended, so that a chain cut off at its end or removed shows.

::

    chain a   1 2 3 4 5 6 7          checkpoint 1: a ends at 5, its hash, signed
    chain a   1 2 3                  verify: chain a ends at 3, checkpoint 1 has signed it to 5

A process signs the ends of its chains every so many entries and every minute; what was written after the last
checkpoint is not covered. Each checkpoint covers the signature of the one before, so none can be taken from
the middle. The key is an Ed25519 key in the state folder (0600): who can write the database but not that
folder cannot sign.

The newest checkpoint also lies in that folder. Who deletes it from the database, with the entries that it
alone covers, would otherwise leave a journal that is sound and shorter. The first checkpoint of a process
signs the ends of all chains, so the newest alone bears witness to everything before.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct
from msgspec.structs import replace

from wire.codec import UNREADABLE

from ..errors import PermanentError
from ..sealing import Head, canonical
from .journal_chain import Break, Link
from .keeping import write_secret

KEY = "journal.key"
NEWEST = "journal.checkpoint"


class Checkpoint(Struct, frozen=True, kw_only=True):
    """The ends of chains at a moment.

    Fields:
        owner, n: The process, and its count of checkpoints, from 1.
        heads: Chain, number and hash of each end.
        previous: Signature of this process's checkpoint before; empty for its first.
        key, signature: Ed25519, hex.
    """

    at: datetime
    owner: str
    n: int
    heads: list[tuple[str, int, str]]
    previous: str
    key: str = ""
    signature: str = ""


def journal_key(state: Path) -> Ed25519PrivateKey:
    """Return the key that signs checkpoints; the first call makes it.

    Raises:
        PermanentError: The file holds no such key.
    """
    path = state / KEY
    try:
        raw = bytes.fromhex(path.read_text("ascii"))
    except FileNotFoundError:
        key = Ed25519PrivateKey.generate()
        write_secret(path, key.private_bytes_raw().hex().encode())
        return key
    except (OSError, ValueError) as error:
        raise PermanentError(
            f"{path}: {error}; it holds the key of the journal's checkpoints in hex"
        ) from None
    try:
        return Ed25519PrivateKey.from_private_bytes(raw)
    except ValueError as error:
        raise PermanentError(
            f"{path}: {error}; it holds the key of the journal's checkpoints in hex"
        ) from None


def known_key(state: Path) -> str:
    """Return, in hex, the public key by which checkpoints hold; empty where no collector has run here.

    Raises:
        PermanentError: The file holds no such key.
    """
    return _public(journal_key(state)) if (state / KEY).exists() else ""


def _public(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return raw.hex()


def sign(key: Ed25519PrivateKey, checkpoint: Checkpoint) -> Checkpoint:
    """Return the checkpoint with its signature."""
    named = replace(checkpoint, key=_public(key))
    return replace(named, signature=key.sign(_signed(named)).hex())


def holds(checkpoint: Checkpoint) -> bool:
    """Whether its signature is that of its key."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(checkpoint.key))
        key.verify(bytes.fromhex(checkpoint.signature), _signed(checkpoint))
    except (InvalidSignature, ValueError):
        return False
    return True


def keep_newest(state: Path, checkpoint: Checkpoint) -> None:
    """Write down which checkpoint is the newest, outside the database.

    Raises:
        OSError: The folder cannot be written.
    """
    write_secret(state / NEWEST, msgspec.json.encode(checkpoint))


def newest_kept(state: Path) -> Checkpoint | None:
    """Return the checkpoint that was kept last; None where there was none.

    Raises:
        PermanentError: The file holds no checkpoint.
    """
    path = state / NEWEST
    try:
        return msgspec.json.decode(path.read_bytes(), type=Checkpoint)
    except FileNotFoundError:
        return None
    except (OSError, *UNREADABLE) as error:
        raise PermanentError(f"{path}: {error}; it holds the newest checkpoint of the journal") from None


class Witness:
    """Holds the journal's entries, as they pass by, against what was signed.

    Args:
        checkpoints: All of them, in any order.
        key: The public key that has to have signed them, in hex.
        newest: The one that is kept outside the database; it was stored there first.
    """

    def __init__(self, checkpoints: Iterable[Checkpoint], key: str, newest: Checkpoint | None = None) -> None:
        self._checkpoints = sorted(checkpoints, key=lambda one: (one.owner, one.n))
        self._signed: dict[tuple[str, int], Checkpoint] = {}
        self._breaks = list(_unsound(self._checkpoints, key))
        if newest is not None and newest not in self._checkpoints:
            self._checkpoints.append(newest)
            self._breaks.append(
                Break(
                    chain=f"checkpoint {newest.owner}",
                    n=newest.n,
                    at=newest.at,
                    why="missing",
                    expected=newest.signature,
                    found="",
                )
            )
        self._ends: dict[str, int] = {}
        self._forged: dict[str, Break] = {}
        self._hashes: dict[tuple[str, int], str] = {}
        for checkpoint in self._checkpoints:
            for chain, n, digest in checkpoint.heads:
                self._signed[chain, n] = checkpoint
                self._hashes[chain, n] = digest

    @property
    def checkpoints(self) -> int:
        """How many there are."""
        return len(self._checkpoints)

    def feed(self, link: Link) -> None:
        """Look at an entry."""
        place = (link.chain, link.n)
        self._ends[link.chain] = link.n
        expected = self._hashes.get(place, link.hash)
        if expected != link.hash and link.chain not in self._forged:
            self._forged[link.chain] = Break(
                chain=link.chain, n=link.n, at=link.at, why="rewritten", expected=expected, found=link.hash
            )

    def breaks(self) -> list[Break]:
        """Return, after the last entry, what does not agree: the first of each chain."""
        return [*self._breaks, *self._forged.values(), *self._short()]

    def _short(self) -> Iterable[Break]:
        furthest: dict[str, int] = {}
        for chain, n in self._signed:
            furthest[chain] = max(n, furthest.get(chain, 0))
        for chain, n in furthest.items():
            end = self._ends.get(chain, 0)
            if end < n:
                first = min(number for name, number in self._signed if name == chain and number > end)
                checkpoint = self._signed[chain, first]
                yield Break(
                    chain=chain,
                    n=end,
                    at=checkpoint.at,
                    why="cut" if end else "removed",
                    expected=f"{n} (checkpoint {checkpoint.owner}/{checkpoint.n})",
                    found=str(end),
                )


def _unsound(checkpoints: Sequence[Checkpoint], key: str) -> Iterable[Break]:
    """Yield checkpoints that are forged or another's, or before which one is missing; they come in order."""
    before: Checkpoint | None = None
    for one in checkpoints:
        if before is None or before.owner != one.owner:
            before = None
        follows = (before.n + 1, before.signature) if before else (1, "")
        name = f"checkpoint {one.owner}"
        if one.key != key or not holds(one):
            yield Break(chain=name, n=one.n, at=one.at, why="signature", expected=key, found=one.key)
        elif (one.n, one.previous) != follows:
            yield Break(chain=name, n=one.n, at=one.at, why="gap", expected=str(follows[0]), found=str(one.n))
        before = one


def _signed(checkpoint: Checkpoint) -> bytes:
    return canonical(
        {
            "at": checkpoint.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "owner": checkpoint.owner,
            "n": checkpoint.n,
            "heads": [list(head) for head in checkpoint.heads],
            "previous": checkpoint.previous,
            "key": checkpoint.key,
        }
    )


def ends_of(heads: Iterable[Head]) -> list[tuple[str, int, str]]:
    """Return heads as a checkpoint names them."""
    return [(head.chain, head.n, head.hash) for head in heads]
