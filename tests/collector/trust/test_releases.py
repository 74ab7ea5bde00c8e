"""Signing releases offline, and what a look at the mirror finds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.trust.releases import Keys, Releases, ReleasesError, offer_of
from tests.agent.release.conftest import bundle, pack

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def mirror(tmp_path: Path, at: datetime = NOW) -> Releases:
    return Releases(tmp_path / "mirror", at)


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


def test_a_bundle_says_for_whom_it_is(tmp_path: Path) -> None:
    names = [
        "fengsui-0.2.0-py3-none-any.whl",
        "x-1-cp311-cp311-manylinux_2_17_x86_64.whl",
        "y-1-cp36-abi3-linux_x86_64.whl",
    ]
    made = pack(tmp_path / "b.tar", {f"wheels/{name}": b"" for name in names})
    offer = offer_of(made)
    assert (offer.version, offer.platform, offer.python) == ("0.2.0", "linux_x86_64", "cp311")
    assert offer_of(bundle(tmp_path, "0.3.0")).platform == "any"


@pytest.mark.parametrize(
    "members", [{}, {"wheels/other-1.0-py3-none-any.whl": b""}, {"wheels/fengsui-dev-py3-none-any.whl": b""}]
)
def test_what_is_no_bundle_of_the_agent_is_not_signed(
    tmp_path: Path, keys: Keys, members: dict[str, bytes]
) -> None:
    with pytest.raises(ReleasesError, match="found no wheel of fengsui"):
        mirror(tmp_path).add(pack(tmp_path / "b.tar", members), keys)


def test_mistakes_of_the_operator_are_told(tmp_path: Path, keys: Keys) -> None:
    with pytest.raises(ReleasesError, match="holds a mirror already"):
        mirror(tmp_path).begin(Keys(tmp_path / "more"), makers=1, threshold=1)
    with pytest.raises(ReleasesError, match="--threshold: found 3, expected 1 to 2"):
        Releases(tmp_path / "new", NOW).begin(Keys(tmp_path / "more"), makers=2, threshold=3)
    with pytest.raises(ReleasesError, match="found no mirror"):
        Releases(tmp_path / "new", NOW).refresh(keys)
    with pytest.raises(ReleasesError, match=r"absent\.tar"):
        mirror(tmp_path).add(tmp_path / "absent.tar", keys)
