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
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from msgspec import Struct
from msgspec.structs import replace
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from wire.releases import ANY, INDEX, Index, Offer, read_index

from ..errors import PermanentError
from .ca import write_secret

Role = Literal["root", "targets"]
_OFFLINE: tuple[Role, Role] = ("root", "targets")
_ONLINE = "online"
_WHEEL = re.compile(
    r"(?P<name>[^-]+)-(?P<version>[^-]+)(-\d[^-]*)?-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl"
)
_MACHINE = re.compile(r".*?(many|musl)?linux(_\d+_\d+|\d+)?_")


class ReleasesError(PermanentError):
    """The folder or the keys can't be used, or what was asked would make a mirror that nobody trusts."""


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


class Keys:
    """The private keys of a mirror, in one folder or, where several people hold them, in several.

    Args:
        folders: Of files `root-1.pem`, `targets-1.pem`, …, `online.pem`; new ones are made in the first.
        password: What they are encrypted with.
    """

    def __init__(self, *folders: Path, password: bytes | None = None) -> None:
        self._folders = folders
        self._password = password

    def make(self, role: str) -> CryptoSigner:
        """Make a key and write it down, for nobody but its owner.

        Raises:
            ReleasesError: there is one already, or the folder can't be written to.
        """
        path = self._folders[0] / f"{role}.pem"
        if path.exists():
            raise ReleasesError(f"{path}: stands there already; name an empty folder for new keys")
        key = Ed25519PrivateKey.generate()
        sealed = BestAvailableEncryption(self._password) if self._password else NoEncryption()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_secret(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
        except OSError as error:
            raise ReleasesError(f"{path}: {error.strerror}") from None
        return CryptoSigner(key)

    def of(self, role: str) -> list[CryptoSigner]:
        """Return the keys of a role that lie here.

        Raises:
            ReleasesError: one of them can't be read.
        """
        pattern = f"{role}.pem" if role == _ONLINE else f"{role}-*.pem"
        return [self._read(path) for folder in self._folders for path in sorted(folder.glob(pattern))]

    def _read(self, path: Path) -> CryptoSigner:
        try:
            key = load_pem_private_key(path.read_bytes(), self._password)
        except OSError as error:
            raise ReleasesError(f"{path}: {error.strerror}") from None
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ReleasesError(f"{path}: {error}; name the password's file by --password-file") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise ReleasesError(f"{path}: a key of another kind, expected Ed25519; name another file")
        return CryptoSigner(key)


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
        with _disk(self._folder):
            for part in ("metadata", "targets"):
                (self._folder / part).mkdir(parents=True)
        root = Root(expires=self._until(self._lives.root), consistent_snapshot=True)
        for role in _OFFLINE:
            for number in range(makers):
                root.add_key(keys.make(f"{role}-{number + 1}").public_key, role)
            root.roles[role].threshold = threshold
        online = keys.make(_ONLINE)
        for name in ("snapshot", "timestamp"):
            root.add_key(online.public_key, name)
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
            _copy(bundle, self._target(target))
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

        Raises:
            ReleasesError: the key is not here, or the mirror can't be used.
        """
        newest = self._newest("targets")
        self._sign_online(newest.signed.version, keys)

    def renew_root(self, keys: Keys) -> Path:
        """Let the root hold for longer, by a new version that the old keys sign.

        Raises:
            ReleasesError: the keys are too few, or the mirror can't be used.
        """
        root = self._newest("root")
        root.signed.version += 1
        root.signed.expires = self._until(self._lives.root)
        root.signatures.clear()
        self._sign("root", root, keys)
        return self._folder / "metadata" / f"{root.signed.version}.root.json"

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

    def _sign(self, role: str, metadata: "Metadata[Any]", keys: Keys) -> None:
        root = metadata if role == "root" else self._newest("root")
        wanted = root.signed.roles[role]
        signers = keys.of(role if role in _OFFLINE else _ONLINE)
        having = [one for one in signers if one.public_key.keyid in wanted.keyids]
        if len(having) < wanted.threshold:
            raise ReleasesError(
                f"{role}: found {len(having)} of its keys, expected {wanted.threshold}; bring the other files"
            )
        for signer in having:
            metadata.sign(signer, append=True)
        name = "timestamp.json" if role == "timestamp" else f"{metadata.signed.version}.{role}.json"
        with _disk(self._folder):
            _write(self._folder / "metadata" / name, metadata.to_bytes())

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


def offer_of(bundle: Path) -> Offer:
    """Return what a bundle is: its version, and the hosts that its wheels are for.

    Raises:
        ReleasesError: it holds no wheel of the agent, or can't be read.
    """
    try:
        with _disk(bundle), tarfile.open(bundle, "r:") as archive:
            names = [Path(name).name for name in archive.getnames() if name.endswith(".whl")]
    except tarfile.TarError as error:
        raise ReleasesError(f"{bundle}: {error}") from None
    wheels = [found.groupdict() for name in names if (found := _WHEEL.fullmatch(name))]
    version = next((one["version"] for one in wheels if one["name"] == "fengsui"), "-")
    built = [one for one in wheels if one["platform"] != ANY]
    platform = next((f"linux_{_MACHINE.sub('', one['platform'])}" for one in built), ANY)
    python = next((one["python"] for one in built if one["abi"] == one["python"]), ANY)
    path = f"fengsui-agent-{version}-{python}-{platform}.tar"
    try:
        return msgspec.convert(
            {"version": version, "path": path, "platform": platform, "python": python}, Offer
        )
    except msgspec.ValidationError:
        raise ReleasesError(
            f"{bundle}: found no wheel of fengsui N.N.N, expected what packaging/make_bundle.py makes"
        ) from None


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Name the file where the disk refuses."""
    try:
        yield
    except OSError as error:
        raise ReleasesError(f"{error.filename or path}: {error.strerror}") from None


def _write(path: Path, content: bytes) -> None:
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _copy(source: Path, path: Path) -> None:
    new = path.with_name(f"{path.name}.new")
    with source.open("rb") as bundle, new.open("wb") as file:
        shutil.copyfileobj(bundle, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
