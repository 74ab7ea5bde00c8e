"""The operator's side of updates: a folder of releases, signed offline, that agents take as a mirror.

::

    FOLDER/metadata/   root, targets, snapshot, timestamp: JSON of The Update Framework
    FOLDER/targets/    bundles and the index, each named by its digest

Keys lie elsewhere: `root-1.pem` … and `targets-1.pem` … are needed for a release, never on a server;
`online.pem` signs snapshot and timestamp, and can only say again what the others signed. Root and targets
want as many signatures as their threshold says, so that one stolen key signs nothing.
Source: https://theupdateframework.github.io/specification
"""

import contextlib
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from wire.releases import INDEX, Index, read_index

from .bundles import offer_of
from .keeping import replacing
from .release_keys import OFFLINE, ONLINE, KeyRole, Keys, ReleasesError

_ROLES: dict[KeyRole, tuple[str, ...]] = {
    "root": ("root",),
    "targets": ("targets",),
    "online": ("snapshot", "timestamp"),
}
_SHORTEST = 8  # digits of a key's id that a person has to type


class Lives(Struct, frozen=True, kw_only=True):
    """After how many days metadata is trusted no more; a mirror that is frozen shows within `online` days."""

    root: int = 730
    targets: int = 365
    online: int = 30


class Mirror(Struct, frozen=True, kw_only=True):
    """What a client finds on a mirror: the index, and until when and by how many keys each role holds."""

    index: Index
    expires: dict[str, datetime]
    thresholds: dict[str, int]


class Holder(Struct, frozen=True, kw_only=True):
    """One key that the mirror's root names.

    Fields:
        role: root, targets or online.
        key: Its id, the digest of its public half, in hexadecimal.
        file: Where its private half lies; None: not in the folders that were looked at.
    """

    role: KeyRole
    key: str
    file: Path | None


class Releases:
    """A folder of releases.

    Args:
        folder: With `metadata/` and `targets/`.
        now: The time.
        lives: Of what is signed now.
    """

    def __init__(self, folder: Path, now: datetime, lives: Lives | None = None) -> None:
        self._folder = folder
        self._now = now.replace(microsecond=0)
        self._lives = lives or Lives()

    def begin(self, keys: Keys, *, makers: int, threshold: int) -> Path:
        """Make the keys and an empty mirror; return the root file that nodes shall trust.

        Args:
            keys: Where the keys shall lie.
            makers: How many keys root and targets have each.
            threshold: How many of them have to sign.

        Raises:
            ReleasesError: there is a mirror already, or the numbers do not fit.
        """
        if not 1 <= threshold <= makers:
            raise ReleasesError(f"--threshold: found {threshold}, expected 1 to {makers}")
        if (self._folder / "metadata").exists():
            raise ReleasesError(f"{self._folder}: holds a mirror already; name an empty folder")
        for role in _ROLES:
            for path, _ in keys.files(role):
                raise ReleasesError(f"{path}: stands there already; name an empty folder for new keys")
        with _disk(self._folder):
            for part in ("metadata", "targets"):
                (self._folder / part).mkdir(parents=True)
        root = Root(expires=self._until(self._lives.root), consistent_snapshot=True)
        for role in OFFLINE:
            for _ in range(makers):
                _admit(root, role, keys)
            root.roles[role].threshold = threshold
        _admit(root, ONLINE, keys)
        self._sign("root", Metadata(root), keys)
        self._publish(Targets(expires=self._until(self._lives.targets)), Index(), keys)
        return self._folder / "metadata" / "1.root.json"

    def add(self, bundle: Path, keys: Keys) -> Index:
        """Offer a bundle; one for the same hosts and version is replaced.

        Raises:
            ReleasesError: it can't be read, the keys are too few, or the mirror can't be used.
        """
        targets, index = self._targets()
        offer = offer_of(bundle)
        with _disk(bundle):
            target = TargetFile.from_file(offer.path, str(bundle), ["sha256"])
            with bundle.open("rb") as source, replacing(self._target(target)) as file:
                shutil.copyfileobj(source, file)
        targets.targets[offer.path] = target
        same = (offer.version, offer.platform, offer.python)
        others = [one for one in index.releases if (one.version, one.platform, one.python) != same]
        return self._publish(targets, replace(index, releases=(*others, offer)), keys)

    def withdraw(self, version: str, keys: Keys) -> Index:
        """Say that no node shall run a version: those that do go to the newest other one, older or not.

        Raises:
            ReleasesError: there is no such release, the keys are too few, or the mirror can't be used.
        """
        targets, index = self._targets()
        if version not in {one.version for one in index.releases}:
            raise ReleasesError(f"{version}: found no release of this version on the mirror")
        for one in index.releases:
            if one.version == version:
                targets.targets.pop(one.path, None)
        left = tuple(one for one in index.releases if one.version != version)
        withdrawn = tuple(dict.fromkeys((*index.withdrawn, version)))
        return self._publish(targets, Index(left, withdrawn), keys)

    def refresh(self, keys: Keys) -> None:
        """Say again that all is as it was, with the online key alone; due before `online` days are over.

        Where a change of keys was cut off, the offers are signed anew too; that wants the keys of targets.

        Raises:
            ReleasesError: the key is not here, or the mirror can't be used.
        """
        newest = self._newest("targets")
        if _vouched(self._newest("root"), newest):
            self._sign_online(newest.signed.version, keys)
        else:
            self._publish(newest.signed, self._index(newest.signed), keys)

    def renew_root(self, keys: Keys) -> Path:
        """Let the root hold for longer, by a new version that the old keys sign.

        Raises:
            ReleasesError: the keys are too few, or the mirror can't be used.
        """
        return self._succeed(self._newest("root"), keys)

    def holders(self, keys: Keys) -> tuple[Holder, ...]:
        """Return the keys that the mirror's root names, and where those lie that are here.

        Raises:
            ReleasesError: a key can't be read, or the mirror can't be used.
        """
        root = self._newest("root").signed
        found: list[Holder] = []
        for role, names in _ROLES.items():
            files = {signer.public_key.keyid: path for path, signer in keys.files(role)}
            ids = dict.fromkeys(one for name in names for one in root.roles[name].keyids)
            found += [Holder(role=role, key=one, file=files.get(one)) for one in ids]
        return tuple(found)

    def replace_key(self, key: str, keys: Keys, folder: Path) -> Holder:
        """Put a new key in the place of one that was lost or stolen, and sign anew what that one signed.

        Nodes follow by the root they trust: the new one is signed by enough keys of the old one and of its
        own (The Update Framework 6.1, "Key management and migration"; 5.3, how a client takes a root).

        Args:
            key: The id of the key that shall count no more, or its first eight digits or more.
            keys: Those that are left.
            folder: Where the new one shall lie.

        Raises:
            ReleasesError: no key or several have this id, or those that are left are too few: nothing was
                changed; or the mirror or the folder can't be used.
        """
        root = self._newest("root")
        old = self._holder(key)
        self._changeable(old, keys, root.signed)
        together = keys.joined(folder)
        for name in _ROLES[old.role]:
            root.signed.revoke_key(old.key, name)
        made = _admit(root.signed, old.role, together)
        self._succeed(root, together)
        if old.role == "targets":
            self._publish(*self._targets(), together)
        elif old.role == ONLINE:
            self._sign_online(self._newest("targets").signed.version, together)
        return made

    def check(self) -> Mirror:
        """Return what a client finds that trusts the first root: each signature, date, length and digest.

        Raises:
            ReleasesError: what it would refuse.
        """
        root = self._read("1.root.json")
        signed = {"root": root}
        try:
            root.verify_delegate("root", root)
            while (self._folder / "metadata" / f"{root.signed.version + 1}.root.json").exists():
                following = self._read(f"{root.signed.version + 1}.root.json")
                root.verify_delegate("root", following)
                following.verify_delegate("root", following)
                root = signed["root"] = following
            signed["timestamp"] = self._read("timestamp.json")
            place = signed["timestamp"].signed.snapshot_meta.version
            signed["snapshot"] = self._read(f"{place}.snapshot.json")
            place = signed["snapshot"].signed.meta["targets.json"].version
            signed["targets"] = self._read(f"{place}.targets.json")
            for role, metadata in signed.items():
                root.verify_delegate(role, metadata)
                if metadata.signed.is_expired(self._now):
                    raise ReleasesError(
                        f"{self._folder}: {role} held until {metadata.signed.expires}; sign it anew"
                    )
            for target in signed["targets"].signed.targets.values():
                with _disk(self._target(target)), self._target(target).open("rb") as file:
                    target.verify_length_and_hashes(file)
        except RepositoryError as error:
            raise ReleasesError(f"{self._folder}: {error}") from None
        return Mirror(
            index=self._index(signed["targets"].signed),
            expires={role: metadata.signed.expires for role, metadata in signed.items()},
            thresholds={role: root.signed.roles[role].threshold for role in signed},
        )

    def _holder(self, key: str) -> Holder:
        found = [one for one in self.holders(Keys()) if len(key) >= _SHORTEST and one.key.startswith(key)]
        if len(found) != 1:
            raise ReleasesError(
                f"{key}: found {len(found)} keys of this id, expected one; `releases keys` lists them, "
                f"{_SHORTEST} digits or more name one"
            )
        return found[0]

    def _changeable(self, old: Holder, keys: Keys, root: Root) -> None:
        """Refuse what would leave a mirror half changed: too few keys for what has to be signed anew."""
        here = [one for one in self.holders(keys) if one.file]
        self._enough("root", sum(one.role == "root" for one in here), root.roles["root"].threshold)
        online = _ROLES[ONLINE] if old.role == "targets" else ()
        for name in dict.fromkeys(("root", *_ROLES[old.role], *online)):
            left = sum(name in _ROLES[one.role] for one in here if one.key != old.key)
            self._enough(name, left + (name in _ROLES[old.role]), root.roles[name].threshold)

    def _succeed(self, root: "Metadata[Root]", keys: Keys) -> Path:
        root.signed.version += 1
        root.signed.expires = self._until(self._lives.root)
        root.signatures.clear()
        self._sign("root", root, keys)
        return self._folder / "metadata" / f"{root.signed.version}.root.json"

    def _targets(self) -> tuple[Targets, Index]:
        targets = self._newest("targets").signed
        return targets, self._index(targets)

    def _index(self, targets: Targets) -> Index:
        with _disk(self._folder):
            content = self._target(targets.targets[INDEX]).read_bytes()
        try:
            return read_index(content)
        except ValueError as error:
            raise ReleasesError(f"{self._folder}: {INDEX}: {error}") from None

    def _publish(self, targets: Targets, index: Index, keys: Keys) -> Index:
        """Sign targets with an index, then what says that they are the newest; clients see all or nothing."""
        content = msgspec.json.encode(index)
        target = TargetFile.from_data(INDEX, content, ["sha256"])
        with _disk(self._folder):
            _write(self._target(target), content)
        targets.targets[INDEX] = target
        targets.version = max(self._numbers("targets"), default=0) + 1
        targets.expires = self._until(self._lives.targets)
        self._sign("targets", Metadata(targets), keys)
        self._sign_online(targets.version, keys)
        return index

    def _sign_online(self, targets: int, keys: Keys) -> None:
        version = max(self._numbers("snapshot"), default=0) + 1
        until = self._until(self._lives.online)
        snapshot = Snapshot(version=version, expires=until, meta={"targets.json": MetaFile(targets)})
        self._sign("snapshot", Metadata(snapshot), keys)
        timestamp = Timestamp(version=version, expires=until, snapshot_meta=MetaFile(version))
        self._sign("timestamp", Metadata(timestamp), keys)

    def _sign(self, name: str, metadata: "Metadata[Any]", keys: Keys) -> None:
        """Sign with every key that counts; a root wants enough keys of the one before it too."""
        roots = [self._newest("root").signed] if name != "root" or self._numbers("root") else []
        if name == "root":
            roots.append(metadata.signed)
        signers = keys.of(next(role for role, names in _ROLES.items() if name in names))
        for wanted in (root.roles[name] for root in roots):
            having = sum(one.public_key.keyid in wanted.keyids for one in signers)
            self._enough(name, having, wanted.threshold)
        counting = {key for root in roots for key in root.roles[name].keyids}
        for signer in signers:
            if signer.public_key.keyid in counting:
                metadata.sign(signer, append=True)
        file = "timestamp.json" if name == "timestamp" else f"{metadata.signed.version}.{name}.json"
        with _disk(self._folder):
            _write(self._folder / "metadata" / file, metadata.to_bytes())

    @staticmethod
    def _enough(name: str, having: int, threshold: int) -> None:
        if having < threshold:
            raise ReleasesError(
                f"{name}: found {having} of its keys, expected {threshold}; bring the other files"
            )

    def _numbers(self, role: str) -> list[int]:
        names = (path.name.partition(".") for path in (self._folder / "metadata").glob(f"*.{role}.json"))
        return sorted(int(number) for number, _, _ in names if number.isdecimal())

    def _newest(self, role: str) -> "Metadata[Any]":
        numbers = self._numbers(role)
        if not numbers:
            raise ReleasesError(
                f"{self._folder}: found no mirror, expected metadata/ and targets/; begin with init"
            )
        return self._read(f"{numbers[-1]}.{role}.json")

    def _read(self, name: str) -> "Metadata[Any]":
        path = self._folder / "metadata" / name
        with _disk(path):
            content = path.read_bytes()
        try:
            return Metadata.from_bytes(content)
        except DeserializationError as error:
            raise ReleasesError(f"{path}: {error}") from None

    def _target(self, target: TargetFile) -> Path:
        return self._folder / "targets" / f"{target.hashes['sha256']}.{target.path}"

    def _until(self, days: int) -> datetime:
        return self._now + timedelta(days=days)


def _admit(root: Root, role: KeyRole, keys: Keys) -> Holder:
    """Make a key, and let it count."""
    path, signer = keys.make(role)
    for name in _ROLES[role]:
        root.add_key(signer.public_key, name)
    return Holder(role=role, key=signer.public_key.keyid, file=path)


def _vouched(root: "Metadata[Root]", targets: "Metadata[Any]") -> bool:
    try:
        root.verify_delegate("targets", targets)
    except RepositoryError:
        return False
    return True


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Name the file where the disk refuses."""
    try:
        yield
    except OSError as error:
        raise ReleasesError(f"{error.filename or path}: {error.strerror}") from None


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)
