"""Signing releases offline, and what a look at the mirror finds."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent.release.mirror import Mirror as Client
from collector.trust.release_keys import Keys, ReleasesError
from collector.trust.releases import Releases
from tests.agent.release.conftest import NOW as SIGNED
from tests.agent.release.conftest import bundle

NOW = SIGNED.replace(microsecond=0)


def mirror(tmp_path: Path, at: datetime = NOW) -> Releases:
    return Releases(tmp_path / "mirror", at)


class Node:
    """A node that was told to trust the first root, and keeps what it has seen.

    Its library takes the time from the host: what it looks at has to be signed today.
    """

    def __init__(self, tmp_path: Path) -> None:
        self._where = str(tmp_path / "mirror")
        self._root = tmp_path / "root.json"
        self._seen = tmp_path / "seen"
        shutil.copy(tmp_path / "mirror/metadata/1.root.json", self._root)

    def versions(self) -> list[str]:
        client = Client(self._where, self._root, self._seen, most=1_000_000)
        return sorted(one.version for one in client.index().releases)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    made = Keys(tmp_path / "keys")
    mirror(tmp_path).begin(made, makers=3, threshold=2)
    return made


@pytest.mark.usefixtures("keys")
def test_a_new_mirror_offers_nothing_and_is_whole(tmp_path: Path) -> None:
    found = mirror(tmp_path).check()
    assert (found.index.releases, found.thresholds["root"], found.thresholds["targets"]) == ((), 2, 2)
    assert found.expires["timestamp"] == NOW + timedelta(days=30)
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == [
        *("online.pem", "root-1.pem", "root-2.pem", "root-3.pem"),
        *("targets-1.pem", "targets-2.pem", "targets-3.pem"),
    ]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "keys").iterdir())


def test_what_is_offered_again_takes_the_place_of_what_was(tmp_path: Path, keys: Keys) -> None:
    for version in ("0.2.0", "0.3.0", "0.2.0"):
        mirror(tmp_path).add(bundle(tmp_path, version), keys)
    index = mirror(tmp_path).check().index
    assert sorted(one.version for one in index.releases) == ["0.2.0", "0.3.0"]
    mirror(tmp_path).withdraw("0.3.0", keys)
    index = mirror(tmp_path).check().index
    assert ([one.version for one in index.releases], index.withdrawn) == (["0.2.0"], ("0.3.0",))
    with pytest.raises(ReleasesError, match=r"found no release"):
        mirror(tmp_path).withdraw("0.3.0", keys)


@pytest.mark.usefixtures("keys")
def test_two_people_bring_a_key_each(tmp_path: Path) -> None:
    for person, number in (("li", 1), ("wang", 3)):
        (tmp_path / person).mkdir()
        for name in (f"targets-{number}.pem", "online.pem") if person == "li" else (f"targets-{number}.pem",):
            (tmp_path / "keys" / name).rename(tmp_path / person / name)
    with pytest.raises(ReleasesError, match="targets: found 1 of its keys, expected 2"):
        mirror(tmp_path).add(bundle(tmp_path, "0.2.0"), Keys(tmp_path / "li"))
    mirror(tmp_path).add(bundle(tmp_path, "0.2.0"), Keys(tmp_path / "li", tmp_path / "wang"))
    assert len(mirror(tmp_path).check().index.releases) == 1


def test_the_online_key_alone_says_again_that_all_is_as_it_was(tmp_path: Path, keys: Keys) -> None:
    later = NOW + timedelta(days=31)
    with pytest.raises(ReleasesError, match=r"timestamp held until .*; sign it anew"):
        mirror(tmp_path, later).check()
    for name in (tmp_path / "keys").glob("[rt]*-*.pem"):
        name.unlink()
    mirror(tmp_path, later).refresh(keys)
    assert mirror(tmp_path, later).check().expires["snapshot"] == later + timedelta(days=30)


def test_a_root_is_renewed_by_those_who_made_it(tmp_path: Path, keys: Keys) -> None:
    later = NOW + timedelta(days=700)
    assert mirror(tmp_path, later).renew_root(keys).name == "2.root.json"
    mirror(tmp_path, later).add(bundle(tmp_path, "0.2.0"), keys)
    assert mirror(tmp_path, later).check().expires["root"] == later + timedelta(days=730)


def test_keys_may_want_a_password(tmp_path: Path) -> None:
    sealed = Keys(tmp_path / "keys", password=b"correct horse")
    mirror(tmp_path).begin(sealed, makers=1, threshold=1)
    mirror(tmp_path).refresh(sealed)
    for password in (None, b"wrong"):
        with pytest.raises(ReleasesError, match="--password-file"):
            mirror(tmp_path).refresh(Keys(tmp_path / "keys", password=password))


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    "part", ["metadata/timestamp.json", "metadata/1.root.json", "metadata/1.targets.json"]
)
def test_a_mirror_that_was_tampered_with_is_not_whole(tmp_path: Path, part: str) -> None:
    path = tmp_path / "mirror" / part
    content = path.read_text()
    path.write_text(content.replace('"expires":"20', '"expires":"21'))
    with pytest.raises(ReleasesError):
        mirror(tmp_path).check()
    path.write_text("{")
    with pytest.raises(ReleasesError, match=path.name):
        mirror(tmp_path).check()


def key_of(tmp_path: Path, name: str) -> str:
    """The id of a key by its file, which is then lost."""
    path = tmp_path / "keys" / f"{name}.pem"
    found = mirror(tmp_path).holders(Keys(path.parent))
    path.unlink()
    return next(one.key for one in found if one.file == path)


@pytest.mark.parametrize("name", ["root-2", "targets-2", "online"])
def test_a_lost_key_is_replaced_and_a_node_follows(tmp_path: Path, keys: Keys, name: str) -> None:
    mirror(tmp_path).add(bundle(tmp_path, "0.2.0"), keys)
    node = Node(tmp_path)
    assert node.versions() == ["0.2.0"]
    lost = key_of(tmp_path, name)

    made = mirror(tmp_path).replace_key(lost[:8], keys, tmp_path / "zhang")

    assert (made.file, made.file and made.file.exists()) == (tmp_path / "zhang" / f"{name}.pem", True)
    assert lost not in {one.key for one in mirror(tmp_path).holders(keys)}
    together = keys.joined(tmp_path / "zhang")
    assert all(one.file for one in mirror(tmp_path).holders(together))
    mirror(tmp_path).add(bundle(tmp_path, "0.3.0"), together)
    assert len(mirror(tmp_path).check().index.releases) == 2
    assert node.versions() == ["0.2.0", "0.3.0"]


def test_a_stolen_key_signs_nothing_more(tmp_path: Path, keys: Keys) -> None:
    """A thief of one key waits for a second; what both sign is refused once one of them was replaced."""
    stolen = tmp_path / "thief"
    shutil.copytree(tmp_path / "keys", stolen)
    (stolen / "targets-3.pem").unlink()
    lost = key_of(tmp_path, "targets-1")
    mirror(tmp_path).replace_key(lost, keys, tmp_path / "zhang")
    with pytest.raises(ReleasesError, match="targets: found 1 of its keys, expected 2"):
        mirror(tmp_path).add(bundle(tmp_path, "0.6.6"), Keys(stolen))


def test_every_key_may_be_replaced_one_after_the_other(tmp_path: Path, keys: Keys) -> None:
    """A node that slept through all of it still follows, from the first root to the last."""
    node = Node(tmp_path)
    for one in mirror(tmp_path).holders(keys):
        assert one.file
        one.file.unlink()
        mirror(tmp_path).replace_key(one.key, keys, tmp_path / "keys")
    mirror(tmp_path).add(bundle(tmp_path, "0.2.0"), keys)
    assert node.versions() == ["0.2.0"]


def test_the_only_key_of_a_root_is_replaced_while_it_is_still_here(tmp_path: Path) -> None:
    alone = Keys(tmp_path / "keys")
    mirror(tmp_path).begin(alone, makers=1, threshold=1)
    node = Node(tmp_path)
    root = mirror(tmp_path).holders(alone)[0]
    mirror(tmp_path).replace_key(root.key, alone, tmp_path / "zhang")
    assert node.versions() == []
    assert root.file
    root.file.unlink()
    mirror(tmp_path).renew_root(Keys(tmp_path / "zhang"))


@pytest.mark.parametrize(
    ("lost", "also", "why"),
    [
        ("root-1", "root-2", "root: found 1 of its keys, expected 2"),
        ("targets-1", "targets-2", None),
        ("targets-1", "online", "snapshot: found 0 of its keys, expected 1"),
        ("online", "root-[12]", "root: found 1 of its keys, expected 2"),
    ],
)
def test_too_few_keys_change_nothing(
    tmp_path: Path, keys: Keys, lost: str, also: str, why: str | None
) -> None:
    key = key_of(tmp_path, lost)
    for path in (tmp_path / "keys").glob(f"{also}.pem"):
        path.unlink()
    before = contents(tmp_path / "mirror")
    if why is None:
        mirror(tmp_path).replace_key(key, keys, tmp_path / "zhang")
        assert mirror(tmp_path).check().thresholds["targets"] == 2
        return
    with pytest.raises(ReleasesError, match=why):
        mirror(tmp_path).replace_key(key, keys, tmp_path / "zhang")
    assert contents(tmp_path / "mirror") == before
    assert not (tmp_path / "zhang").exists()


def test_a_change_of_keys_that_was_cut_off_is_ended_by_a_refresh(tmp_path: Path) -> None:
    """Of two makers both have to sign: by the new root, what is offered has one signature."""
    both = Keys(tmp_path / "keys")
    mirror(tmp_path).begin(both, makers=2, threshold=2)
    lost = next(one for one in mirror(tmp_path).holders(both) if one.role == "targets")
    obstacle = tmp_path / "mirror/metadata/2.targets.json.new"
    obstacle.mkdir()
    with pytest.raises(ReleasesError, match="Is a directory"):
        mirror(tmp_path).replace_key(lost.key, both, tmp_path / "zhang")
    with pytest.raises(ReleasesError, match="targets was signed by 1/2 keys"):
        mirror(tmp_path).check()

    obstacle.rmdir()
    mirror(tmp_path).refresh(both.joined(tmp_path / "zhang"))

    assert mirror(tmp_path).check().thresholds["targets"] == 2


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(("key", "found"), [("0" * 64, 0), ("", 0), ("abc", 0)])
def test_a_key_is_named_so_that_nobody_mistakes_it(tmp_path: Path, key: str, found: int) -> None:
    with pytest.raises(ReleasesError, match=rf"{key}: found {found} keys of this id, expected one"):
        mirror(tmp_path).replace_key(key, Keys(tmp_path / "keys"), tmp_path / "zhang")


def test_mistakes_of_the_operator_are_told(tmp_path: Path, keys: Keys) -> None:
    with pytest.raises(ReleasesError, match="holds a mirror already"):
        mirror(tmp_path).begin(Keys(tmp_path / "more"), makers=1, threshold=1)
    with pytest.raises(ReleasesError, match="--threshold: found 3, expected 1 to 2"):
        Releases(tmp_path / "new", NOW).begin(Keys(tmp_path / "more"), makers=2, threshold=3)
    with pytest.raises(ReleasesError, match="found no mirror"):
        Releases(tmp_path / "new", NOW).refresh(keys)
    with pytest.raises(ReleasesError, match=r"absent\.tar"):
        mirror(tmp_path).add(tmp_path / "absent.tar", keys)
