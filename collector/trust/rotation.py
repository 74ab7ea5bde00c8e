"""Replaces the authority in three steps, each of which a fleet survives: see `ca.py`.

After each step the collector is started anew. Nodes see by the digest in every acknowledgement that what they
trust is old, make a fresh key, and get certificate and authorities; nobody visits them.
"""

from datetime import datetime
from pathlib import Path
from typing import Literal

from ..errors import PermanentError
from .ca import NEXT, PREVIOUS, make_authority
from .keeping import alone

_KEY = "ca-next.key"
Step = Literal["none", "rotated", "switched"]


def step_of(folder: Path) -> Step:
    """Return which step was done last: `none` where no authority is being replaced."""
    if (folder / NEXT).exists():
        return "rotated"
    return "switched" if (folder / PREVIOUS).exists() else "none"


def rotate(folder: Path, name: str, now: datetime) -> None:
    """Make the next authority; it is trusted and signs nothing yet.

    Raises:
        PermanentError: a rotation is under way, or there is no authority.
    """
    with alone(folder):
        if not (folder / "ca.pem").exists():
            raise PermanentError(f"{folder}: there is no authority yet; start the collector once")
        if (folder / NEXT).exists() or (folder / PREVIOUS).exists():
            raise PermanentError(f"{folder}: a rotation is under way; end it by `ca switch` and `ca retire`")
        make_authority(folder / _KEY, folder / NEXT, name, now)
        # The listener's next certificate is the old authority's last, and lives as long as may be.
        (folder / "server.pem").unlink(missing_ok=True)


def switch(folder: Path) -> None:
    """Let the next authority sign; the old one stays trusted. A crash on the way is ended by doing it again.

    Raises:
        PermanentError: there is no next one.
    """
    with alone(folder):
        if not (folder / NEXT).exists():
            raise PermanentError(f"{folder}: there is no next authority; begin by `ca rotate`")
        if not (folder / PREVIOUS).exists():
            (folder / PREVIOUS).write_bytes((folder / "ca.pem").read_bytes())
        if (folder / _KEY).exists():
            (folder / _KEY).replace(folder / "ca.key")
        (folder / NEXT).replace(folder / "ca.pem")


def retire(folder: Path) -> None:
    """Trust the old authority no more.

    Raises:
        PermanentError: there is none, or the next one has not been switched to.
    """
    with alone(folder):
        if (folder / NEXT).exists() or not (folder / PREVIOUS).exists():
            raise PermanentError(f"{folder}: there is no old authority to retire; `ca switch` comes first")
        (folder / PREVIOUS).unlink()
