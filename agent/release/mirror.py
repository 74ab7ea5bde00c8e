"""A mirror of releases under The Update Framework: a folder on this host or a web server of the operator's.

The trusted root is pinned on the node. TUF's client then refuses what is not signed by enough keys of the
right role, metadata past its date (a mirror that is frozen), older metadata than was seen (rolled back), and
files of another length or digest; nothing is read of a bundle before that. The library is imported here
alone, and only in the process of an update: the agent never pays for it.
Source: https://theupdateframework.github.io/specification
"""

import contextlib
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wire.releases import INDEX, Index, Offer, read_index

from ..keeping import open_regular
from ..texts import SaidError

if TYPE_CHECKING:
    from tuf.ngclient.fetcher import FetcherInterface
    from tuf.ngclient.updater import Updater

_CHUNK = 65536
_SECONDS = 30.0
_INDEX_MOST = 1024 * 1024


class MirrorError(SaidError):
    """The mirror can't be used; the code tells whether it may be away for a while or is not to be trusted."""


class Mirror:
    """A client of one mirror.

    Args:
        where: `/path` of a folder, or `https://…`; it holds `metadata/` and `targets/`.
        root: The trusted root's file.
        folder: Where the metadata that was seen is kept, so that none older is taken later.
        authority: PEM file of the authority of an `https` mirror; None: the system's.
        most: Bytes a bundle may have.
        seconds: In which everything has to be fetched, from the first question on.
        steady: Monotonic seconds.
    """

    def __init__(
        self,
        where: str,
        root: Path,
        folder: Path,
        *,
        authority: Path | None = None,
        most: int,
        seconds: float = 1800.0,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._where = where.rstrip("/")
        self._root = root
        self._folder = folder
        self._authority = authority
        self._most = most
        self._seconds = seconds
        self._steady = steady
        self._updater: Updater | None = None

    def index(self) -> Index:
        """Return what the mirror offers, as of now.

        Raises:
            MirrorError: it can't be reached, or what it says is not to be trusted.
            OSError: the disk did not take it.
        """
        with _told(self._where):
            updater = self._updater = self._open()
            updater.refresh()
            target = updater.get_targetinfo(INDEX)
        if target is None or target.length > _INDEX_MOST:
            raise MirrorError("mirror_refused", where=self._where, why=f"it signs no {INDEX}")
        with _told(self._where):
            content = Path(updater.download_target(target, str(self._folder / INDEX))).read_bytes()
        try:
            return read_index(content)
        except ValueError as error:
            raise MirrorError("mirror_refused", where=self._where, why=f"{INDEX}: {error}") from None

    def fetch(self, offer: Offer) -> Path:
        """Return the file of an offer of `index`, its signature found good.

        Raises:
            MirrorError: it can't be fetched, or is not what was signed.
            OSError: the disk did not take it.
        """
        updater = self._updater
        if updater is None:
            raise RuntimeError("ask for the index first")
        with _told(self._where):
            target = updater.get_targetinfo(offer.path)
        if target is None:
            raise MirrorError("mirror_refused", where=self._where, why=f"it signs no {offer.path}")
        if target.length > self._most:
            raise MirrorError("bundle_too_big", path=offer.path, most=self._most)
        with _told(self._where):
            return Path(updater.download_target(target, str(self._folder / "bundle.tar")))

    def _open(self) -> "Updater":
        from tuf.ngclient.config import UpdaterConfig  # noqa: PLC0415 - see above
        from tuf.ngclient.updater import Updater  # noqa: PLC0415

        try:
            root = self._root.read_bytes()
        except OSError as error:
            raise MirrorError("update_root", path=self._root, why=error.strerror or error) from None
        self._folder.mkdir(mode=0o700, exist_ok=True)
        base = self._where if "://" in self._where else f"file://{self._where}"
        return Updater(
            metadata_dir=str(self._folder),
            metadata_base_url=f"{base}/metadata/",
            target_dir=str(self._folder),
            target_base_url=f"{base}/targets/",
            fetcher=_fetcher(self._authority, self._left()),
            config=UpdaterConfig(max_root_rotations=32, max_delegations=0),
            bootstrap=root,
        )

    def _left(self) -> Callable[[], float]:
        """Return what tells the seconds that are left from now on."""
        end = self._steady() + self._seconds

        def left() -> float:
            seconds = end - self._steady()
            if seconds <= 0:
                raise _SlowError(f"{self._seconds:g}")
            return seconds

        return left


class _SlowError(OSError):
    """A mirror did not give everything in time; its text is the time."""


def _fetcher(authority: Path | None, left: Callable[[], float]) -> "FetcherInterface":
    from tuf.api.exceptions import DownloadError, DownloadHTTPError  # noqa: PLC0415 - see above
    from tuf.ngclient.fetcher import FetcherInterface  # noqa: PLC0415
    from urllib3 import PoolManager, Retry, Timeout  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    class Fetcher(FetcherInterface):
        """Files of a folder, or of a web server that is not followed elsewhere."""

        def __init__(self) -> None:
            context = ssl.create_default_context(cafile=str(authority) if authority else None)
            self._pool = PoolManager(
                ssl_context=context, retries=Retry(total=2, redirect=0), timeout=Timeout(_SECONDS)
            )

        def _fetch(self, url: str) -> Iterator[bytes]:
            file = url.startswith("file:")
            try:
                yield from _in_time(self._file(Path(urlsplit(url).path)) if file else self._web(url), left)
            except (HTTPError, OSError) as error:
                raise DownloadError(f"{url}: {error}") from error

        def _file(self, path: Path) -> Iterator[bytes]:
            try:
                file = open_regular(path)
            except FileNotFoundError:
                raise DownloadHTTPError(f"{path}: there is none", 404) from None
            with file:
                while chunk := file.read(_CHUNK):
                    yield chunk

        def _web(self, url: str) -> Iterator[bytes]:
            answer: Any = self._pool.request("GET", url, preload_content=False, redirect=False)
            with contextlib.closing(answer):
                if answer.status in {403, 404}:
                    raise DownloadHTTPError(f"{url}: status {answer.status}", answer.status)
                if answer.status != 200:
                    raise DownloadError(f"{url}: status {answer.status}")
                yield from answer.stream(_CHUNK)

    return Fetcher()


def _in_time(chunks: Iterator[bytes], left: Callable[[], float]) -> Iterator[bytes]:
    """Pass chunks on for as long as time is left.

    They are fetched in a thread of their own: a server that gives a byte now and then holds a name, a
    greeting, a header or a body for as long as it likes, and so does a folder of another host. That thread
    is left behind then; the update ends, and it with it.

    Raises:
        _SlowError: no time is left.
        Exception: what fetching raises.
    """
    queue: Queue[bytes | BaseException | None] = Queue(16)

    def fetch() -> None:
        with contextlib.suppress(Full, _SlowError):
            try:
                for chunk in chunks:
                    queue.put(chunk, timeout=left())
                queue.put(None, timeout=left())
            except Exception as error:  # noqa: BLE001 - handed to who waits, who raises it
                queue.put(error, timeout=left())

    Thread(target=fetch, name="fetch", daemon=True).start()
    while True:
        try:
            one = queue.get(timeout=left())
        except Empty:
            continue  # `left` says so
        if one is None:
            return
        if isinstance(one, BaseException):
            raise one
        yield one


@contextlib.contextmanager
def _told(where: str) -> Iterator[None]:
    """Say in our words what TUF and the network object to."""
    try:
        from tuf.api.exceptions import (  # noqa: PLC0415 - see above
            DownloadError,
            DownloadLengthMismatchError,
            RepositoryError,
        )
    except ImportError:
        raise MirrorError("update_extra_missing") from None
    try:
        yield
    except (RepositoryError, DownloadLengthMismatchError) as error:
        raise MirrorError(
            "mirror_refused", where=where, why=f"{type(error).__name__}: {error}"[:500]
        ) from None
    except DownloadError as error:
        why = error.__cause__ or error
        if isinstance(why, _SlowError):
            raise MirrorError("mirror_slow", where=where, seconds=why) from None
        raise MirrorError("mirror_away", where=where, why=str(why)[:500]) from None
