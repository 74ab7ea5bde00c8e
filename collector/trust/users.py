"""Passwords of the console's users, and the one that is made at first start."""

from functools import cache
from pathlib import Path
from secrets import choice

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from .keeping import write_secret

FIRST_USER = "admin"
FIRST_PASSWORD_FILE = "admin-password"  # noqa: S105 - the name of a file
MAX_PASSWORD = 1024
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without what is easily misread
_GROUPS, _GROUP = 5, 4

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """Return the argon2id hash to store; takes some 50 ms of CPU, so call it in a thread."""
    return _hasher.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Whether a password fits a stored hash (None: no such user); as slow as `hash_password` either way."""
    if len(password) > MAX_PASSWORD:
        return False
    try:
        _hasher.verify(stored or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


@cache
def _nobody() -> str:
    """Checked where there is no such user, so that the time an answer takes tells nothing."""
    return _hasher.hash(new_password())


def new_password() -> str:
    """Return a random password of 99 bits that can be read aloud."""
    return "-".join("".join(choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def keep_first_password(folder: Path, password: str) -> Path:
    """Write the first password into a file of the state folder that only its owner may read."""
    path = folder / FIRST_PASSWORD_FILE
    write_secret(path, f"{password}\n".encode())
    return path
