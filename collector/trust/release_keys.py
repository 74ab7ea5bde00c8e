"""The private keys of a mirror of releases: files that lie offline, with one person or with several.

::

    DIR/root-1.pem     signs which keys count         as many of them as the threshold says
    DIR/targets-1.pem  signs what is offered          likewise
    DIR/online.pem     signs that this is the newest  alone

The numbers tell files apart, nothing more: a key is one of a mirror's because the mirror's root names it.
"""

from pathlib import Path
from typing import Literal, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner

from ..errors import PermanentError
from .keeping import write_secret

KeyRole = Literal["root", "targets", "online"]
OFFLINE: tuple[KeyRole, KeyRole] = ("root", "targets")
ONLINE: KeyRole = "online"


class ReleasesError(PermanentError):
    """The folder or the keys can't be used, or what was asked would make a mirror that nobody trusts."""


class Keys:
    """The private keys of a mirror, in one folder or, where several people hold them, in several.

    Args:
        folders: Of files `root-1.pem`, `targets-1.pem`, …, `online.pem`; new ones are made in the first.
        password: What they are encrypted with.
    """

    def __init__(self, *folders: Path, password: bytes | None = None) -> None:
        self._folders = folders
        self._password = password

    def joined(self, folder: Path) -> Self:
        """Return these keys and those of another folder, which is the first."""
        return type(self)(folder, *self._folders, password=self._password)

    def make(self, role: KeyRole) -> tuple[Path, CryptoSigner]:
        """Make a key, for nobody but its owner; return its file too, the first that has no name yet.

        Raises:
            ReleasesError: the online key lies there already, or the folder can't be written to.
        """
        path = self._free(role)
        if path.exists():
            raise ReleasesError(f"{path}: stands there already; name an empty folder for new keys")
        key = Ed25519PrivateKey.generate()
        sealed = BestAvailableEncryption(self._password) if self._password else NoEncryption()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_secret(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
        except OSError as error:
            raise ReleasesError(f"{path}: {error.strerror}") from None
        return path, CryptoSigner(key)

    def of(self, role: KeyRole) -> list[CryptoSigner]:
        """Return the keys of a role that lie here.

        Raises:
            ReleasesError: one of them can't be read.
        """
        return [signer for _, signer in self.files(role)]

    def files(self, role: KeyRole) -> list[tuple[Path, CryptoSigner]]:
        """Return the keys of a role that lie here, each with its file.

        Raises:
            ReleasesError: one of them can't be read.
        """
        pattern = f"{role}.pem" if role == ONLINE else f"{role}-*.pem"
        paths = [path for folder in self._folders for path in sorted(folder.glob(pattern))]
        return [(path, self._read(path)) for path in paths]

    def _free(self, role: KeyRole) -> Path:
        first = self._folders[0]
        if role == ONLINE:
            return first / f"{ONLINE}.pem"
        taken = {path.name for folder in self._folders for path in folder.glob(f"{role}-*.pem")}
        number = next(n for n in range(1, len(taken) + 2) if f"{role}-{n}.pem" not in taken)
        return first / f"{role}-{number}.pem"

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
