"""One-time links by which a person acknowledges from a notice, without signing in.

    /a/<48 letters>   base64url( 16 bytes notice id | 4 bytes end, seconds of 1970 | 16 bytes of HMAC-SHA256 )

The link names the notice it stands in, and by that the person and the incident; only this collector's key
makes one. That it is used once is written where acknowledgements are. It is made as a notice leaves and
is stored nowhere.

>>> from datetime import UTC
>>> links = Links(bytes(32))
>>> noon = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
>>> word = links.write("019cacb5-3c00-7000-8000-000000000001", noon)
>>> links.read(word, noon), len(word)
('019cacb5-3c00-7000-8000-000000000001', 48)
"""

import binascii
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from secrets import token_bytes, token_hex
from uuid import UUID

from ..errors import PermanentError
from .keeping import write_secret
from .secret_files import read_secret_bytes

KEY_FILE = "link-key"
KEY_BYTES = 32
_ID, _END, _MAC = 16, 4, 16
_LETTERS = 48
_PURPOSE = b"fengsui acknowledge 1\0"


class LinkError(PermanentError):
    """A link that this collector did not make, or whose time is over; the text says no more than that."""


class Links:
    """Makes links and reads them, with the key of the state folder."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def at(cls, state: Path) -> "Links":
        """Return the links of a state folder; its key is made at first use, readable by its owner only.

        Raises:
            PermanentError: The key cannot be read, has another length, or is open to others.
        """
        file, draft = state / KEY_FILE, state / f"{KEY_FILE}.{token_hex(8)}"
        if not file.exists():
            write_secret(draft, token_bytes(KEY_BYTES))
            with suppress(FileExistsError):  # another process was first: its key is the key
                os.link(draft, file)
            draft.unlink()
        return cls(read_secret_bytes(file, KEY_BYTES))

    def write(self, notice: str, end: datetime) -> str:
        """Return the word of a link for a notice, good until `end`."""
        said = UUID(notice).bytes + int(end.timestamp()).to_bytes(_END, "big")
        return urlsafe_b64encode(said + self._mac(said)).decode()

    def read(self, word: str, now: datetime) -> str:
        """Return the id of the notice that a link stands in.

        Raises:
            LinkError: It is not ours, or its time is over.
        """
        try:
            content = urlsafe_b64decode(word.encode("ascii")) if len(word) == _LETTERS else b""
        except (binascii.Error, ValueError):
            content = b""
        said, mac = content[: _ID + _END], content[_ID + _END :]
        # A second spelling of the same bytes would be a second link; there is one.
        same = urlsafe_b64encode(content).decode() == word
        if not hmac.compare_digest(mac, self._mac(said)) or not same:
            raise LinkError("this link is not one of ours, or was cut short; copy it whole")
        if now.timestamp() > int.from_bytes(said[_ID:], "big"):
            raise LinkError("the time of this link is over; sign in at the console")
        return str(UUID(bytes=said[:_ID]))

    def _mac(self, said: bytes) -> bytes:
        return hmac.digest(self._key, _PURPOSE + said, "sha256")[:_MAC]
