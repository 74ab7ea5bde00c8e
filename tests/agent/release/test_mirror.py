"""What a node refuses of a mirror: all that TUF is for, with real metadata and real keys."""

import json
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agent.release import Slots
from agent.release.mirror import Mirror, MirrorError, _fetcher
from collector.trust.release_keys import Keys, ReleasesError
from collector.trust.releases import Lives, Releases
from wire.releases import Index

from .conftest import NOW, Signer


def again(signer: Signer, slots: Slots) -> Mirror:
    """The next look of the same node, which remembers what it saw."""
    return Mirror(str(signer.folder), signer.root, slots.folder / "mirror", most=10_000_000)


def test_a_bundle_comes_as_it_was_signed(mirror: Mirror, signer: Signer) -> None:
    made = signer.offer("0.2.0")
    (offer,) = mirror.index().releases
    assert mirror.fetch(offer).read_bytes() == made.read_bytes()


def test_a_mirror_that_stands_still_is_refused_when_its_word_has_ended(
    mirror: Mirror, signer: Signer
) -> None:
    signer.offer("0.2.0")
    signer.freeze(days=1)
    with pytest.raises(MirrorError, match="expired"):
        mirror.index()


def test_a_mirror_that_goes_back_to_what_it_was_is_refused(
    mirror: Mirror, signer: Signer, slots: Slots, tmp_path: Path
) -> None:
    signer.offer("0.2.0")
    shutil.copytree(signer.folder, tmp_path / "older")
    signer.offer("0.3.0")
    mirror.index()
    shutil.rmtree(signer.folder)
    shutil.copytree(tmp_path / "older", signer.folder)
    with pytest.raises(MirrorError) as refused:
        again(signer, slots).index()
    assert refused.value.code == "mirror_refused"


def test_another_ones_mirror_is_refused(signer: Signer, slots: Slots, tmp_path: Path) -> None:
    other = Signer(tmp_path / "other")
    other.offer("9.9.9")
    strange = Mirror(str(other.folder), signer.root, slots.folder / "mirror", most=10_000_000)
    with pytest.raises(MirrorError, match="signed"):
        strange.index()


def test_one_stolen_key_of_two_signs_nothing(mirror: Mirror, signer: Signer, tmp_path: Path) -> None:
    (tmp_path / "stolen").mkdir()
    for name in ("targets-1.pem", "online.pem"):
        shutil.copy(tmp_path / "keys" / name, tmp_path / "stolen" / name)
    signer.offer("0.2.0")
    with pytest.raises(ReleasesError, match="found 1 of its keys, expected 2"):
        Releases(signer.folder, NOW).withdraw("0.2.0", Keys(tmp_path / "stolen"))
    # And signed all the same, by a tool that does not ask:
    root = signer.folder / "metadata" / "1.root.json"
    honest = root.read_bytes()
    eased = json.loads(honest)
    eased["signed"]["roles"]["targets"]["threshold"] = 1
    root.write_text(json.dumps(eased))
    Releases(signer.folder, NOW).withdraw("0.2.0", Keys(tmp_path / "stolen"))
    root.write_bytes(honest)
    with pytest.raises(MirrorError, match="1/2"):
        mirror.index()


def test_a_bundle_that_was_changed_on_the_mirror_is_refused(mirror: Mirror, signer: Signer) -> None:
    signer.offer("0.2.0")
    (offer,) = mirror.index().releases
    (lying,) = (signer.folder / "targets").glob("*.tar")
    content = bytearray(lying.read_bytes())
    content[700] ^= 1
    lying.write_bytes(content)
    with pytest.raises(MirrorError) as refused:
        mirror.fetch(offer)
    assert refused.value.code == "mirror_refused"


def test_a_bundle_without_end_is_cut_off(mirror: Mirror, signer: Signer) -> None:
    signer.offer("0.2.0")
    (offer,) = mirror.index().releases
    (lying,) = (signer.folder / "targets").glob("*.tar")
    with lying.open("ab") as file:
        file.truncate(10**12)
    with pytest.raises(MirrorError) as refused:
        mirror.fetch(offer)
    assert refused.value.code == "mirror_refused"


def test_a_bundle_beyond_the_nodes_own_bound_is_not_fetched(signer: Signer, slots: Slots) -> None:
    signer.offer("0.2.0")
    small = Mirror(str(signer.folder), signer.root, slots.folder / "mirror", most=2000)
    (offer,) = small.index().releases
    with pytest.raises(MirrorError, match="more than 2000 bytes"):
        small.fetch(offer)


def test_a_mirror_that_is_not_there_may_come_back(mirror: Mirror, signer: Signer) -> None:
    shutil.move(signer.folder, signer.folder.with_name("away"))
    with pytest.raises(MirrorError) as away:
        mirror.index()
    assert away.value.code == "mirror_away"
    shutil.move(signer.folder.with_name("away"), signer.folder)
    assert mirror.index() == Index()


def test_a_node_follows_a_root_that_was_renewed(mirror: Mirror, signer: Signer) -> None:
    signer.at(NOW + timedelta(days=1), Lives(root=900)).renew_root(signer.keys)
    signer.offer("0.2.0")
    assert [one.version for one in mirror.index().releases] == ["0.2.0"]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"signed": {}, "signatures": []}'])
def test_a_damaged_root_is_told(signer: Signer, slots: Slots, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "root.json").write_bytes(content)
    with pytest.raises(MirrorError) as refused:
        Mirror(str(signer.folder), tmp_path / "root.json", slots.folder / "mirror", most=1000).index()
    assert refused.value.code == "mirror_refused"
    with pytest.raises(MirrorError, match="trusted root"):
        Mirror(str(signer.folder), tmp_path / "absent.json", slots.folder / "mirror", most=1000).index()


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and sends whoever asks for `/elsewhere` elsewhere."""

    def do_GET(self) -> None:
        """Answer."""
        if self.path.startswith("/elsewhere"):
            self.send_response(302)
            self.send_header("Location", "/metadata/timestamp.json")
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(signer: Signer) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(signer.folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_web_server_is_a_mirror_too(served: str, signer: Signer, slots: Slots) -> None:
    made = signer.offer("0.2.0")
    mirror = Mirror(served, signer.root, slots.folder / "mirror", most=10_000_000)
    (offer,) = mirror.index().releases
    assert mirror.fetch(offer).read_bytes() == made.read_bytes()


def test_nobody_sends_a_node_elsewhere(served: str) -> None:
    from tuf.api.exceptions import DownloadError  # noqa: PLC0415 - the library of updates alone

    with pytest.raises(DownloadError):
        list(_fetcher(None, lambda: 30.0).fetch(f"{served}/elsewhere"))


def test_a_web_server_that_is_away_is_told(signer: Signer, slots: Slots) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        where = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(MirrorError) as away:
            Mirror(where, signer.root, slots.folder / "mirror", most=1000).index()
    assert away.value.code == "mirror_away"


class Dripping(Quiet):
    """A server that gives a byte now and then: of its headers, or of what it serves."""

    body = True
    ended = threading.Event()

    def do_GET(self) -> None:
        self.wfile.write(
            b"HTTP/1.0 200 OK\r\n" + (b"Content-Length: 100000\r\n\r\n" if self.body else b"X-A: ")
        )
        with suppress(OSError):
            while not self.ended.wait(0.02):
                self.wfile.write(b"x")


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_web_server_that_drips_holds_no_update(signer: Signer, slots: Slots, part: str) -> None:
    """Each byte is in time for a timeout of the socket; only all of them together are too slow."""
    Dripping.body = part == "body"
    Dripping.ended.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Dripping, directory=str(signer.folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    where = f"http://127.0.0.1:{server.server_port}"
    try:
        with pytest.raises(MirrorError) as slow:
            Mirror(where, signer.root, slots.folder / "mirror", most=1000, seconds=0.3).index()
    finally:
        Dripping.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
    assert slow.value.code == "mirror_slow"
    assert "0.3 s (update.fetch_seconds)" in str(slow.value)


@pytest.mark.parametrize("kind", ["pipe", "endless"])
def test_what_is_no_file_in_a_folder_is_refused_at_once(mirror: Mirror, signer: Signer, kind: str) -> None:
    """A pipe would keep the update, and its lock, until systemd ends it after two hours."""
    place = signer.folder / "metadata" / "timestamp.json"
    place.unlink()
    if kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to("/dev/zero")

    with pytest.raises(MirrorError, match="is no regular file"):
        mirror.index()
